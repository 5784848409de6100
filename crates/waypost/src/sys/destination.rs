//! The destination of a request that a handler sends.

use http::Uri;
use http::uri::PathAndQuery;

/// The authority of the app itself, as in Spin. Wasmtime refuses a request without an authority, and Waypost's host
/// recognises this one
/// (<https://spinframework.dev/http-outbound#making-http-requests-within-an-application>).
const THE_APP: &str = "self.alt";

/// Adds the authority of the app to a relative URL. Returns the destination's name for error messages.
pub(super) fn resolve(uri: &mut Uri) -> String {
    if let Some(authority) = uri.authority() {
        return authority.to_string();
    }
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    // A target that was parsed before is also valid after an authority.
    if let Ok(absolute) = format!("http://{THE_APP}{target}").parse() {
        *uri = absolute;
    }
    "self".to_owned()
}
