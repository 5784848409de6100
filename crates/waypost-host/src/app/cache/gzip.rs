//! The gzip form of a stored body: made when a client first asks for it, and kept with the response.

use super::ResponseCache;
use super::stored::Stored;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, StatusCode};
use std::io::{self, Write};
use std::sync::Arc;
use waypost_cache::Key;

/// The response that a response to a client was made of, for whoever compresses that. It is an extension of the response.
#[derive(Clone)]
pub(crate) struct MadeOf {
    pub(super) cache: Arc<ResponseCache>,
    pub(super) key: Key,
    pub(super) stored: Arc<Stored>,
}

impl MadeOf {
    /// Returns the status of the stored response.
    pub(crate) fn status(&self) -> StatusCode {
        self.stored.head.status
    }

    /// Returns the headers of the stored response, which a 304 has not all of.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.stored.head.headers
    }

    /// Returns the whole body in gzip, or `None` if it cannot be compressed. Requests that come meanwhile wait for the first one.
    pub(crate) async fn gzip(&self) -> Option<Bytes> {
        let gzip = self.stored.gzip.get_or_init(async || {
            let body = self.stored.body.clone();
            // A large body takes a while.
            let made = tokio::task::spawn_blocking(move || compress(&body));
            let gzip = self.cache.bodies.hold(made.await.ok()?.ok()?);
            // An entry keeps its weight, so another one takes its place.
            let larger = Arc::new(self.stored.with_gzip(gzip.clone()));
            self.cache.memory.replace(&self.key, &self.stored, larger);
            Some(gzip)
        });
        gzip.await.clone()
    }
}

fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}
