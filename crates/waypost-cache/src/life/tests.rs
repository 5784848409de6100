use super::*;

fn seconds(revalidate: Option<u64>, expire: u64) -> Life {
    let time = Duration::from_secs;
    Life::new(revalidate.map(time), Some(time(expire))).unwrap()
}

#[test]
fn times_have_a_unit_or_are_seconds() {
    for (text, expected) in [
        ("90s", Some(90)),
        ("1m", Some(60)),
        ("2 h", Some(7200)),
        ("1d", Some(86_400)),
        (" 60 ", Some(60)),
        ("0", Some(0)),
        ("500ms", None),
        ("1w", None),
        ("1.5s", None),
        ("-1", None),
        ("s", None),
        ("", None),
        ("1s1s", None),
        ("ü", None),
        ("18446744073709551615m", None),
    ] {
        assert_eq!(
            parse_time(text),
            expected.map(Duration::from_secs),
            "{text}"
        );
    }
}

#[test]
fn bounds_of_times() {
    let new = |revalidate: u64, expire: u64| {
        let time = Duration::from_secs;
        Life::new(Some(time(revalidate)), Some(time(expire))).map_err(|error| error.to_string())
    };
    assert_eq!(new(60, 60), Ok(seconds(Some(60), 60)));
    assert_eq!(
        new(60, 59).unwrap_err(),
        "`expire` is 59 s, less than `revalidate`, which is 60 s; a response can't end before it is stale"
    );
    assert!(new(0, 60).unwrap_err().starts_with("`revalidate` is zero"));
    assert!(new(1, 0).unwrap_err().starts_with("`expire` is zero"));
    let most = MAX_LIFE.as_secs();
    assert!(new(most, most).is_ok());
    assert!(
        new(1, most + 1)
            .unwrap_err()
            .starts_with("`expire` is too long")
    );
    assert_eq!(
        Life::new(Some(Duration::from_millis(1500)), None),
        Err(PolicyError::NotWholeSeconds {
            field: "revalidate"
        })
    );
}

#[test]
fn expire_is_a_year_or_as_long_as_revalidate() {
    let new = |days| Life::new(Some(Duration::from_secs(days * DAY)), None).unwrap();
    assert_eq!(new(1).expire(), DEFAULT_EXPIRE);
    assert_eq!(new(400).expire(), Duration::from_secs(400 * DAY));
    assert_eq!(Life::new(None, None), Ok(Life::default()));
}

#[test]
fn profiles_are_valid() {
    for name in Life::profile_names() {
        let life = Life::profile(name).unwrap();
        assert_eq!(Life::new(life.revalidate(), Some(life.expire())), Ok(life));
    }
    // In seconds, as `dist/server/config-shared.js` of `next@16.4.6` has them.
    for (name, revalidate, expire) in [
        ("seconds", 1, 60),
        ("minutes", 60, 60 * 60),
        ("hours", 60 * 60, 60 * 60 * 24),
        ("days", 60 * 60 * 24, 60 * 60 * 24 * 7),
        ("weeks", 60 * 60 * 24 * 7, 60 * 60 * 24 * 30),
        ("max", 60 * 60 * 24 * 30, 60 * 60 * 24 * 365),
        ("default", 60 * 15, 60 * 60 * 24 * 365),
    ] {
        assert_eq!(Life::profile(name), Some(seconds(Some(revalidate), expire)));
    }
    assert_eq!(Life::profile("blog"), None);
}

#[test]
fn the_shorter_time_counts() {
    let never = Life::default();
    let minute = seconds(Some(60), 3600);
    assert_eq!(never.shorter(minute), minute);
    assert_eq!(
        minute.shorter(seconds(Some(600), 1200)),
        seconds(Some(60), 1200)
    );
    assert_eq!(minute.shorter(seconds(None, 30)), seconds(Some(30), 30));
    assert_eq!(never.fresh_for(), DEFAULT_EXPIRE);
    assert_eq!(minute.fresh_for(), Duration::from_secs(60));
}

#[test]
fn negative_responses_are_kept_for_a_minute_if_paths_are_open() {
    let hours = seconds(Some(3600), 86_400);
    for status in [404, 410] {
        assert_eq!(
            hours.for_status(status, PathSpace::Open),
            seconds(Some(60), 60)
        );
        assert_eq!(hours.for_status(status, PathSpace::Closed), hours);
    }
    assert_eq!(hours.for_status(200, PathSpace::Open), hours);
    let short = seconds(Some(2), 4);
    assert_eq!(short.for_status(404, PathSpace::Open), short);
}

#[test]
fn a_pattern_without_params_has_a_closed_path_space() {
    let of = |pattern| PathSpace::of(&Pattern::parse(pattern).unwrap());
    assert_eq!(of("/posts"), PathSpace::Closed);
    assert_eq!(of("/posts/[slug]"), PathSpace::Open);
    assert_eq!(of("/[[...all]]"), PathSpace::Open);
}
