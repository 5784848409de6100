//! Compressed bodies of requests and fetched responses.

use waypost::error::RequestError;
use waypost::{Request, Response, test};

/// The content codings that a body is read in. The first byte of the input chooses one.
const CODINGS: [&str; 5] = ["gzip", "deflate", "br", "zstd", "br, zstd"];

/// Checks that a compressed body is decoded within the limit or refused, and that requests and responses agree.
///
/// The input is a byte that chooses the coding, and the body.
pub fn coding(data: &[u8]) {
    let Some((index, body)) = data.split_first() else {
        return;
    };
    let coding = CODINGS[usize::from(*index) % CODINGS.len()];
    let request = Request::post("/", body.to_vec()).with_header("content-encoding", coding);
    let response = Response::new(body.to_vec()).with_header("content-encoding", coding);
    let of_request = test::block_on(request.text());
    let of_response = test::block_on(response.text());
    match of_request {
        Ok(text) => assert_eq!(text, of_response.unwrap()),
        Err(RequestError::ContentEncoding(_)) => assert!(coding.contains("br") || coding == "zstd"),
        Err(_) => assert!(of_response.is_err()),
    }
}
