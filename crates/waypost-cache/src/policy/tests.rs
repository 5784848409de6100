use super::*;

fn draft() -> Draft {
    Draft::default()
}

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn errors(draft: &Draft) -> Vec<String> {
    let errors = draft.check(&[]).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

fn life(revalidate: Option<u64>, expire: u64) -> Life {
    let time = Duration::from_secs;
    Life::new(revalidate.map(time), Some(time(expire))).unwrap()
}

#[test]
fn times_and_profiles() {
    let year = 365 * 86_400;
    for (name, revalidate, expire, expected) in [
        (None, None, None, life(None, year)),
        (None, Some("never"), Some("1d"), life(None, 86_400)),
        (None, Some("1m"), None, life(Some(60), year)),
        (Some("hours"), None, None, life(Some(3600), 86_400)),
        (Some("hours"), Some("60"), None, life(Some(60), 86_400)),
        (
            Some("hours"),
            Some("never"),
            Some("2d"),
            life(None, 172_800),
        ),
        (Some("blog"), None, None, life(Some(900), 1800)),
    ] {
        let draft = Draft {
            life: name.map(str::to_owned),
            revalidate: revalidate.map(str::to_owned),
            expire: expire.map(str::to_owned),
            ..draft()
        };
        let own = [("blog".to_owned(), life(Some(900), 1800))];
        assert_eq!(draft.check(&own).unwrap().life(), expected, "{draft:?}");
    }
}

#[test]
fn own_profiles_precede_the_built_in_ones() {
    let draft = Draft {
        life: Some("hours".to_owned()),
        ..draft()
    };
    let own = [("hours".to_owned(), life(Some(7), 8))];
    assert_eq!(draft.check(&own).unwrap().life(), life(Some(7), 8));
}

#[test]
fn all_errors_are_reported() {
    let draft = Draft {
        life: Some("blog".to_owned()),
        revalidate: Some("1x".to_owned()),
        expire: Some("".to_owned()),
        tags: texts(&["", "a{", "b", "b", "c\n"]),
        query: texts(&["page", "*"]),
        vary: texts(&["Cookie", "a b", "accept"]),
    };
    assert_eq!(
        errors(&draft),
        [
            "`life` is `blog`, which is not a profile; write one of `default`, `seconds`, `minutes`, `hours`, `days`, \
             `weeks`, `max`",
            "`revalidate` is `1x`; write whole seconds, or a whole number and `s`, `m`, `h` or `d`, such as `90s` or \
             `1d`, or `never`",
            "`expire` is ``; write whole seconds, or a whole number and `s`, `m`, `h` or `d`, such as `90s` or `1d`",
            "`tags` has an empty item; remove it",
            "`b` occurs twice in `tags`; remove one",
            "\"c\\n\" in `tags` has a control character; remove it",
            "the braces in the tag `a{` don't enclose the name of a param; write `{name}`, and no other braces",
            "`query` has `*`; name each parameter, because every name that a client may choose would get an entry of its \
             own",
            "`cookie` in `vary` identifies the client; a response for one client must not be cached",
            "`a b` in `vary` is not the name of a header",
        ]
    );
}

#[test]
fn an_unknown_profile_names_those_that_exist() {
    let draft = Draft {
        life: Some("hour".to_owned()),
        ..draft()
    };
    assert_eq!(
        errors(&draft),
        [
            "`life` is `hour`, which is not a profile; write one of `default`, `seconds`, `minutes`, `hours`, `days`, \
             `weeks`, `max`"
        ]
    );
}

#[test]
fn lists_have_bounds() {
    let many = |count: usize| (0..count).map(|number| number.to_string()).collect();
    assert!(
        Draft {
            tags: many(128),
            query: many(32),
            vary: many(8),
            ..draft()
        }
        .check(&[])
        .is_ok()
    );
    assert_eq!(
        errors(&Draft {
            tags: many(129),
            query: many(33),
            vary: many(9),
            ..draft()
        }),
        [
            "`tags` has 129 items; write at most 128",
            "`query` has 33 items; write at most 32",
            "`vary` has 9 items; write at most 8",
        ]
    );
    let long = |chars| Draft {
        tags: vec!["ü".repeat(chars)],
        ..draft()
    };
    assert!(long(256).check(&[]).is_ok());
    assert!(errors(&long(257))[0].ends_with("in `tags` is too long; write at most 256 characters"));
}

#[test]
fn names_are_sorted_and_headers_in_lower_case() {
    let draft = Draft {
        query: texts(&["q", "page"]),
        vary: texts(&["X-Theme", "accept-language"]),
        ..draft()
    };
    let policy = draft.check(&[]).unwrap();
    assert_eq!(policy.query(), ["page", "q"]);
    assert_eq!(policy.vary(), ["accept-language", "x-theme"]);
}

#[test]
fn tags_name_params_of_the_pattern() {
    let draft = Draft {
        tags: texts(&["posts", "post-{slug}"]),
        ..draft()
    };
    let policy = draft.check(&[]).unwrap();
    let check = |pattern: &str| policy.check_pattern(&Pattern::parse(pattern).unwrap());
    assert_eq!(check("/blog/[slug]"), Ok(()));
    assert_eq!(check("/[lang]/[...slug]"), Ok(()));
    assert_eq!(
        check("/blog/[id]").unwrap_err()[0].to_string(),
        "the tag `post-{slug}` has `{slug}`, but the pattern has only `id`"
    );
    assert_eq!(
        check("/blog").unwrap_err()[0].to_string(),
        "the tag `post-{slug}` has `{slug}`, but the pattern has no params"
    );
}

#[test]
fn a_tag_that_a_client_makes_too_long_is_an_error() {
    let draft = Draft {
        tags: texts(&["p-{slug}", "p-a"]),
        ..draft()
    };
    let policy = draft.check(&[]).unwrap();
    let tags = |slug: &str| {
        let value = waypost_routing::ParamValue::One(slug.to_owned());
        policy.tags_for(&[("slug".to_owned(), value)].into_iter().collect())
    };
    assert_eq!(tags("b"), Ok(texts(&["p-b", "p-a"])));
    assert_eq!(tags("a"), Ok(texts(&["p-a"])));
    assert_eq!(tags(&"x".repeat(255)), Err(TagError::TooLong));
}

#[test]
fn a_draft_is_written_with_what_is_set() {
    assert_eq!(draft().to_json(), "{}");
    let draft = Draft {
        life: Some("hours".to_owned()),
        revalidate: Some("60".to_owned()),
        expire: Some("1d".to_owned()),
        tags: texts(&["a\"\\", "ü"]),
        ..draft()
    };
    assert_eq!(
        draft.to_json(),
        r#"{"life":"hours","revalidate":60,"expire":"1d","tags":["a\"\\","ü"]}"#
    );
    let draft = Draft {
        expire: Some("007".to_owned()),
        ..Draft::default()
    };
    assert_eq!(draft.to_json(), r#"{"expire":"007"}"#);
}

#[cfg(feature = "json")]
mod json {
    use super::*;

    fn read(json: &str) -> Result<Option<Policy>, Vec<String>> {
        let texts = |errors: Vec<PolicyError>| errors.iter().map(ToString::to_string).collect();
        Policy::from_json(json, &[]).map_err(texts)
    }

    #[test]
    fn the_object_of_a_description_is_read() {
        let json = r#"{"revalidate":60,"expire":86400,"tags":["posts","post-{slug}"],"query":["page"],"vary":[],"x":1}"#;
        let policy = read(json).unwrap().unwrap();
        assert_eq!(policy.life(), life(Some(60), 86_400));
        assert_eq!(policy.query(), ["page"]);
        assert_eq!(
            policy.to_json(),
            r#"{"revalidate":60,"expire":86400,"tags":["posts","post-{slug}"],"query":["page"]}"#
        );
        assert_eq!(read(&policy.to_json()), Ok(Some(policy)));
    }

    #[test]
    fn off_and_never() {
        assert_eq!(read("\"off\""), Ok(None));
        assert_eq!(read("false"), Ok(None));
        for never in ["{}", r#"{"revalidate":"never"}"#, r#"{"revalidate":false}"#] {
            assert_eq!(read(never), Ok(Some(Policy::default())), "{never}");
        }
        let errors = read(r#"{"revalidate":0}"#).unwrap_err();
        assert_eq!(
            errors,
            [
                "`revalidate` is zero; write at least one second, or `off` instead of a policy to cache nothing"
            ]
        );
    }

    #[test]
    fn wrong_types_are_named() {
        let json = r#"{"life":1,"revalidate":-1,"expire":1.5,"tags":"a","query":[1],"vary":{}}"#;
        assert_eq!(
            read(json).unwrap_err(),
            [
                "`life` is a number; write the name of a profile, such as `hours`",
                "`revalidate` is a negative or fractional number; write seconds, a time such as `1m`, or `never`",
                "`expire` is a negative or fractional number; write seconds, or a time such as `1d`",
                "`tags` is a text; write a list of texts",
                "`query` is a list of other values; write a list of texts",
                "`vary` is an object; write a list of texts",
            ]
        );
        assert_eq!(
            read("[]").unwrap_err(),
            ["`cache` is a list of other values; write an object with `revalidate`, or `off`"]
        );
        assert!(read("{").unwrap_err()[0].starts_with("the cache policy is not valid JSON"));
    }
}
