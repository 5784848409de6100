//! Reading `multipart/form-data` ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)) field by field while it
//! arrives. For a form that fits into memory, [`FormData`](crate::form::FormData) is simpler.
//!
//! Only one chunk of the body is in memory at a time, whatever the size of the upload and the speed of the client.
//! Asking for the next field skips the unread rest of the current one.

mod disposition;
mod field;
mod reading;

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;

use crate::Body;
use crate::error::RequestError;
use crate::extract::{Exchange, FromRequest};
use crate::form::FormLimits;
use crate::form::essence;
pub use field::Field;
use reading::{Reading, not_well_formed};

pub(crate) const MEDIA_TYPE: &str = "multipart/form-data";

/// The fields of a `multipart/form-data` body, one after another. It comes from [`Request::multipart`], or is an
/// argument of a handler.
///
/// [`Request::multipart`]: crate::Request::multipart
///
/// # Examples
///
/// A file of a form is streamed to a store while it arrives:
///
/// ```no_run
/// use waypost::multipart::Multipart;
/// use waypost::{Error, Result, fetch};
///
/// async fn post(mut form: Multipart) -> Result {
///     while let Some(field) = form.next_field().await? {
///         if field.name() == "backup" {
///             return Ok(fetch("https://store.example.com/new").method("PUT").body(field).await?);
///         }
///     }
///     Err(Error::new(400, "`backup` is missing"))
/// }
/// ```
pub struct Multipart(Rc<RefCell<Reading>>);

impl Multipart {
    pub(crate) fn new(
        content_type: Option<&str>,
        body: Body,
        limits: FormLimits,
    ) -> Result<Self, RequestError> {
        let form = content_type.filter(|found| essence(found).eq_ignore_ascii_case(MEDIA_TYPE));
        let Some(form) = form else {
            return Err(RequestError::ContentType {
                expected: "`multipart/form-data`",
                found: content_type.map(str::to_owned),
            });
        };
        if body.is_used() {
            return Err(RequestError::BodyUsed);
        }
        let boundary = multer::parse_boundary(form).map_err(not_well_formed)?;
        let reading = Reading::new(boundary, body, limits);
        Ok(Self(Rc::new(RefCell::new(reading))))
    }

