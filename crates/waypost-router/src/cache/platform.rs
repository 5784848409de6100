//! What the cache needs of the place where it runs.

use std::time::Duration;

use super::SealedRequest;
use crate::Headers;

/// The clock, random values, the log, background work and the store of an instance.
pub trait Platform: 'static {
    /// The store.
    type Store: KeyValue;

    /// Returns the store.
    fn store(&self) -> &Self::Store;

    /// Returns the time since the Unix epoch.
    fn now(&self) -> Duration;

    /// Returns 16 random bytes.
    fn random(&self) -> [u8; 16];

    /// Waits.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()>;

    /// Does work that goes on after the response was sent.
    fn spawn(&self, work: impl Future<Output = ()> + 'static);

    /// Writes a line to the log.
    fn log(&self, line: &str);
}

/// A store of bytes. An error is a text for the log.
pub trait KeyValue {
    /// Whether other instances use the store too.
    const IS_SHARED: bool;

    /// Returns the value of a key, or `None` if it has none.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, String>>;

    /// Replaces the value of a key.
    fn set(&self, key: &str, value: Vec<u8>) -> impl Future<Output = Result<(), String>>;

    /// Removes a key. It is no error if there is none.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), String>>;
}

/// The handler of a route.
pub trait Handler: Clone + 'static {
    /// The body of its responses.
    type Stream: Stream;

    /// Runs the handler with a sealed request. A failure is the response that the client gets for it.
    fn run(&self, request: &SealedRequest) -> impl Future<Output = Reply<Self::Stream>>;

    /// Builds the response for a handler that failed after the head of its response, and logs it.
    fn failed(&self, request: &SealedRequest) -> Reply<Self::Stream>;
}

/// The body of a handler's response, unread.
pub trait Stream {
    /// Reads a body of `length` bytes. Returns `None` if it has another length, breaks off or has trailers.
    fn read(self, length: usize) -> impl Future<Output = Option<Vec<u8>>>;
}

/// A response.
pub struct Reply<S> {
    /// The status.
    pub status: u16,
    /// The headers, with lowercase names.
    pub headers: Headers,
    /// The body.
    pub body: Body<S>,
}

/// The body of a response.
pub enum Body<S> {
    /// All of it.
    Whole(Vec<u8>),
    /// That of a handler's response.
    Stream(S),
}
