//! The cache over a store in memory, with a clock that the test sets.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::executor::{LocalPool, LocalSpawner};
use futures::task::LocalSpawnExt;
use waypost_cache::storable::HIT_FOR_MISS;

use super::*;
use crate::Headers;

const ROUTES: &str = "posts GET,POST /posts/[slug]\nhead GET,HEAD /head\nfree GET,POST /free\n";
const POLICIES: &str = "posts revalidate=60 expire=600 tags=posts query=page vary=accept\nhead \n";

/// What several instances share: a store, a clock and a log.
#[derive(Clone, Default)]
struct World(Rc<Inside>);

#[derive(Default)]
struct Inside {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    reads: Cell<usize>,
    writes: Cell<usize>,
    /// In seconds.
    now: Cell<u64>,
    random: Cell<u8>,
    store: Cell<Condition>,
    log: RefCell<Vec<String>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Condition {
    #[default]
    Well,
    Gone,
    /// It never answers.
    Slow,
}

#[derive(Clone)]
struct Fake {
    world: World,
    spawner: LocalSpawner,
}

impl Platform for Fake {
    type Store = World;

    fn store(&self) -> &World {
        &self.world
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_000_000 + self.world.0.now.get())
    }

    fn random(&self) -> [u8; 16] {
        let random = &self.world.0.random;
        random.set(random.get() + 1);
        [random.get(); 16]
    }

