//! Answers the requests that the app's components make to each other and to the app.

use super::{App, cache};
use crate::compat::{HostProfile, spin};
use crate::request::context::RequestContext;
use crate::request::failure::{Failure, bare};
use crate::request::headers::{strip_request, strip_trailers};
use crate::wasi::dispatch::{Dispatch, PendingResponse, ready};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use std::sync::Arc;
use wasmtime_wasi_http::{Error, WasiBody};
use waypost_router::X_REQUEST_ID;

impl Dispatch for App {
    fn ask_component(
        self: Arc<Self>,
        id: String,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> PendingResponse {
        Box::new(async move {
            let response = self.component(&id, request, context).await?;
            Ok(ready(response))
        })
    }

    fn ask_app(
        self: Arc<Self>,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> PendingResponse {
        Box::new(async move {
            let response = self.front(request, context).await?;
            Ok(ready(response))
        })
    }
}

impl App {
    async fn component(
        self: &Arc<Self>,
        id: &str,
        request: Request<WasiBody>,
        context: RequestContext,
    ) -> Result<Response<WasiBody>, Error> {
        let component = self.components.get(id).ok_or(Error::DestinationNotFound)?;
        let request = match self.profile {
            HostProfile::Waypost => request,
            HostProfile::Spin => match with_parts(request, spin::chain) {
                Ok(request) => request,
                Err(error) => {
                    let failure = Failure::Returned(error.to_string());
                    return Ok(self.fail(component, &failure, &context));
                }
            },
        };
        Ok(cache::answer(self, component, request, context)
            .await
            .response)
    }

    async fn front(
        self: &Arc<Self>,
        mut request: Request<WasiBody>,
        context: RequestContext,
    ) -> Result<Response<WasiBody>, Error> {
        let path = request.uri().path();
        let component = self.route(path).ok_or(Error::DestinationNotFound)?;
        match self.profile {
            HostProfile::Waypost => {
                // Here a component is a client: it may not set the headers that only the host sets.
                strip_request(request.headers_mut());
                request = request.map(|body| {
                    let strip = |mut frame: Frame<Bytes>| {
                        frame.trailers_mut().into_iter().for_each(strip_trailers);
                        frame
                    };
                    body.map_frame(strip).boxed_unsync()
                });
                let id = context.id.header_value();
                request.headers_mut().insert(X_REQUEST_ID, id);
            }
            HostProfile::Spin => {
                let trigger = self.manifest.trigger_for(path);
                let route = &trigger.ok_or(Error::DestinationNotFound)?.route;
                request = match with_parts(request, |parts| spin::ask_self(parts, route)) {
                    Ok(request) => request,
                    Err(_) => return Ok(bare(StatusCode::INTERNAL_SERVER_ERROR)),
                };
            }
        }
        let (reply, _) = self.enter(component, request, context, None).await;
        Ok(reply.response)
    }
}

fn with_parts<E>(
    request: Request<WasiBody>,
    change: impl FnOnce(&mut Parts) -> Result<(), E>,
) -> Result<Request<WasiBody>, E> {
    let (mut parts, body) = request.into_parts();
    change(&mut parts)?;
    Ok(Request::from_parts(parts, body))
}