    /// Waits for the next field, or returns `None` after the last one. The unread rest of the field before is
    /// skipped, and can't be read any more.
    ///
    /// # Errors
    ///
    /// [`RequestError::Form`] if the form is malformed, [`RequestError::TooLarge`] and [`RequestError::TooManyFields`]
    /// beyond the limits, [`RequestError::Incomplete`] if the client disconnected.
    pub async fn next_field(&mut self) -> Result<Option<Field>, RequestError> {
        let head = poll_fn(|cx| self.0.borrow_mut().poll_next_field(cx)).await?;
        Ok(head.map(|head| Field::new(head, Rc::clone(&self.0))))
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Multipart {
    async fn from_request(exchange: &mut Exchange) -> crate::Result<Self> {
        Ok(exchange.request().multipart()?)
    }
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multipart").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::Poll;

    use futures::StreamExt;

    use super::*;
    use crate::Request;
    use crate::test::block_on;

    const CHUNK: usize = 64 * 1024;

    fn form(body: impl Into<Body>, limits: FormLimits) -> Multipart {
        let content_type = "multipart/form-data; boundary=X";
        let request = Request::post("/", body).with_header("content-type", content_type);
        request.multipart_with_limit(limits).unwrap()
    }

    /// A body of this number of chunks, each of which is ready when it is polled, and the number of bytes that were
    /// taken from it.
    fn upload(head: &'static str, chunks: usize) -> (Body, Rc<Cell<usize>>) {
        let taken = Rc::new(Cell::new(0));
        let count = Rc::clone(&taken);
        let content = std::iter::repeat_n(vec![b'x'; CHUNK], chunks);
        let body = std::iter::once(head.as_bytes().to_vec())
            .chain(content)
            .chain([b"\r\n--X--\r\n".to_vec()])
            .inspect(move |chunk| count.set(count.get() + chunk.len()));
        (Body::from_iter(body), taken)
    }

    const FILE: &str = "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\n\
        Content-Type: application/octet-stream\r\nX-Part: 1\r\n\r\n";

    #[test]
    fn a_large_upload_is_never_in_memory_as_a_whole() {
        let (body, taken) = upload(FILE, 4096); // 256 MiB
        let mut form = form(body, FormLimits::new().body(u64::MAX));
        block_on(async {
            let mut field = form.next_field().await.unwrap().unwrap();
            assert_eq!((field.name(), field.file_name()), ("f", Some("f.bin")));
            assert_eq!(field.content_type(), Some("application/octet-stream"));
            assert_eq!(field.headers()["x-part"], "1");
            let mut read = 0;
            while let Some(chunk) = field.chunk().await.unwrap() {
                read += chunk.len();
                assert!(taken.get() - read <= CHUNK, "{} of {read}", taken.get());
            }
            assert_eq!(read, 4096 * CHUNK);
            assert!(form.next_field().await.unwrap().is_none());
        });
    }

    #[test]
    fn a_limit_that_is_exceeded_is_an_error_at_once() {
        let next = async |form: &mut Multipart| form.next_field().await.unwrap().unwrap();
        let unlimited = FormLimits::new().body(u64::MAX);

        let (body, taken) = upload(FILE, 4096);
        let mut one = form(body, unlimited);
        let error = block_on(async { next(&mut one).await.bytes_with_limit(CHUNK).await });
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the field `f` is larger than 65536 bytes"
        );
        assert!(taken.get() < 3 * CHUNK);

        let (body, taken) = upload(FILE, 4096);
        let mut whole = form(body, FormLimits::from(CHUNK as u64));
        let error = block_on(async { next(&mut whole).await.bytes().await }).unwrap_err();
        assert!(
            matches!(error, RequestError::TooLarge(limit) if limit == CHUNK as u64),
            "{error}"
        );
        assert!(taken.get() < 3 * CHUNK);

        // Bytes that never become a field must not accumulate.
        for head in ["no boundary ", "--X\r\nA: "] {
            let (body, taken) = upload(head, 4096);
            let error = block_on(form(body, unlimited).next_field()).unwrap_err();
            assert_eq!(error.status(), 400, "{error}");
            assert!(taken.get() < 4 * CHUNK);
        }
    }

    const TWO: &str = "--X\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n-\r\n\
        --X\r\nContent-Disposition: form-data; name=b\r\n\r\n2\r\n--X--\r\n";

    /// Is ready only when it is polled a second time.
    async fn later() {
        let mut asked = false;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            match std::mem::replace(&mut asked, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    #[test]
    fn the_body_may_be_split_anywhere() {
        for size in 1..TWO.len() {
            let pieces = TWO.as_bytes().chunks(size).map(<[u8]>::to_vec);
            // Each comes late, so that the parser has to wait.
            let pieces = futures::stream::iter(pieces).then(async |piece| {
                later().await;
                piece
            });
            let mut form = form(Body::from_stream(pieces), FormLimits::new());
            block_on(async {
                for (name, text) in [("a", "1\r\n-"), ("b", "2")] {
                    let field = form.next_field().await.unwrap().unwrap();
                    assert_eq!(field.name(), name);
                    assert_eq!(field.text().await.unwrap(), text, "{size}");
                }
                assert!(form.next_field().await.unwrap().is_none());
            });
        }
    }

    #[test]
    fn an_unread_field_is_skipped() {
        let mut form = form(TWO, FormLimits::new());
        block_on(async {
            let mut left = form.next_field().await.unwrap().unwrap();
            let next = form.next_field().await.unwrap().unwrap();
            assert!(matches!(left.chunk().await, Err(RequestError::BodyUsed)));
            let body = Body::from(next);
            assert_eq!(body.media_type(), None);
            assert_eq!(body.bytes(10).await.unwrap(), "2");
        });
    }

    #[test]
    fn a_client_that_disconnects() {
        let pieces = [Ok(FILE), Ok("abc"), Err("gone")];
        let mut form = form(Body::from_iter(pieces), FormLimits::new());
        block_on(async {
            let mut field = form.next_field().await.unwrap().unwrap();
            assert_eq!(field.chunk().await.unwrap().unwrap(), "abc");
            let error = field.chunk().await.unwrap_err();
            assert!(matches!(error, RequestError::Incomplete(_)), "{error}");
        });
    }

    #[test]
    fn bodies_that_are_not_multipart() {
        let multipart = |request: Request| request.multipart().unwrap_err();
        assert_eq!(multipart(Request::post("/", "a=1")).status(), 415);
        let request = Request::post("/", TWO);
        let request = request.with_header("content-type", "multipart/form-data; boundary=X");
        request.body();
        assert_eq!(multipart(request).status(), 500);
    }
}
