//! Server-sent events: [`Event`], and [`keep_alive`] for streams with long pauses.
//!
//! [`Response::events`](crate::Response::events) sends a stream of them.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use futures::{Stream, StreamExt, stream};
use serde::Serialize;

use crate::body::BoxError;
use crate::body::Chunk;
use crate::time::sleep;

/// One event of a [`Response::events`](crate::Response::events) stream.
///
/// The [HTML standard](https://html.spec.whatwg.org/multipage/server-sent-events.html) specifies how a client reads
/// it.
///
/// # Examples
///
/// ```
/// use waypost::sse::Event;
///
/// let event = Event::new("two\nlines").named("tick").with_id("7");
/// assert_eq!(event.to_string(), "id: 7\nevent: tick\ndata: two\ndata: lines\n\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    id: Option<String>,
    name: Option<String>,
    retry: Option<u64>,
    comment: Option<String>,
    data: Option<String>,
    /// Why the data could not be serialized. Such an event breaks the stream off.
    fault: Option<String>,
}

impl Event {
    /// Creates an event with this data, which may have several lines.
    pub fn new(data: impl Into<String>) -> Self {
        Self {
            data: Some(data.into()),
            ..Self::default()
        }
    }

    /// Creates an event whose data is `value` as JSON, on one line.
    ///
    /// A value that can't be serialized breaks the stream off, as a failing [`Chunk`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::sse::Event;
    ///
    /// assert_eq!(Event::json(&[1, 2]).to_string(), "data: [1,2]\n\n");
    /// ```
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_string(value) {
            Ok(json) => Self::new(json),
            Err(error) => Self {
                fault: Some(error.to_string()),
                ..Self::default()
            },
        }
    }

    /// Creates a comment. Clients ignore it, but it keeps the connection alive.
    pub fn comment(text: impl Into<String>) -> Self {
        Self {
            comment: Some(text.into()),
            ..Self::default()
        }
    }

    /// Sets the name: the client dispatches the event to the listeners of that name. Line breaks are removed.
    #[must_use]
    pub fn named(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(one_line(name.as_ref()));
        self
    }

    /// Sets the id, which a client that reconnects sends as `Last-Event-ID`. Line breaks and NUL are removed.
    #[must_use]
    pub fn with_id(mut self, id: impl AsRef<str>) -> Self {
        self.id = Some(one_line(id.as_ref()));
        self
    }

    /// Sets how long the client waits before it reconnects, in milliseconds.
    #[must_use]
    pub fn with_retry(mut self, milliseconds: u64) -> Self {
        self.retry = Some(milliseconds);
        self
    }
}

/// Adds a comment to a stream of events whenever it was silent for this long, so that proxies keep the connection
/// open and a client that disconnected is noticed.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures::stream;
/// use waypost::sse::{Event, keep_alive};
/// use waypost::Response;
///
/// async fn get() -> Response {
///     let events = stream::pending::<Event>();
///     Response::events(keep_alive(events, Duration::from_secs(15)))
/// }
/// ```
pub fn keep_alive<S>(events: S, silence: Duration) -> impl Stream<Item = Event>
where
    S: Stream<Item = Event>,
{
    stream::unfold(Box::pin(events), move |mut events| async move {
        let timer = pin!(sleep(silence));
        let event = match select(events.next(), timer).await {
            Either::Left((event, _)) => event?,
            Either::Right(_) => Event::comment(""),
        };
        Some((event, events))
    })
}

/// The event in its wire format.
impl Chunk for Event {
    fn into_bytes(self) -> Result<Bytes, BoxError> {
        match self.fault {
            Some(fault) => Err(fault.into()),
            None => Ok(self.to_string().into()),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, "", self.comment.as_deref())?;
        write_lines(f, "id", self.id.as_deref())?;
        write_lines(f, "event", self.name.as_deref())?;
        if let Some(retry) = self.retry {
            writeln!(f, "retry: {retry}")?;
        }
        write_lines(f, "data", self.data.as_deref())?;
        f.write_str("\n")
    }
}

fn write_lines(f: &mut fmt::Formatter<'_>, field: &str, text: Option<&str>) -> fmt::Result {
    let Some(text) = text else { return Ok(()) };
    // A lone carriage return ends a line too (HTML standard, section 9.2.5).
    let text = text.replace("\r\n", "\n");
    text.split(['\n', '\r'])
        .try_for_each(|line| writeln!(f, "{field}: {line}"))
}

fn one_line(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '\0'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_cannot_be_broken_out_of() {
        let event = Event::new("a\r\nb\rc\n\ndata: d")
            .named("x\ndata: y")
            .with_id("1\r2\0");
        let text = "id: 12\nevent: xdata: y\ndata: a\ndata: b\ndata: c\ndata: \ndata: data: d\n\n";
        assert_eq!(event.to_string(), text);
    }

    #[test]
    fn json_that_cannot_be_written_cuts_the_stream() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        let events = [Event::json("a\nb"), Event::json(&map)];
        let body = crate::Body::from_iter(events);
        let sent: Vec<_> = crate::test::block_on(body.collect());
        assert_eq!(sent[0].as_ref().unwrap(), "data: \"a\\nb\"\n\n");
        assert!(sent[1].is_err());
    }

    #[test]
    fn silence_is_filled_with_comments() {
        let events = stream::once(async { Event::new("a") }).chain(stream::pending());
        let filled = keep_alive(events, Duration::from_millis(1)).take(2);
        let filled: Vec<_> = crate::test::block_on(filled.collect());
        assert_eq!(filled, [Event::new("a"), Event::comment("")]);
    }

    #[test]
    fn comments_and_retry() {
        assert_eq!(Event::comment("ping").to_string(), ": ping\n\n");
        assert_eq!(
            Event::new("").with_retry(50).to_string(),
            "retry: 50\ndata: \n\n"
        );
    }
}
