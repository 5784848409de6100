//! The limit on the size of a request body.

use super::LargeBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::error::Error as StdError;
use wasmtime_wasi_http::{Error, WasiBody};

/// Returns a body that fails after `limit` bytes, and the flag that it raises then.
pub(crate) fn limited(body: WasiBody, limit: u64) -> (WasiBody, LargeBody) {
    let too_large = LargeBody::default();
    let fault = too_large.clone();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let body = Limited::new(body, limit).map_err(move |error| own_error(error, &fault));
    (body.boxed_unsync(), too_large)
}

fn own_error(error: Box<dyn StdError + Send + Sync>, too_large: &LargeBody) -> Error {
    if error.is::<LengthLimitError>() {
        too_large.raise();
        return Error::HttpRequestBodySize(None);
    }
    match error.downcast() {
        Ok(error) => *error,
        Err(other) => Error::InternalError(Some(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::body::full;

    #[tokio::test]
    async fn a_body_over_the_limit_fails_and_says_so() {
        for (limit, is_too_large) in [(5, false), (4, true), (0, true)] {
            let (body, too_large) = limited(full("piece"), limit);
            assert_eq!(body.collect().await.is_err(), is_too_large, "{limit}");
            assert_eq!(too_large.is_raised(), is_too_large, "{limit}");
        }
    }
}
