//! Bodies of requests, and bodies that are known from the start.

mod client;
mod limited;

pub(crate) use client::{ClientBody, ClientFault, Unread};
pub(crate) use limited::limited;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime_wasi_http::WasiBody;

/// Makes a body of these bytes.
pub(crate) fn full(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into()).map_err(Into::into).boxed_unsync()
}

/// Makes a body of no bytes.
pub(crate) fn empty() -> WasiBody {
    Empty::new().map_err(Into::into).boxed_unsync()
}

/// Set by a request body that exceeded its limit, for whoever sends the response: a component may make anything of the
/// error that it sees.
#[derive(Clone, Default)]
pub(crate) struct LargeBody(Arc<AtomicBool>);

impl LargeBody {
    /// Returns whether the body exceeded its limit.
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
