//! What was revalidated, and what the store has or does not answer.

use super::*;

#[test]
fn what_is_revalidated_is_so_on_all_instances() {
    let mut test = Test::new(2);
    for (header, expected) in [
        ("tag!:posts", "MISS"),
        ("path!:/posts/a", "MISS"),
        ("below!:/", "MISS"),
        ("route!:/posts/[slug]", "MISS"),
        ("tag:posts", "STALE"),
        ("tag+300:posts", "STALE"),
        ("tag!:other,path!:/posts/b", "HIT"),
    ] {
        test.short("/posts/a");
        assert!(test.short("/posts/a").starts_with("HIT"), "{header}");
        test.revalidate(1, header);
        let after = test.short("/posts/a");
        assert!(after.starts_with(expected), "{header}: {after}");
    }
}

#[test]
fn an_unrelated_invalidation_costs_a_look_at_the_tokens_once() {
    let mut test = Test::new(2);
    test.short("/posts/a");
    test.revalidate(0, "tag!:other");
    test.world.counts();
    assert!(test.short("/posts/a").starts_with("HIT"));
    let (reads, writes) = test.world.counts();
    assert!(reads > 3 && writes == 1, "{reads} {writes}");
    assert!(test.short("/posts/a").starts_with("HIT"));
    assert_eq!(test.world.counts(), (2, 0));
    let other = test.send(1, "GET", "/posts/a", &[]).short();
    assert!(other.starts_with("HIT"));
    assert_eq!(test.world.counts(), (3, 0), "another instance has noted it");
}

#[test]
fn a_response_is_not_fresh_if_it_was_invalidated_during_its_run() {
    let mut test = Test::new(2);
    for header in ["tag!:posts", "path!:/posts/a"] {
        let cache = Rc::clone(&test.instances[1]);
        test.handler.meanwhile.replace(Some((cache, header)));
        assert!(test.short("/posts/a").starts_with("MISS"));
        assert!(test.short("/posts/a").starts_with("MISS"), "{header}");
        test.revalidate(0, "below!:/");
    }
    // A tag that only the response names.
    let own = ("x-waypost-tags".to_owned(), b"own".to_vec());
    test.handler.headers.borrow_mut().push(own);
    let cache = Rc::clone(&test.instances[1]);
    test.handler.meanwhile.replace(Some((cache, "tag!:own")));
    let answer = test.get("/posts/a", &[]);
    assert!(
        answer
            .header("cache-status")
            .contains("something was invalidated during the run")
    );
    assert!(test.short("/posts/a").starts_with("MISS"));
    assert!(test.short("/posts/a").starts_with("HIT"));
    test.revalidate(1, "tag!:own");
    assert!(test.short("/posts/a").starts_with("MISS"));
}

#[test]
fn keys_of_one_slot_are_told_apart() {
    let mut test = Test::new(1);
    assert_eq!(test.short("/posts/a"), "MISS run 1");
    let value = {
        let values = test.world.0.values.borrow();
        let found = values.iter().find(|(key, _)| is_entry(key));
        found.map(|(_, value)| value.clone()).unwrap()
    };
    // As if each key had the slot of this one.
    for slot in 0..512 {
        let key = format!("e{slot}");
        test.world.0.values.borrow_mut().insert(key, value.clone());
    }
    assert_eq!(test.short("/posts/b"), "MISS run 2");
    assert_eq!(test.short("/posts/a"), "HIT run 1");
    assert_eq!(test.short("/posts/b"), "HIT run 2");
}

#[test]
fn what_is_no_entry_of_this_version_is_a_miss() {
    for change in [
        (|value| value[3] += 1) as fn(&mut Vec<u8>),
        |value| value.truncate(40),
        |value| value.clear(),
        |value| *value.last_mut().unwrap() ^= 1,
    ] {
        let mut test = Test::new(1);
        test.short("/posts/a");
        test.world.spoil(change);
        assert_eq!(test.short("/posts/a"), "MISS run 2");
        assert_eq!(test.short("/posts/a"), "HIT run 2");
    }
    let mut test = Test::new(1);
    test.world
        .0
        .values
        .borrow_mut()
        .insert("epoch".to_owned(), b"x".to_vec());
    assert_eq!(
        (test.short("/posts/a"), test.short("/posts/a")),
        ("MISS run 1".into(), "HIT run 1".into())
    );
}

#[test]
fn another_build_does_not_serve_old_responses() {
    let mut test = Test::new(1);
    test.short("/posts/a");
    let routes = CachedRoutes::parse(ROUTES, POLICIES, Some("posts=2")).unwrap();
    let platform = test.instances[0].platform.clone();
    test.instances
        .push(Rc::new(ResponseCache::new(platform, routes, None)));
    assert_eq!(test.send(1, "GET", "/posts/a", &[]).short(), "MISS run 2");
}

#[test]
fn without_its_store_nothing_fails() {
    for condition in [Condition::Gone, Condition::Slow] {
        let mut test = Test::new(1);
        test.short("/posts/a");
        test.world.0.store.set(condition);
        for run in 2..4 {
            let answer = test.get("/posts/a", &[]);
            assert_eq!(answer.short(), format!("MISS run {run}"));
            let status = answer.header("cache-status");
            assert!(status.contains("does not answer"), "{status}");
        }
        let log = test.world.log();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(
            log.contains("the store of the response cache fails"),
            "{log}"
        );
        test.revalidate(0, "tag!:posts");
        assert!(test.world.log().contains("error: nothing is revalidated"));
        test.world.counts();
        test.short("/posts/a");
        if condition == Condition::Slow {
            assert_eq!(test.world.counts(), (0, 0), "it is left alone for a while");
        }
        test.world.0.store.set(Condition::Well);
        test.wait(2);
        assert_eq!(test.short("/posts/a"), "HIT run 1");
    }
}

#[test]
fn requests_of_an_instance_wait_for_one_run() {
    let mut test = Test::new(1);
    let ask = |test: &Test| {
        let requests =
            (0..20).map(|_| ask(&test.instances[0], &test.handler, "GET", "/posts/a", &[]));
        requests.collect::<Vec<_>>()
    };
    let answers = test.pool.run_until(futures::future::join_all(ask(&test)));
    assert_eq!(test.handler.runs.get(), 1);
    let collapsed = answers
        .iter()
        .filter(|answer| answer.header("cache-status").contains("collapsed"));
    assert_eq!(collapsed.count(), 19);
    // What proved to be uncacheable is not waited for.
    let private = ("cache-control".to_owned(), b"private".to_vec());
    test.handler.headers.borrow_mut().push(private);
    test.revalidate(0, "tag!:posts");
    test.short("/posts/a");
    test.handler.runs.set(0);
    test.pool.run_until(futures::future::join_all(ask(&test)));
    assert_eq!(test.handler.runs.get(), 20);
    test.wait(HIT_FOR_MISS.as_secs());
    test.handler.headers.borrow_mut().clear();
    assert!(test.short("/posts/a").starts_with("MISS"));
    assert!(test.short("/posts/a").starts_with("HIT"));
}

#[test]
fn a_malformed_revalidation_hides_no_other() {
    let mut test = Test::new(1);
    test.short("/posts/a");
    test.revalidate(0, "nonsense,tag!:posts,path!:nowhere");
    assert_eq!(test.short("/posts/a"), "MISS run 2");
    assert_eq!(test.world.log().lines().count(), 2, "{}", test.world.log());
}
