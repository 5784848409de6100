use super::*;

fn parse(header: &str) -> Vec<Result<String, String>> {
    let text = |item: Revalidation| format!("{} {:?}", item.subject, item.change);
    let items = Revalidation::parse(header);
    items
        .map(|item| item.map(text).map_err(|error| error.to_string()))
        .collect()
}

#[test]
fn what_each_call_changes() {
    use Change::{Hard, Soft};
    let all = [
        (Revalidation::revalidate_tag("a"), "tag:a", Soft),
        (Revalidation::expire_tag("a"), "tag:a", Hard),
        (Revalidation::revalidate_path("/a/"), "path:/a", Hard),
        (Revalidation::revalidate_below("/"), "below:/", Hard),
        (Revalidation::revalidate_route("/[a]"), "route:/[a]", Hard),
    ];
    for (revalidation, subject, change) in all {
        let revalidation = revalidation.unwrap();
        assert_eq!(revalidation.subject.to_string(), subject);
        assert_eq!(revalidation.change, change, "{subject}");
    }
}

#[test]
fn a_time_is_in_whole_seconds() {
    let after = |millis| {
        let tag = Revalidation::revalidate_tag("a").unwrap();
        tag.expire_in(Duration::from_millis(millis)).change
    };
    assert_eq!(after(0), Change::Hard);
    assert_eq!(after(999), Change::Hard);
    assert_eq!(after(1999), Change::SoftThenHard(Duration::from_secs(1)));
    assert_eq!(after(u64::MAX), Change::SoftThenHard(MAX_LIFE));
}

#[test]
fn one_malformed_item_does_not_hide_the_others() {
    assert_eq!(
        parse(
            "tag:a, nonsense,tag!:%ZZ, ,path!:b,route!:/%5Bslug%5D,tag+0:a,tag+x:a,tag++1:a,Tag:a,tag:"
        ),
        [
            Ok("tag:a Soft".to_owned()),
            Err("a revalidation is malformed".to_owned()),
            Err("a revalidation is malformed".to_owned()),
            Err("`b` is not a path; write one that starts with `/`, such as `/blog/a`".to_owned()),
            Ok("route:/[slug] Hard".to_owned()),
            Err("a revalidation is malformed".to_owned()),
            Err("a revalidation is malformed".to_owned()),
            Err("a revalidation is malformed".to_owned()),
            Err("a revalidation is malformed".to_owned()),
            Err("a tag is empty".to_owned()),
        ]
    );
    assert_eq!(parse(""), []);
}

#[test]
fn the_number_and_length_are_bounded() {
    let tag = Revalidation::revalidate_tag("a").unwrap();
    let header = Revalidation::write(&vec![tag.clone(); 128]).unwrap();
    assert!(Revalidation::parse(&header).all(|item| item.is_ok()));
    assert_eq!(
        Revalidation::write(&vec![tag; 129]),
        Err(RevalidationError::TooMany)
    );
    let parsed: Vec<_> = Revalidation::parse(&format!("{header},tag:a")).collect();
    assert_eq!(parsed.len(), 129);
    assert_eq!(parsed[128], Err(RevalidationError::TooMany));
    let long = Revalidation::revalidate_tag(&"ü".repeat(256)).unwrap();
    assert_eq!(
        Revalidation::write(&vec![long; 50]),
        Err(RevalidationError::TooMany)
    );
    let parsed: Vec<_> = Revalidation::parse(&",".repeat(64 * 1024 + 1)).collect();
    assert_eq!(parsed, [Err(RevalidationError::TooMany)]);
}
