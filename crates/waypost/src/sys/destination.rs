//! Whom a request of a handler asks.

use http::Uri;
use http::uri::PathAndQuery;

/// The authority of the app itself. Wasmtime refuses a request without any, and Waypost's host knows this
/// one, which is Spin's
/// (<https://spinframework.dev/http-outbound#making-http-requests-within-an-application>).
const THE_APP: &str = "self.alt";

/// Gives a relative URL the authority of the app, and returns how errors name whom it asks.
pub(super) fn resolve(uri: &mut Uri) -> String {
    if let Some(authority) = uri.authority() {
        return authority.to_string();
    }
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    // A target that was parsed before is valid with an authority too.
    if let Ok(absolute) = format!("http://{THE_APP}{target}").parse() {
        *uri = absolute;
    }
    "self".to_owned()
}
