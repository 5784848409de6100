//! The response of most routes: their folder, and the params of the path.

use waypost::extract::Params;
use waypost::Json;

/// A route and its params, or `None` if its path has no dynamic segment.
#[derive(serde::Serialize)]
pub struct Echo {
    route: &'static str,
    params: Option<Params>,
}

/// Builds the response of a route without dynamic segments.
pub fn plain(route: &'static str) -> Json<Echo> {
    Json(Echo {
        route,
        params: None,
    })
}

/// Builds the response of a route with dynamic segments.
pub fn dynamic(route: &'static str, params: Params) -> Json<Echo> {
    Json(Echo {
        route,
        params: Some(params),
    })
}
