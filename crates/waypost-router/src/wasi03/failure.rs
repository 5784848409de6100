//! The answer of a handler that failed, where the host gives it no id.
//!
//! On Spin a handler that traps looks like a 500 without headers and body. Its client gets what it gets on
//! Waypost's host: the request's id, and the length of a body that there is not.

use wasip3::http::types::{ErrorCode, Fields, Response};
use wasip3::wit_bindgen::rt::async_support::{StreamReader, StreamResult};
use wasip3::{wit_future, wit_stream};

use crate::{Destination, Headers};

/// The header that ties a response to the log.
const REQUEST_ID: &str = "x-request-id";

/// How much of a body is passed on at once.
const PIECE: usize = 16 * 1024;

/// Passes a response on. One of a server error gets the id of its request, unless it has one.
///
/// # Errors
///
/// When the headers can't be copied.
pub(super) async fn named(
    response: Response,
    id: &str,
    handler: &Destination,
) -> Result<Response, ErrorCode> {
    let status = response.get_status_code();
    if status < 500 || response.get_headers().has(REQUEST_ID) {
        return Ok(response);
    }
    let mut headers: Headers = response.get_headers().copy_all();
    let is_bare = status == 500 && headers.is_empty();
    headers.push((REQUEST_ID.to_owned(), id.as_bytes().to_vec()));
    let (_, result) = wit_future::new(|| Ok(()));
    let (body, trailers) = Response::consume_body(response, result);
    // What a handler answers by itself goes on as it comes.
    let contents = match is_bare {
        true => unless_empty(body).await,
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

/// Gives a body that has the same bytes, if there are any.
async fn unless_empty(mut body: StreamReader<u8>) -> Option<StreamReader<u8>> {
    let mut piece = next(&mut body).await?;
    let (mut writer, reader) = wit_stream::new();
    wasip3::spawn(async move {
        // What is left over was not wanted any more.
        while writer.write_all(piece).await.is_empty() {
            match next(&mut body).await {
                Some(more) => piece = more,
                None => break,
            }
        }
    });
    Some(reader)
}

/// Reads what there is next, until the end.
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