    async fn sleep(&self, _: Duration) {
        // It takes a few turns of the other work, and no time of the test's clock.
        for _ in 0..50 {
            turn().await;
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.spawner.spawn_local(work).unwrap();
    }

    fn log(&self, line: &str) {
        self.world.0.log.borrow_mut().push(line.to_owned());
    }
}

/// Lets other work go on.
async fn turn() {
    let mut has_waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut has_waited, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl World {
    async fn answer(&self, count: &Cell<usize>) -> Result<(), String> {
        count.set(count.get() + 1);
        turn().await;
        match self.0.store.get() {
            Condition::Well => Ok(()),
            Condition::Gone => Err("it is gone".to_owned()),
            Condition::Slow => std::future::pending().await,
        }
    }

    fn log(&self) -> String {
        self.0.log.borrow().join("\n")
    }

    /// Returns the number of reads and writes since the last call.
    fn counts(&self) -> (usize, usize) {
        (self.0.reads.take(), self.0.writes.take())
    }

    /// Replaces the values of the slots of responses.
    fn spoil(&self, change: impl Fn(&mut Vec<u8>)) {
        let mut values = self.0.values.borrow_mut();
        let entries = values.iter_mut().filter(|(key, _)| is_entry(key));
        entries.for_each(|(_, value)| change(value));
    }
}

fn is_entry(key: &str) -> bool {
    key.starts_with('e') && key != "epoch"
}

impl KeyValue for World {
    const IS_SHARED: bool = true;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.answer(&self.0.reads).await?;
        Ok(self.0.values.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), String> {
        self.answer(&self.0.writes).await?;
        self.0.values.borrow_mut().insert(key.to_owned(), value);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), String> {
        self.answer(&self.0.writes).await?;
        self.0.values.borrow_mut().remove(key);
        Ok(())
    }
}

/// An instance, and what it revalidates.
type Meanwhile = (Rc<ResponseCache<Fake>>, &'static str);

/// A handler that counts its runs.
#[derive(Clone, Default)]
struct Counter {
    runs: Rc<Cell<usize>>,
    status: Rc<Cell<u16>>,
    headers: Rc<RefCell<Headers>>,
    seen: Rc<RefCell<Vec<(String, Headers)>>>,
    /// A revalidation that another request makes during the run.
    meanwhile: Rc<RefCell<Option<Meanwhile>>>,
    is_broken: Rc<Cell<bool>>,
}

struct Text(Option<String>);

impl Stream for Text {
    async fn read(self, length: usize) -> Option<Vec<u8>> {
        self.0
            .map(String::into_bytes)
            .filter(|body| body.len() == length)
    }
}

impl Handler for Counter {
    type Stream = Text;

    async fn run(&self, request: &SealedRequest) -> Reply<Text> {
        self.runs.set(self.runs.get() + 1);
        let run = self.runs.get();
        let seen = (request.target.clone(), request.headers.clone());
        self.seen.borrow_mut().push(seen);
        turn().await;
        let meanwhile = self.meanwhile.borrow_mut().take();
        if let Some((cache, header)) = meanwhile {
            revalidate(&cache, header).await;
        }
        let body = format!("run {run}");
        let mut headers = self.headers.borrow().clone();
        headers.push(("content-type".to_owned(), b"text/plain".to_vec()));
        headers.push(("content-length".to_owned(), body.len().to_string().into()));
        let is_streamed = headers.iter().any(|(name, _)| name == "x-streamed");
        headers.retain(|(name, _)| !(is_streamed && name == "content-length"));
        Reply {
            status: match self.status.get() {
                0 => 200,
                status => status,
            },
            headers,
            body: Body::Stream(Text((!self.is_broken.get()).then_some(body))),
        }
    }

    fn failed(&self, _: &SealedRequest) -> Reply<Text> {
        Reply {
            status: 500,
            headers: Headers::new(),
            body: Body::Whole(Vec::new()),
        }
    }
}

async fn revalidate(cache: &ResponseCache<Fake>, header: &str) {
    let mut headers = vec![("x-waypost-revalidate".to_owned(), header.into())];
    assert!(cache.apply(&mut headers).await);
    assert_eq!(headers, []);
}

/// Some instances of a router, and a handler.
struct Test {
    pool: LocalPool,
    world: World,
    handler: Counter,
    instances: Vec<Rc<ResponseCache<Fake>>>,
}

struct Answer {
    status: u16,
    headers: Headers,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        let value = headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value);
        value.map_or("", |value| std::str::from_utf8(value).unwrap())
    }

    /// The outcome and the body.
    fn short(&self) -> String {
        format!("{} {}", self.header("x-waypost-cache"), self.body)
    }
}

impl Test {
    fn new(instances: usize) -> Self {
        let pool = LocalPool::new();
        let world = World::default();
        let new = |_| {
            let platform = Fake {
                world: world.clone(),
                spawner: pool.spawner(),
            };
            let routes = CachedRoutes::parse(ROUTES, POLICIES, Some("posts=1")).unwrap();
            Rc::new(ResponseCache::new(
                platform,
                routes,
                Some("s3cret".to_owned()),
            ))
        };
        Self {
            instances: (0..instances).map(new).collect(),
            pool,
            world,
            handler: Counter::default(),
        }
    }

    /// Sends a request to the first instance, and lets all work in the background end.
    fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(0, "GET", target, headers)
    }

    fn send(
        &mut self,
        instance: usize,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = ask(
            &self.instances[instance],
            &self.handler,
            method,
            target,
            headers,
        );
        let answer = self.pool.run_until(request);
        self.pool.run_until_stalled();
        answer
    }

    fn short(&mut self, target: &str) -> String {
        self.get(target, &[]).short()
    }

    fn revalidate(&mut self, instance: usize, header: &str) {
        let done = revalidate(&self.instances[instance], header);
        self.pool.run_until(done);
    }

    fn wait(&self, seconds: u64) {
        let now = &self.world.0.now;
        now.set(now.get() + seconds);
    }
}

