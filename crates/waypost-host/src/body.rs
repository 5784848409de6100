//! Bodies on their way through the host.

mod answer;
mod held;
mod limited;
mod patient;

pub(crate) use answer::{AnswerBody, first_frame};
pub(crate) use held::Held;
pub(crate) use limited::{BodyFault, LimitedBody};
pub(crate) use patient::PatientBody;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use wasmtime_wasi_http::WasiBody;

/// A body that is known from the start.
pub(crate) fn full(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into()).map_err(Into::into).boxed_unsync()
}

/// A body of no bytes.
pub(crate) fn empty() -> WasiBody {
    Empty::new().map_err(Into::into).boxed_unsync()
}
