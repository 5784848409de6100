use super::*;

fn part(id: &str, pattern: Option<&str>, imports: &[&str]) -> Part {
    Part {
        component: id.to_owned(),
        pattern: pattern.map(str::to_owned),
        wasi: Some("0.3"),
        bytes: Some(100_000),
        imports: imports.iter().map(|import| (*import).to_owned()).collect(),
        memories: 1,
        ..Part::default()
    }
}

fn app(routes: Vec<Part>) -> AppReport {
    let router = part("router", None, &["wasi:http/client@0.3.0"]);
    AppReport {
        root: ".".to_owned(),
        components: [router].into_iter().chain(routes).collect(),
    }
}

/// The verdicts, in the order of the hosts.
fn verdicts(app: &AppReport) -> [Verdict; 5] {
    let reports = hosts(app, &[], &[]);
    let verdicts: Vec<Verdict> = reports.iter().map(|report| report.verdict).collect();
    verdicts.try_into().expect("there are five hosts")
}

const PLAIN: [&str; 2] = ["wasi:http/types@0.3.0", "wasi:cli/environment@0.2.6"];

#[test]
fn plain_routes_run_everywhere() {
    use Verdict::{NotTried, Yes};
    let app = app(vec![part("hello", Some("/hello"), &PLAIN)]);
    assert_eq!(verdicts(&app), [Yes, Yes, NotTried, Yes, Yes]);
}

#[test]
fn each_import_is_judged_by_each_host() {
    use Verdict::{No, NotTried, Yes};
    for (import, expected) in [
        (
            "spin:key-value/key-value@3.0.0",
            [Yes, Yes, NotTried, No, No],
        ),
        ("spin:sqlite/sqlite@3.1.0", [No, Yes, No, No, No]),
        ("spin:redis/redis@3.0.0", [No, Yes, NotTried, No, No]),
        (
            "wasi:keyvalue/store@0.2.0-draft2",
            [No, Yes, NotTried, No, No],
        ),
        ("wasi:filesystem/types@0.3.0", [Yes, Yes, NotTried, No, No]),
        ("wasi:nn/graph@0.2.0", [No, No, No, No, No]),
        ("plain", [No, No, No, No, No]),
    ] {
        let app = app(vec![part("a", Some("/a"), &[import])]);
        assert_eq!(verdicts(&app), expected, "{import}");
    }
}

#[test]
fn too_many_routes_are_not_composed() {
    use Verdict::{No, NotTried, Yes};
    let routes = |count| (0..count).map(|_| part("a", Some("/a"), &PLAIN)).collect();
    assert_eq!(verdicts(&app(routes(98)))[3], Yes);
    assert_eq!(verdicts(&app(routes(99))), [Yes, Yes, NotTried, No, No]);
    assert_eq!(verdicts(&app(routes(0)))[3], No);
    // An environment takes as much room as a route.
    let mut full: Vec<Part> = routes(98);
    full[0].has_environment = true;
    assert_eq!(verdicts(&app(full))[3], No);
}

#[test]
fn a_component_made_elsewhere_is_composed_for_its_own_version_alone() {
    use Verdict::{No, NotTried, Yes};
    let mut made = part("a", Some("/a"), &PLAIN);
    made.is_prebuilt = true;
    let app = |part| app(vec![part]);
    let expected = [Yes, Yes, NotTried, Yes, No];
    assert_eq!(verdicts(&app(made.clone())), expected);
    made.wasi = Some("0.2");
    let expected = [Yes, Yes, NotTried, No, Yes];
    assert_eq!(verdicts(&app(made)), expected);
}

#[test]
fn size_counts_where_it_is_limited() {
    use Verdict::{No, NotTried, Yes};
    let mut large = part("a", Some("/a"), &PLAIN);
    large.bytes = Some(60 << 20);
    assert_eq!(verdicts(&app(vec![large]))[2], No);
    let mut large = part("a", Some("/a"), &PLAIN);
    large.memories = 40;
    assert_eq!(verdicts(&app(vec![large])), [Yes, No, No, Yes, Yes]);
    let small = part("a", Some("/a"), &PLAIN);
    assert_eq!(verdicts(&app(vec![small]))[2], NotTried);
}

#[test]
fn components_that_are_not_built_are_not_judged() {
    let mut missing = part("a", Some("/a"), &[]);
    missing.fault = Some("not built".to_owned());
    let sqlite = part("b", Some("/b"), &["spin:sqlite/sqlite@3.1.0"]);
    let app = app(vec![missing, sqlite]);
    assert_eq!(verdicts(&app)[0], Verdict::No);
    assert_eq!(verdicts(&app)[1], Verdict::Unknown);
}

#[test]
fn refusals_of_the_manifest_are_obstacles() {
    let refusal = Fault::error("`sqlite_databases` is not supported").file("spin.toml:7");
    let app = app(vec![part("a", Some("/a"), &PLAIN)]);
    let reports = hosts(&app, &[], &[refusal]);
    assert_eq!(reports[0].verdict, Verdict::No);
    let expected = "spin.toml:7: `sqlite_databases` is not supported";
    assert_eq!(reports[0].obstacles[0].what, expected);
    assert_eq!(reports[1].verdict, Verdict::Yes);
}

#[test]
fn a_router_that_caches_needs_a_shared_store() {
    let noted = |imports: &[&str]| {
        let mut app = app(vec![part("hello", Some("/hello"), &PLAIN)]);
        app.components[0] = part("router", None, imports);
        let reports = hosts(&app, &[], &[]);
        let spin = reports.iter().find(|report| report.host == SPIN_HOST);
        let note = spin.and_then(|report| report.note).unwrap_or_default();
        note.contains("Redis")
    };
    assert!(!noted(&["wasi:http/client@0.3.0"]));
    assert!(noted(&[
        "wasi:http/client@0.3.0",
        "spin:key-value/key-value@3.0.0"
    ]));
}
