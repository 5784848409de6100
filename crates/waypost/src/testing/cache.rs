//! The data cache of a test: it answers like that of a host, with a clock of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};
use waypost_cache::data::{Target, X_WAYPOST_FRESH, X_WAYPOST_LEASE};
use waypost_cache::internal::{
    X_WAYPOST_LIFE, X_WAYPOST_TAGS, parse_life, parse_tags, write_life, write_tags,
};
use waypost_cache::revalidation::{Change, X_WAYPOST_REVALIDATE};
use waypost_cache::{Life, Revalidation, Subject, Verdict};
use waypost_routing::{Path, Pattern, Resolved};

use crate::Body;
use crate::body::Bytes;
use crate::cache::Seconds;

thread_local! {
    static CURRENT: RefCell<Option<TestCache>> = const { RefCell::new(None) };
}

/// The data cache of a test: see [`with_cache`](super::test::with_cache).
#[derive(Clone)]
pub struct TestCache(Rc<RefCell<State>>);

/// A value in the cache of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedValue {
    /// What was cached: `GET https://example.com/`, `my_crate::author [7]` with the arguments, or a key of
    /// [`Cache::get_or`](crate::Cache::get_or) as JSON.
    pub name: String,
    /// Its tags, also those of the values that it is made of.
    pub tags: Vec<String>,
    /// The time after which it is stale, or `None` if age does not make it stale.
    pub revalidate: Option<Duration>,
    /// The time after which it is not returned any more.
    pub expire: Duration,
}

#[derive(Default)]
struct State {
    values: BTreeMap<Vec<u8>, Value>,
    leases: HashMap<u64, Lease>,
    last_lease: u64,
    /// The number of revalidations, and those that were applied.
    revalidations: Vec<Revalidation>,
    now: Duration,
    /// The subjects of the path that is called.
    path: Vec<Subject>,
}

struct Value {
    bytes: Bytes,
    tags: Vec<String>,
    life: Life,
    made: Duration,
    /// How many revalidations there were before it was made.
    epoch: usize,
}

struct Lease {
    key: Vec<u8>,
    made: Duration,
    epoch: usize,
}

/// Returns whether the test has a cache.
pub(crate) fn is_set() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// Gives handlers a cache while `work` runs.
pub(super) fn with_cache<T>(work: impl FnOnce(&TestCache) -> T) -> T {
    let cache = TestCache(Rc::default());
    let before = CURRENT.replace(Some(cache.clone()));
    let done = work(&cache);
    CURRENT.set(before);
    done
}

/// Notes which path is called.
pub(super) fn calling(target: &str, pattern: &Pattern) {
    if let (Some(cache), Ok(Resolved::Path(path))) = (current(), Path::resolve(target)) {
        cache.0.borrow_mut().path = Subject::of_response(&path, pattern, &[]);
    }
}

/// Applies the revalidations of a response, as its host does.
pub(super) fn apply(headers: &[(String, Vec<u8>)]) {
    let lines = headers
        .iter()
        .filter(|(name, _)| name == X_WAYPOST_REVALIDATE);
    if let Some(cache) = current() {
        for (_, line) in lines {
            cache.apply(&String::from_utf8_lossy(line));
        }
    }
}

