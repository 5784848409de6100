use super::*;

fn path(raw: &str) -> Result<String, String> {
    let subject = Subject::path(raw).map_err(|error| error.to_string())?;
    Ok(subject.name().to_owned())
}

#[test]
fn paths_are_normalised() {
    for (raw, expected) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b"),
        ("//a///b", "/a/b"),
        ("/a/../b", "/b"),
        ("/st%61tic", "/static"),
        ("/ü b", "/%C3%BC%20b"),
        ("/%C3%BC%20b", "/%C3%BC%20b"),
        ("/[slug]", "/%5Bslug%5D"),
    ] {
        assert_eq!(path(raw).as_deref(), Ok(expected), "{raw}");
    }
}

#[test]
fn wrong_paths_are_errors() {
    for (raw, expected) in [
        (
            "a",
            "`a` is not a path; write one that starts with `/`, such as `/blog/a`",
        ),
        (
            "",
            "`` is not a path; write one that starts with `/`, such as `/blog/a`",
        ),
        (
            "/%ZZ",
            "`/%ZZ` is not a path; write one that starts with `/`, such as `/blog/a`",
        ),
        (
            "/a\0",
            "`/a\0` is not a path; write one that starts with `/`, such as `/blog/a`",
        ),
        (
            "/a?b",
            "`/a?b` has a query; leave it out, because all queries of a path are revalidated together",
        ),
    ] {
        assert_eq!(path(raw).unwrap_err(), expected);
    }
    let too_long = "a path to revalidate is longer than 1024 bytes, or has more than 32 segments";
    assert_eq!(
        path(&format!("/{}", "a".repeat(1024))).unwrap_err(),
        too_long
    );
    assert_eq!(
        path(&format!("/{}", "ü".repeat(600))).unwrap_err(),
        too_long
    );
    assert_eq!(path(&"/a".repeat(33)).unwrap_err(), too_long);
}

#[test]
fn routes_are_patterns() {
    assert_eq!(
        Subject::route("(g)/blog/[slug]").unwrap().to_string(),
        "route:/blog/[slug]"
    );
    let error = Subject::route("/[[slug]]").unwrap_err().to_string();
    assert!(error.starts_with("`/[[slug]]` is not a route: "), "{error}");
}

#[test]
fn the_root_has_one_ancestor() {
    let subjects = Subject::of_response(&Path::default(), &Pattern::parse("/").unwrap(), &[]);
    let texts: Vec<_> = subjects.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["path:/", "below:/", "route:/"]);
}

#[test]
fn a_tag_is_never_another_subject() {
    let slots = NonZeroU32::new(u32::MAX).unwrap();
    let tag = Subject::tag("/a").unwrap();
    let path = Subject::path("/a").unwrap();
    assert_ne!(tag.slot(slots), path.slot(slots));
    assert_ne!(
        Subject::tag("path:/a").unwrap().slot(slots),
        path.slot(slots)
    );
}

#[test]
fn slots_are_stable() {
    // The slot of a subject is where a store keeps its tokens.
    let slot = |subject: Subject| subject.slot(NonZeroU32::new(256).unwrap());
    assert_eq!(slot(Subject::tag("posts").unwrap()), 133);
    assert_eq!(slot(Subject::below("/").unwrap()), 103);
}