/// Sends a request as the router does.
fn ask(
    cache: &Rc<ResponseCache<Fake>>,
    handler: &Counter,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> impl Future<Output = Answer> + use<> {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let headers: Headers = headers.collect();
    let plan = cache.plan(
        match target {
            "/free" => "free",
            "/head" => "head",
            _ => "posts",
        },
        &Seen {
            method,
            scheme: "https",
            authority: "Example.com:443",
            target,
            headers: &headers,
        },
    );
    let (cache, handler) = (Rc::clone(cache), handler.clone());
    async move {
        let mut reply = match plan {
            Plan::Cached(asking) => cache.answer(asking, &handler).await,
            plan => Reply {
                status: 200,
                headers: match plan {
                    Plan::Bypass(reason) => {
                        let mut headers = Headers::new();
                        ResponseCache::<Fake>::bypassed(&mut headers, &reason);
                        headers
                    }
                    _ => Headers::new(),
                },
                body: Body::Whole(b"alone".to_vec()),
            },
        };
        reply.headers.sort();
        Answer {
            status: reply.status,
            headers: reply.headers,
            body: match reply.body {
                Body::Whole(body) => String::from_utf8(body).unwrap(),
                Body::Stream(Text(body)) => body.unwrap_or_default(),
            },
        }
    }
}

#[test]
fn a_response_is_stored_and_served() {
    let mut test = Test::new(2);
    let first = test.get("/posts/a?utm=1", &[("cookie", "me"), ("accept", "text/*")]);
    assert_eq!(first.short(), "MISS run 1");
    assert_eq!(
        first.header("cache-status"),
        "waypost; fwd=uri-miss; stored"
    );
    assert_eq!(first.header("age"), "");
    let (target, headers) = test.handler.seen.borrow()[0].clone();
    assert_eq!(target, "/posts/a");
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["accept", "x-waypost-fill", "x-waypost-revalidate"]);
    test.wait(5);
    test.world.counts();
    let hit = test.send(
        1,
        "GET",
        "/posts/a",
        &[("accept", "text/*"), ("authorization", "x")],
    );
    assert_eq!(hit.short(), "HIT run 1");
    assert_eq!((hit.header("age"), hit.header("vary")), ("5", "accept"));
    assert_eq!(hit.header("cache-status"), "waypost; hit; ttl=55");
    assert_eq!(
        hit.header("cache-control"),
        "s-maxage=60, stale-while-revalidate=540"
    );
    assert_eq!(test.world.counts(), (2, 0), "a hit is two reads");
    assert_eq!(test.handler.runs.get(), 1);
    // What is in the key makes another response.
    for target in ["/posts/b", "/posts/a?page=2", "/posts/a"] {
        assert!(test.short(target).starts_with("MISS"), "{target}");
    }
    assert_eq!(test.handler.runs.get(), 4);
}

#[test]
fn conditions_and_ranges_are_for_each_client() {
    let mut test = Test::new(1);
    let etag = test.get("/posts/a", &[]).header("etag").to_owned();
    let not_modified = test.get("/posts/a", &[("if-none-match", &etag)]);
    assert_eq!((not_modified.status, not_modified.body.as_str()), (304, ""));
    assert_eq!(not_modified.header("content-type"), "");
    let part = test.get("/posts/a", &[("range", "bytes=1-2")]);
    assert_eq!((part.status, part.body.as_str()), (206, "un"));
    assert_eq!(part.header("content-range"), "bytes 1-2/5");
    let beyond = test.get("/posts/a", &[("range", "bytes=9-")]);
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, "bytes */5")
    );
    assert_eq!(test.get("/posts/a", &[("if-match", "\"x\"")]).status, 412);
    let head = test.send(0, "HEAD", "/posts/a", &[("range", "bytes=1-2")]);
    assert_eq!((head.status, head.header("content-length")), (200, "5"));
    assert_eq!(test.handler.runs.get(), 1);
}

#[test]
fn other_requests_do_not_use_the_cache() {
    let mut test = Test::new(1);
    for (method, target) in [("POST", "/posts/a"), ("HEAD", "/head"), ("GET", "/free")] {
        let answer = test.send(0, method, target, &[]);
        assert_eq!(answer.short(), " alone", "{method} {target}");
    }
    let draft = ("cookie", "__prerender_bypass=s3cret");
    let answer = test.get("/posts/a", &[draft]);
    assert_eq!(answer.short(), "BYPASS alone");
    assert!(answer.header("cache-control").contains("no-store"));
    let wrong = ("cookie", "__prerender_bypass=x");
    assert_eq!(test.get("/posts/a", &[wrong]).short(), "MISS run 1");
    let long = format!("/posts/{}", "a".repeat(2000));
    assert_eq!(test.short(&long), "BYPASS alone");
}

