//! Adds the request id to server errors, if the host does not.
//!
//! On Spin a handler that traps looks like a 500 without headers and body. The client gets the same response as on
//! Waypost's host: the request id, and `content-length: 0`.

use wasip3::http::types::{ErrorCode, Fields, Response};
use wasip3::wit_bindgen::rt::async_support::{StreamReader, StreamResult};
use wasip3::{wit_future, wit_stream};

use crate::fields::lower;
use crate::forwarding::is_never_passed_on;
use crate::{Destination, Headers};

/// The header by which a response can be found in the log.
const REQUEST_ID: &str = "x-request-id";

/// The most bytes of a body that are passed on at once.
const PIECE: usize = 16 * 1024;

/// Sets the request's id on a server error. The response of another server, which a handler has passed on, may have that server's id.
/// Returns all other responses unchanged.
///
/// # Errors
///
/// If the headers can't be copied.
#[expect(clippy::print_stderr, reason = "stderr is the log of a component")]
pub(super) async fn with_request_id(
    response: Response,
    id: &str,
    handler: &Destination,
) -> Result<Response, ErrorCode> {
    let status = response.get_status_code();
    if status < 500 || response.get_headers().get(REQUEST_ID) == [id.as_bytes()] {
        return Ok(response);
    }
    let mut headers: Headers = response.get_headers().copy_all();
    let is_bare = status == 500 && headers.is_empty();
    // A handler may have passed on what another server sent, and the host would refuse the whole list.
    headers.retain(|(name, _)| {
        let name = lower(name);
        name != REQUEST_ID && !is_never_passed_on(&name)
    });
    headers.push((REQUEST_ID.to_owned(), id.as_bytes().to_vec()));
    let (_, result) = wit_future::new(|| Ok(()));
    let (body, trailers) = Response::consume_body(response, result);
    // Only a 500 without headers can come from a trap. All other bodies are passed on unread.
    let contents = match is_bare {
        true => non_empty(body).await,
        false => Some(body),
    };
    if contents.is_none() {
        eprintln!("error: request {id}: the handler `{handler}` failed");
        headers.push(("content-length".to_owned(), b"0".to_vec()));
    }
    let headers = Fields::from_list(&headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (named, _sent) = Response::new(headers, contents, trailers);
    named
        .set_status_code(status)
        .map_err(|()| ErrorCode::InternalError(None))?;
    Ok(named)
}

/// Returns a body with the same bytes, or `None` if it is empty.
async fn non_empty(mut body: StreamReader<u8>) -> Option<StreamReader<u8>> {
    let mut piece = next(&mut body).await?;
    let (mut writer, reader) = wit_stream::new();
    wasip3::spawn(async move {
        // If bytes are left over, the reader is gone.
        while writer.write_all(piece).await.is_empty() {
            match next(&mut body).await {
                Some(more) => piece = more,
                None => break,
            }
        }
    });
    Some(reader)
}

/// Reads the next bytes, or returns `None` at the end.
async fn next(body: &mut StreamReader<u8>) -> Option<Vec<u8>> {
    loop {
        let (result, piece) = body.read(Vec::with_capacity(PIECE)).await;
        if !piece.is_empty() {
            return Some(piece);
        }
        if !matches!(result, StreamResult::Complete(_)) {
            return None;
        }
    }
}
