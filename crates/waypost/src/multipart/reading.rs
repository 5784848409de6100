//! The parser of a form, and the body that it is fed from.
//!
//! multer takes whatever its stream has ready before it gives anything back: of a client that is faster
//! than the handler it would hold the whole upload. So its stream is a channel, and the next chunk of
//! the body goes in only once the parser has nothing more to give. The channel is also what a parser
//! that wants a `Send` stream can have: a [`Body`] is none.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::{Stream, StreamExt, ready};
use http::{HeaderMap, header};

use super::disposition::Disposition;
use crate::{Body, FormLimits, RequestError};

/// How many bytes may come in without anything coming out: what stands before the first part, or the
/// headers of one. multer itself sets no bound to them. Browsers send some hundred bytes.
const UNPARSED_LIMIT: usize = 64 * 1024;

/// A form while it is read.
pub(super) struct Reading {
    parser: multer::Multipart<'static>,
    feed: Feed,
    /// The field that the parser is in, until its end.
    field: Option<multer::Field<'static>>,
    /// How many fields there were, this one among them.
    fields: usize,
    limits: FormLimits,
}

/// What a field says of itself before its content.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) headers: HeaderMap,
    /// Which field it is, counted from one.
    pub(super) number: usize,
    /// How many bytes of it may be held, unless the handler says otherwise.
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

    /// Skips the rest of the field that the parser is in, and reads the head of the next one.
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
            name: name.ok_or_else(|| RequestError::Form("a part has no name".to_owned()))?,
            limit: match file_name {
                Some(_) => crate::DEFAULT_BODY_LIMIT,
                None => self.limits.text,
            },
            file_name,
            headers: field.headers().clone(),
            number: self.fields,
        })
    }

    /// Reads on in the field of this number.
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

/// Gives the parser the chunks of the body.
struct Feed {
    body: Body,
    /// Where the parser gets them from; gone after the last one.
    chunks: Option<UnboundedSender<Bytes>>,
    /// How many bytes there were.
    read: u64,
    limit: usize,
    /// How many bytes the parser got since it last gave something back.
    unparsed: usize,
}

impl Feed {
    fn new(body: Body, chunks: UnboundedSender<Bytes>, limit: usize) -> Self {
        Self {
            body,
            chunks: Some(chunks),
            read: 0,
            limit,
            unparsed: 0,
        }
    }

    /// Asks the parser; where it needs more, gives it one chunk of the body, and asks again.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut parse: impl FnMut(&mut Context<'_>) -> Poll<Result<T, multer::Error>>,
    ) -> Poll<Result<T, RequestError>> {
        loop {
            // Only a chunk can bring the parser on, so nobody needs to be woken for it.
            if let Poll::Ready(parsed) = parse(&mut Context::from_waker(Waker::noop())) {
                self.unparsed = 0;
                return Poll::Ready(parsed.map_err(not_well_formed));
            }
            ready!(self.poll_more(cx))?;
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), RequestError>> {
        let Some(chunks) = &self.chunks else {
            let why = "it broke off".to_owned();
            return Poll::Ready(Err(RequestError::Form(why)));
        };
        if self.unparsed > UNPARSED_LIMIT {
            let why = format!("a part has no head within {UNPARSED_LIMIT} bytes");
            return Poll::Ready(Err(RequestError::Form(why)));
        }
        let Some(chunk) = ready!(self.body.poll_next_unpin(cx)).transpose()? else {
            self.chunks = None;
            return Poll::Ready(Ok(()));
        };
        self.read += chunk.len() as u64;
        self.unparsed += chunk.len();
        if self.read > self.limit as u64 {
            return Poll::Ready(Err(RequestError::TooLarge(self.limit)));
        }
        // The parser holds the other end, and lives as long as this one.
        let _ = chunks.unbounded_send(chunk);
        Poll::Ready(Ok(()))
    }
}

pub(super) fn not_well_formed(error: multer::Error) -> RequestError {
    RequestError::Form(error.to_string())
}
