//! The cache over a store in memory, with a clock that the test sets.

mod serving;
mod store;

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
