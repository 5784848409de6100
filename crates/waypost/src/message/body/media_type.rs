//! The media type of a body.

use std::borrow::Cow;

use crate::Response;

const TEXT: &str = "text/plain;charset=UTF-8";

/// A media type.
#[derive(Clone)]
pub(super) struct MediaType {
    text: Cow<'static, str>,
    /// Sets the `Content-Type` of a response with this body. A function pointer, because plain text needs no
    /// validation: a component that sends nothing else does not contain it, 16.3 kB of `/hello`.
    pub(super) apply: fn(Response) -> Response,
}

impl MediaType {
    /// The media type of text.
    pub(super) const TEXT: Self = Self {
        text: Cow::Borrowed(TEXT),
        apply: |response| response.with_known_header("content-type", TEXT.into()),
    };

    pub(super) fn new(text: Cow<'static, str>) -> Self {
        Self { text, apply }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

fn apply(response: Response) -> Response {
    match response.body().media_type().map(str::to_owned) {
        Some(media_type) => response.with_header("content-type", media_type),
        None => response,
    }
}
