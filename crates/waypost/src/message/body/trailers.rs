//! Trailers: header fields after a body ([RFC 9110 section 6.5](https://www.rfc-editor.org/rfc/rfc9110#section-6.5)).

use std::future::poll_fn;

use futures::stream;
use http::HeaderMap;

use super::{Body, BoxError, Frame};

impl Body {
    /// Adds trailers: header fields that are known only after the content, such as a checksum. `make` is called once
    /// the last chunk was sent. Trailers that the body already has are kept, unless `make` returns one of the same
    /// name.
    ///
    /// The body becomes a stream. Over HTTP/1.1, trailers are sent only if the response lists them in its `Trailer`
    /// header ([RFC 9110 section 6.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-6.6.2)) and the client sent
    /// `TE: trailers`. Otherwise they are dropped silently.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use waypost::http::HeaderMap;
    /// use waypost::{Body, Response};
    ///
    /// async fn get() -> Response {
    ///     let sum = Rc::new(Cell::new(0));
    ///     let counted = Rc::clone(&sum);
    ///     let lines = (1..=3).map(move |number| {
    ///         counted.set(counted.get() + number);
    ///         format!("{number}\n")
    ///     });
    ///     let body = Body::from_iter(lines).with_trailers(move || {
    ///         let mut trailers = HeaderMap::new();
    ///         trailers.insert("x-sum", sum.get().into());
    ///         trailers
    ///     });
    ///     Response::new(body).with_header("trailer", "x-sum")
    /// }
    /// ```
    #[must_use]
    pub fn with_trailers(self, make: impl FnOnce() -> HeaderMap + 'static) -> Self {
        if self.is_used() {
            return self; // Sending it fails with an error of its own.
        }
        let media_type = self.media_type.clone();
        let ending = Ending {
            body: self,
            trailers: HeaderMap::new(),
            make: Some(make),
        };
        let frames = stream::unfold(ending, |mut ending| async {
            let frame = ending.next().await?;
            Some((frame, ending))
        });
        Self {
            media_type,
            ..Self::from_frames(frames)
        }
    }

    /// Returns the trailers, or `None` if there are none or the body was not read to its end yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::StreamExt;
    /// use waypost::{Body, Result};
    ///
    /// async fn put(mut body: Body) -> Result<String> {
    ///     let mut length = 0;
    ///     while let Some(chunk) = body.next().await {
    ///         length += chunk?.len();
    ///     }
    ///     let checksum = body.trailers().and_then(|trailers| trailers.get("x-checksum"));
    ///     Ok(format!("{length} bytes, checksum: {checksum:?}"))
    /// }
    /// ```
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_deref()
    }
}

/// A body that ends with trailers.
struct Ending<F> {
    body: Body,
    /// The trailers of `body` itself.
    trailers: HeaderMap,
    /// Returns the added trailers. `None` once it was called.
    make: Option<F>,
}

impl<F: FnOnce() -> HeaderMap> Ending<F> {
    async fn next(&mut self) -> Option<Result<Frame, BoxError>> {
        loop {
            match poll_fn(|cx| self.body.poll_next_frame(cx)).await {
                Some(Ok(Frame::Trailers(trailers))) => self.trailers = trailers,
                Some(frame) => return Some(frame),
                None => break,
            }
        }
        let make = self.make.take()?;
        let mut trailers = std::mem::take(&mut self.trailers);
        trailers.extend(make());
        Some(Ok(Frame::Trailers(trailers)))
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;
    use crate::client::Fetch;
    use crate::test::{block_on, with_network};
    use crate::{Request, Response, fetch};

    fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().unwrap(), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    /// A body as a host passes it in.
    fn received() -> Body {
        let data = ["ab", "c"].map(|data| Ok(Frame::Data(data.into())));
        let end = Ok(Frame::Trailers(trailers(&[("x-a", "1")])));
        Body::from_frames(stream::iter(data.into_iter().chain([end])))
    }

    /// The frames that a host is given to send, on one line.
    fn sent(response: Response) -> String {
        let mut body = http::Response::<Body>::from(response).into_body();
        assert_eq!(body.len(), None);
        let mut line = Vec::new();
        while let Some(frame) = block_on(poll_fn(|cx| body.poll_next_frame(cx))) {
            line.push(match frame.unwrap() {
                Frame::Data(data) => String::from_utf8(data.to_vec()).unwrap(),
                Frame::Trailers(trailers) => format!("{trailers:?}"),
            });
        }
        line.join(" ")
    }

    #[test]
    fn trailers_pass_through() {
        let request = Request::post("/", received());
        assert_eq!(sent(Response::new(request.body())), r#"ab c {"x-a": "1"}"#);

        // Through the body of a fetched response, and of the request that fetched it.
        let upstream = async |request: Request| Response::new(request.body());
        let asked: Fetch = fetch("http://a.example/").method("POST").body(received());
        let answer = with_network(upstream, || block_on(asked.send())).unwrap();
        assert_eq!(sent(answer), r#"ab c {"x-a": "1"}"#);
    }

    #[test]
    fn trailers_that_the_handler_adds() {
        let with = |body: Body| body.with_trailers(|| trailers(&[("x-b", "2")]));
        let response = Response::new(with(Body::from("abc")));
        assert_eq!(
            response.headers()["content-type"],
            "text/plain;charset=UTF-8"
        );
        assert_eq!(sent(response), r#"abc {"x-b": "2"}"#);
        let both = sent(Response::new(with(received())));
        assert_eq!(both, r#"ab c {"x-a": "1", "x-b": "2"}"#);
        assert_eq!(sent(Response::new(with(Body::empty()))), r#"{"x-b": "2"}"#);
    }

    #[test]
    fn trailers_are_read_after_the_last_chunk() {
        let mut body = received();
        block_on(async {
            assert!(body.next().await.is_some() && body.next().await.is_some());
            assert_eq!(body.trailers(), None);
            assert!(body.next().await.is_none());
        });
        assert_eq!(body.trailers().unwrap()["x-a"], "1");
        assert_eq!(block_on(received().bytes(3)).unwrap(), "abc");
    }
}
