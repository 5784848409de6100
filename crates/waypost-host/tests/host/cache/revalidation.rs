//! What handlers revalidate.

use super::super::support::logged;
use super::{ask, get, revalidate, serve, until_new};
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_is_revalidated_is_new_for_the_next_request() {
    let app = serve("changed", "tags = [\"all\", \"item-{rest}\"]", "").await;
    for (what, concerns) in [
        ("tag!:all", true),
        ("tag!:item-a", true),
        ("tag!:item-b", false),
        ("path!:/cached/a", true),
        ("path!:/cached/a/", true),
        ("path!:/cached", false),
        ("below!:/cached", true),
        ("below!:/", true),
        ("below!:/other", false),
        ("route!:/cached/%5B...rest%5D", true),
        ("route!:/cached", false),
    ] {
        let (_, old) = ask(&app, "/cached/a").await;
        assert_eq!(ask(&app, "/cached/a").await.0, "HIT");
        revalidate(&app, what).await;
        let (outcome, new) = ask(&app, "/cached/a").await;
        let expected = if concerns { "MISS" } else { "HIT" };
        assert_eq!(
            (outcome.as_str(), new != old),
            (expected, concerns),
            "{what}"
        );
    }
    // A soft change serves the old response once more.
    let (_, old) = ask(&app, "/cached/a").await;
    revalidate(&app, "tag:all").await;
    assert_eq!(ask(&app, "/cached/a").await, ("STALE".into(), old.clone()));
    until_new(&app, "/cached/a", &old).await;
    app.stopped().await;
}

#[tokio::test]
async fn a_tag_of_a_response_invalidates_it() {
    let app = serve("own-tag", "", "").await;
    let (_, old) = ask(&app, "/cached/tagged").await;
    assert_eq!(ask(&app, "/cached/tagged").await.0, "HIT");
    revalidate(&app, "tag!:own").await;
    let (outcome, new) = ask(&app, "/cached/tagged").await;
    assert_eq!(outcome, "MISS");
    assert_ne!(new, old);
    app.stopped().await;
}

#[tokio::test]
async fn an_invalidation_during_a_run_concerns_its_response() {
    let app = serve("during", "tags = [\"all\"]", "").await;
    let (old, ()) = futures::join!(ask(&app, "/cached/slow"), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        revalidate(&app, "tag!:all").await;
        // Whoever comes now does not get what was begun before.
        let (_, new) = ask(&app, "/cached/slow").await;
        assert_eq!(ask(&app, "/cached/slow").await, ("HIT".into(), new));
    });
    let (_, now) = ask(&app, "/cached/slow").await;
    assert_ne!(now, old.1);
    app.stopped().await;
}

#[tokio::test]
async fn a_malformed_revalidation_is_logged_and_the_others_count() {
    let app = serve("malformed", "", "").await;
    let (_, old) = ask(&app, "/cached/a").await;
    revalidate(&app, "tag!:,path!:nowhere,nonsense,path!:/cached/a").await;
    assert_ne!(ask(&app, "/cached/a").await.1, old);
    assert!(logged(&[
        "component=malformed",
        "nothing is revalidated",
        "nowhere"
    ]));
    app.stopped().await;
}

#[tokio::test]
async fn what_is_left_of_a_tag_ends_after_a_time() {
    let app = serve("left", "tags = [\"all\"]", "").await;
    let (_, old) = ask(&app, "/cached/once").await;
    let (_, other) = ask(&app, "/cached/a").await;
    revalidate(&app, "tag+1:all").await;
    assert_eq!(ask(&app, "/cached/once").await, ("STALE".into(), old));
    assert_eq!(ask(&app, "/cached/a").await.0, "STALE");
    until_new(&app, "/cached/a", &other).await;
    let (_, new) = ask(&app, "/cached/a").await;
    // The refresh of this one failed, so it is the old one that ends.
    let began = Instant::now();
    while get(&app, "/cached/once", &[]).await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What was made since then stays.
    assert_eq!(ask(&app, "/cached/a").await, ("HIT".into(), new));
    app.stopped().await;
}
