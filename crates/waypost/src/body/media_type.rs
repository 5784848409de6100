//! The media type of a body.

use std::borrow::Cow;

use crate::Response;

const TEXT: &str = "text/plain;charset=UTF-8";

/// A media type.
#[derive(Clone)]
pub(super) struct MediaType {
    text: Cow<'static, str>,
    /// Makes it the content type of a response of this body. That of plain text is known to be valid: a component
    /// that answers with nothing else does not hold the check.
    pub(super) apply: fn(Response) -> Response,
}

impl MediaType {
    /// That of text.
    pub(super) const TEXT: Self = Self {
        text: Cow::Borrowed(TEXT),
        apply: |response| response.with_line("content-type", TEXT.into()),
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
