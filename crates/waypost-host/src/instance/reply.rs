//! The response of an instance, and the work that it still does for it.

mod guest_body;
mod started_body;

use super::inline::InlineWork;
use super::lifecycle::Call;
use crate::request::admission::Place;
use bytes::Bytes;
use guest_body::GuestBody;
use http::{HeaderMap, Response};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
pub(crate) use started_body::Origin;
use started_body::StartedBody;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, WasiBody};

/// How long the head of a response may wait for the first bytes of its body.
///
/// Most bodies follow their head within microseconds: then both leave in one packet, and a body that fails at once can
/// still become a 500. A slow stream loses no more than this.
const FIRST_FRAME_TIMEOUT: Duration = Duration::from_millis(2);

/// The response of an instance. Dropping it ends the instance.
pub(crate) struct Answered {
    pub(super) response: Response<WasiBody>,
    pub(super) work: Option<InlineWork>,
    pub(super) call: Call,
}

/// The response to a request.
pub(crate) struct Reply {
    pub(crate) response: Response<WasiBody>,
    /// What the instance still does, such as sending the body; `None` if it works in a task of its own, or if no instance
    /// made the response.
    work: Option<InlineWork>,
}

impl From<Response<WasiBody>> for Reply {
    fn from(response: Response<WasiBody>) -> Self {
        Self {
            response,
            work: None,
        }
    }
}

impl Answered {
    /// Returns the headers of the response.
    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        self.response.headers_mut()
    }

    /// Accepts the response: its request goes on until the body has ended or is dropped. `place` is kept until then, and
    /// `client_left` is cancelled if the body is dropped before its end.
    pub(crate) fn accept(
        self,
        place: Option<Arc<Place>>,
        client_left: Arc<CancellationToken>,
    ) -> Reply {
        let Self {
            response,
            work,
            mut call,
        } = self;
        call.answered();
        let guard = |body| GuestBody::new(body, call, place, client_left).boxed_unsync();
        Reply {
            response: response.map(guard),
            work,
        }
    }
}

impl Reply {
    /// Waits a moment for the first frame of the body, and does the instance's work meanwhile: mostly all of it, so that it
    /// needs no task of its own. The body returned begins with that frame. If it has not the `promised` length, it fails.
    /// A failure after the first frame is logged as one of `origin`.
    ///
    /// # Errors
    ///
    /// When the body fails before its first frame.
    pub(crate) async fn start_body(
        self,
        promised: Option<u64>,
        origin: Origin,
    ) -> Result<Response<WasiBody>, Error> {
        let (parts, body) = self.response.into_parts();
        let (first, body) = match first_frame(body, self.work).await {
            // The response to HEAD, or a 304, has the length of a body that it leaves out.
            Err(Error::HttpResponseBodySize(Some(0))) if promised.is_none() => {
                (None, crate::request::body::empty())
            }
            started => started?,
        };
        let body = StartedBody::new(first, body, promised, origin)?;
        Ok(Response::from_parts(parts, body.boxed_unsync()))
    }
}

async fn first_frame(
    mut body: WasiBody,
    mut work: Option<InlineWork>,
) -> Result<(Option<Frame<Bytes>>, WasiBody), Error> {
    if body.is_end_stream() {
        return Ok((None, body));
    }
    let mut frame = poll_fn(|cx| {
        let mut frame = |cx: &mut Context<'_>| Pin::new(&mut body).poll_frame(cx);
        let Some(work) = &mut work else {
            return frame(cx);
        };
        let frame = ready!(work.poll_with(cx, frame));
        // The guest may have waited for the frame to be taken.
        work.resume();
        Poll::Ready(frame)
    });
    // Mostly the frame is there, and no timer has to be set.
    let frame = match futures::poll!(&mut frame) {
        Poll::Ready(frame) => Ok(frame),
        Poll::Pending => tokio::time::timeout(FIRST_FRAME_TIMEOUT, frame).await,
    };
    match frame {
        Ok(Some(Err(error))) => Err(error),
        Ok(Some(Ok(frame))) => Ok((Some(frame), body)),
        Ok(None) => Ok((None, crate::request::body::empty())),
        Err(_) => Ok((None, body)),
    }
}