#[test]
fn a_stale_response_is_served_and_refreshed_once() {
    let mut test = Test::new(2);
    test.short("/posts/a");
    test.wait(60);
    // Both come before the refresh of either.
    let requests: Vec<_> = (0..2)
        .map(|at| ask(&test.instances[at], &test.handler, "GET", "/posts/a", &[]))
        .collect();
    let answers = test.pool.run_until(futures::future::join_all(requests));
    test.pool.run_until_stalled();
    for answer in answers {
        assert_eq!(
            (answer.short().as_str(), answer.header("age")),
            ("STALE run 1", "60")
        );
    }
    assert!(
        (2..=3).contains(&test.handler.runs.get()),
        "a lease keeps most from it"
    );
    assert!(test.short("/posts/a").starts_with("HIT run "));
    test.wait(600);
    assert!(test.short("/posts/a").starts_with("MISS run "));
}

#[test]
fn a_failed_refresh_leaves_the_old_response() {
    let mut test = Test::new(1);
    test.short("/posts/a");
    test.wait(60);
    test.handler.status.set(503);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.handler.runs.get(), 2);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.handler.runs.get(), 2, "not at once again");
    test.handler.status.set(200);
    test.wait(4);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.short("/posts/a"), "HIT run 3");
}

#[test]
fn a_refresh_that_can_not_be_stored_removes_the_old_response() {
    let mut test = Test::new(1);
    test.short("/posts/a");
    test.wait(60);
    let private = ("cache-control".to_owned(), b"private".to_vec());
    test.handler.headers.borrow_mut().push(private);
    assert_eq!(test.short("/posts/a"), "STALE run 1");
    assert_eq!(test.short("/posts/a"), "MISS run 3");
}

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
fn responses_for_one_client_are_not_stored() {
    for (name, value, detail) in [
        ("set-cookie", "a=1", "the response has set-cookie"),
        ("cache-control", "private", "cache-control: private"),
        ("x-waypost-life", "no-store", "no-store"),
        ("vary", "cookie", "varies by cookie"),
        ("x-streamed", "1", "no content-length"),
    ] {
        let mut test = Test::new(1);
        let header = (name.to_owned(), value.as_bytes().to_vec());
        test.handler.headers.borrow_mut().push(header);
        let answer = test.get("/posts/a", &[]);
        assert!(
            answer.header("cache-status").contains(detail),
            "{name}: {:?}",
            answer.headers
        );
        assert!(
            answer
                .headers
                .iter()
                .all(|(name, _)| { !name.starts_with("x-waypost-") || name == "x-waypost-cache" })
        );
        if name == "set-cookie" {
            assert_eq!(answer.header("cache-control"), "private, no-store");
        }
        assert_eq!(test.short("/posts/a"), "MISS run 2", "{name}");
        assert!(!test.world.0.values.borrow().keys().any(|key| is_entry(key)));
        let is_wanted = ["cache-control", "x-waypost-life"].contains(&name);
        assert_eq!(
            test.world.log().is_empty(),
            is_wanted,
            "{name}: {}",
            test.world.log()
        );
    }
}

#[test]
fn a_body_that_breaks_off_is_a_failure_and_not_stored() {
    let mut test = Test::new(1);
    test.handler.is_broken.set(true);
    let answer = test.get("/posts/a", &[]);
    assert_eq!((answer.status, answer.short().as_str()), (500, "MISS "));
    test.handler.is_broken.set(false);
    assert_eq!(test.short("/posts/a"), "MISS run 2");
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
