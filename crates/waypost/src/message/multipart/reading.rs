//! The parser of a form, and the body that feeds it.
//!
//! multer reads everything that its stream has ready before it returns anything: if the client is faster than the
//! handler, it would buffer the whole upload. Its stream is therefore a channel, and the next chunk of the body is
//! sent into it only once the parser has nothing more to return. The channel is also `Send`, as multer requires, and
//! a [`Body`] is not.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::{Stream, StreamExt, ready};
use http::{HeaderMap, header};

use super::disposition::Disposition;
use crate::Body;
use crate::error::RequestError;
use crate::form::FormLimits;

/// How many bytes the parser may consume without returning anything: the text before the first part, or the headers
/// of a part. multer itself does not limit them. Browsers send a few hundred bytes.
const UNPARSED_LIMIT: usize = 64 * 1024;

/// A form that is being read.
pub(super) struct Reading {
    parser: multer::Multipart<'static>,
    feed: Feed,
    /// The current field, until its end.
    field: Option<multer::Field<'static>>,
    /// The number of fields so far, the current one included.
    fields: usize,
    limits: FormLimits,
}

/// The headers of a field.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) headers: HeaderMap,
    /// The index of the field, counted from one.
    pub(super) number: usize,
    /// The default limit for reading the content into memory, in bytes.
    pub(super) limit: usize,
}

impl Reading {
    pub(super) fn new(boundary: String, body: Body, limits: FormLimits) -> Self {
        let (chunks, stream) = unbounded();
        let stream = stream.map(Ok::<Bytes, Infallible>);
        Self {
            parser: multer::Multipart::new(stream, boundary),
            feed: Feed::new(body, chunks, limits.body),
            field: None,
            fields: 0,
            limits,
        }
    }

    /// Skips the rest of the current field, and reads the headers of the next one.
    pub(super) fn poll_next_field(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Head>, RequestError>> {
        while ready!(self.poll_chunk(self.fields, cx)?).is_some() {}
        let parser = &mut self.parser;
        let field = ready!(self.feed.poll(cx, |cx| parser.poll_next_field(cx)))?;
        let Some(field) = field else {
            return Poll::Ready(Ok(None));
        };
        if self.fields == self.limits.fields {
            return Poll::Ready(Err(RequestError::TooManyFields(self.limits.fields)));
        }
        self.fields += 1;
        let head = self.head(&field);
        self.field = Some(field);
        Poll::Ready(head.map(Some))
    }

    fn head(&self, field: &multer::Field<'_>) -> Result<Head, RequestError> {
        let value = field.headers().get(header::CONTENT_DISPOSITION);
        let value = value.and_then(|value| str::from_utf8(value.as_bytes()).ok());
        let Disposition { name, file_name } =
            value.and_then(Disposition::parse).unwrap_or_default();
        Ok(Head {
            name: name.ok_or_else(|| {
                RequestError::Form("a part has no `name` in `Content-Disposition`".to_owned())
            })?,
            limit: match file_name {
                Some(_) => crate::body::DEFAULT_BODY_LIMIT,
                None => self.limits.text,
            },
            file_name,
            headers: field.headers().clone(),
            number: self.fields,
        })
    }

    /// Reads the next chunk of the field with this index.
    pub(super) fn poll_chunk(
        &mut self,
        number: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, RequestError>> {
        if number != self.fields {
            return Poll::Ready(Err(RequestError::BodyUsed));
        }
        while let Some(field) = &mut self.field {
            let mut field = Pin::new(field);
            let next = |cx: &mut Context<'_>| field.as_mut().poll_next(cx).map(Option::transpose);
            match ready!(self.feed.poll(cx, next))? {
                Some(chunk) if chunk.is_empty() => {}
                Some(chunk) => return Poll::Ready(Ok(Some(chunk))),
                None => self.field = None,
            }
        }
        Poll::Ready(Ok(None))
    }
}

/// Feeds the chunks of the body to the parser.
struct Feed {
    body: Body,
    /// The parser's channel. `None` after the last chunk.
    chunks: Option<UnboundedSender<Bytes>>,
    /// The number of bytes read so far.
    read: u64,
    limit: u64,
    /// The number of bytes that the parser consumed since it last returned something.
    unparsed: usize,
}

impl Feed {
    fn new(body: Body, chunks: UnboundedSender<Bytes>, limit: u64) -> Self {
        Self {
            body,
            chunks: Some(chunks),
            read: 0,
            limit,
            unparsed: 0,
        }
    }

    /// Polls the parser. While it needs more, feeds it one chunk of the body and polls again.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut parse: impl FnMut(&mut Context<'_>) -> Poll<Result<T, multer::Error>>,
    ) -> Poll<Result<T, RequestError>> {
        loop {
            // Only a chunk makes the parser ready, so it needs no waker.
            if let Poll::Ready(parsed) = parse(&mut Context::from_waker(Waker::noop())) {
                self.unparsed = 0;
                return Poll::Ready(parsed.map_err(not_well_formed));
            }
            ready!(self.poll_more(cx))?;
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), RequestError>> {
        let Some(chunks) = &self.chunks else {
            let why = "it ended before its last boundary".to_owned();
            return Poll::Ready(Err(RequestError::Form(why)));
        };
        if self.unparsed > UNPARSED_LIMIT {
            let why = format!("the headers of a part are longer than {UNPARSED_LIMIT} bytes");
            return Poll::Ready(Err(RequestError::Form(why)));
        }
        let Some(chunk) = ready!(self.body.poll_next_unpin(cx)).transpose()? else {
            self.chunks = None;
            return Poll::Ready(Ok(()));
        };
        self.read += chunk.len() as u64;
        self.unparsed += chunk.len();
        if self.read > self.limit {
            return Poll::Ready(Err(RequestError::TooLarge(self.limit)));
        }
        // Never an error: the parser owns the receiver, and lives as long as the sender.
        let _ = chunks.unbounded_send(chunk);
        Poll::Ready(Ok(()))
    }
}

pub(super) fn not_well_formed(error: multer::Error) -> RequestError {
    RequestError::Form(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::test::block_on;

    /// A component has 32-bit addresses, and a form that is streamed through it may be larger than they reach.
    #[test]
    fn sizes_of_a_streamed_form_have_64_bits() {
        let beyond_32_bits = u64::from(u32::MAX) + 1;
        let read = |limit: u64| {
            let (chunks, _stream) = unbounded();
            let limits = FormLimits::new().body(limit);
            let mut feed = Feed::new(Body::from("abc"), chunks, limits.body);
            feed.read = beyond_32_bits;
            block_on(poll_fn(|cx| feed.poll_more(cx)))
        };
        assert!(read(beyond_32_bits + 3).is_ok());
        let error = read(beyond_32_bits + 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the body is larger than 4294967298 bytes"
        );
    }
}
