//! How a component's request to its own app reaches another component.

use crate::request::context::RequestContext;
use http::{Request, Response};
use std::sync::Arc;
use wasmtime_wasi_http::{Error, WasiBody};

/// What drives the connection of an outgoing request, beside the response.
pub(crate) type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// The response to an outgoing request, once it is there. Dropping it drops the request.
pub(crate) type PendingResponse =
    Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

/// Answers requests that components make to their own app, in memory.
///
/// The app implements it. Everything below knows the app as this trait alone.
pub(crate) trait Dispatch: Send + Sync + 'static {
    /// Asks the component with this id.
    fn ask_component(
        self: Arc<Self>,
        id: String,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> PendingResponse;

    /// Asks the component whose route fits, as if a client had sent the request.
    fn ask_app(
        self: Arc<Self>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> PendingResponse;
}

/// The data cache, for the instances of one version of a component. The app implements it.
pub(crate) trait DataCache: Send + Sync + 'static {
    /// Returns whether it keeps anything. Otherwise components are not told of it.
    fn is_on(&self) -> bool;

    /// Begins the session of an instance.
    fn session(self: Arc<Self>) -> Arc<dyn DataSession>;
}

/// The data cache, as one instance uses it. Dropping it ends what the instance has begun.
pub(crate) trait DataSession: Send + Sync + 'static {
    /// Answers a request for a value, or with one (see `waypost_cache::data`).
    fn ask(self: Arc<Self>, request: Request<WasiBody>, context: RequestContext)
    -> PendingResponse;

    /// Ends what the instance has begun for a request, as it has nothing left to do for it.
    fn request_ended(&self);
}

/// Makes a response that needs nothing else to be driven.
pub(crate) fn ready(response: Response<WasiBody>) -> (Response<WasiBody>, Io) {
    (response, Box::new(std::future::ready(Ok(()))))
}