/// Answers a request to the cache.
pub(crate) async fn answer(request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = body.bytes(usize::MAX).await.unwrap_or_default();
    match (current(), Target::parse(head.uri.path())) {
        (Some(cache), Some(target)) => {
            cache.answer(head.method.as_str(), target, &head.headers, body)
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

fn current() -> Option<TestCache> {
    CURRENT.with_borrow(Clone::clone)
}

impl TestCache {
    /// Returns the values that are stored, in the order of their names.
    pub fn values(&self) -> Vec<CachedValue> {
        let state = self.0.borrow();
        let values = state.values.iter().map(|(key, value)| CachedValue {
            name: name(key),
            tags: value.tags.clone(),
            revalidate: value.life.revalidate(),
            expire: value.life.expire(),
        });
        values.collect()
    }

    /// Returns what was revalidated so far, in order, as [`Cache::revalidated`](crate::Cache::revalidated) does: by the
    /// responses of [`call`](super::test::call), and after them.
    pub fn revalidated(&self) -> Vec<String> {
        let all = &self.0.borrow().revalidations;
        all.iter().map(ToString::to_string).collect()
    }

    /// Makes the values older by this time, in seconds or as a [`Duration`].
    pub fn advance(&self, time: impl Seconds) {
        self.0.borrow_mut().now += Duration::from_secs(time.seconds());
    }

    fn apply(&self, header: &str) {
        let items = Revalidation::parse(header).filter_map(Result::ok);
        self.0.borrow_mut().revalidations.extend(items);
    }

    fn answer(
        &self,
        method: &str,
        target: Target,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response<Body> {
        let mut state = self.0.borrow_mut();
        match (method, target) {
            ("GET", Target::Value(key)) => state.get(key, headers),
            ("PUT", Target::Lease(number)) => state.put(number, headers, body),
            ("DELETE", Target::Lease(number)) => {
                state.leases.remove(&number);
                status(StatusCode::NO_CONTENT)
            }
            ("POST", Target::Revalidations) => {
                drop(state);
                self.apply(text(headers, X_WAYPOST_REVALIDATE).unwrap_or_default());
                status(StatusCode::NO_CONTENT)
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }
}

impl State {
    fn get(&mut self, key: Vec<u8>, headers: &HeaderMap) -> Response<Body> {
        let asked = tags(headers);
        let verdict = self
            .values
            .get(&key)
            .map(|value| self.verdict(value, &asked));
        match verdict {
            Some(Verdict::Fresh) => self.found(&key, None),
            Some(Verdict::Stale) if !headers.contains_key(X_WAYPOST_FRESH) => {
                let lease = self.lease(&key);
                self.found(&key, lease)
            }
            _ => with_lease(status(StatusCode::NOT_FOUND), self.lease(&key)),
        }
    }

    fn verdict(&self, value: &Value, asked: &[String]) -> Verdict {
        let tags = value.tags.iter().chain(asked);
        let subjects = tags.filter_map(|tag| Subject::tag(tag).ok());
        let subjects: Vec<_> = subjects.chain(self.path.iter().cloned()).collect();
        let later = self.revalidations.iter().skip(value.epoch);
        let concerned = later.filter(|revalidation| subjects.contains(&revalidation.subject));
        let verdicts = concerned.map(|revalidation| match revalidation.change {
            Change::Hard => Verdict::Gone,
            Change::Soft | Change::SoftThenHard(_) => Verdict::Stale,
        });
        let by_age = Verdict::by_age(value.made, self.now, value.life);
        verdicts.fold(by_age, Verdict::and)
    }

    fn found(&self, key: &[u8], lease: Option<u64>) -> Response<Body> {
        let Some(value) = self.values.get(key) else {
            return status(StatusCode::NOT_FOUND);
        };
        let mut response = Response::new(Body::from(value.bytes.clone()));
        let described = [
            (X_WAYPOST_TAGS, write_tags(&value.tags).unwrap_or_default()),
            (X_WAYPOST_LIFE, write_life(Some(value.life))),
        ];
        for (name, text) in described {
            if let Ok(text) = text.parse() {
                response.headers_mut().insert(name, text);
            }
        }
        with_lease(response, lease)
    }

    /// Returns a new lease, unless there is one for the key.
    fn lease(&mut self, key: &[u8]) -> Option<u64> {
        if self.leases.values().any(|lease| lease.key == key) {
            return None;
        }
        self.last_lease += 1;
        let lease = Lease {
            key: key.to_owned(),
            made: self.now,
            epoch: self.revalidations.len(),
        };
        self.leases.insert(self.last_lease, lease);
        Some(self.last_lease)
    }

    fn put(&mut self, number: u64, headers: &HeaderMap, bytes: Bytes) -> Response<Body> {
        let life = text(headers, X_WAYPOST_LIFE).and_then(|life| parse_life(life).flatten());
        let (Some(Lease { key, made, epoch }), Some(life)) = (self.leases.remove(&number), life)
        else {
            return status(StatusCode::NOT_FOUND);
        };
        let tags = tags(headers);
        self.values.insert(
            key,
            Value {
                bytes,
                tags,
                life,
                made,
                epoch,
            },
        );
        status(StatusCode::NO_CONTENT)
    }
}

/// Returns the name of a value for people: its key without the kind, the place in the source and the headers.
fn name(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key.get(1..).unwrap_or_default());
    let first = text.lines().next().unwrap_or_default();
    match first.split_once('@') {
        Some((function, rest)) if key.first() == Some(&b'f') => {
            let arguments = rest.split_once(' ').map_or("", |(_, arguments)| arguments);
            format!("{function} {arguments}")
        }
        _ => first.trim_start().to_owned(),
    }
}

fn with_lease(mut response: Response<Body>, lease: Option<u64>) -> Response<Body> {
    if let Some(lease) = lease {
        response.headers_mut().insert(X_WAYPOST_LEASE, lease.into());
    }
    response
}

fn tags(headers: &HeaderMap) -> Vec<String> {
    let tags = text(headers, X_WAYPOST_TAGS).and_then(|tags| parse_tags(tags).ok());
    tags.unwrap_or_default()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
