//! What most routes answer: their own folder, and the params of the path.

use waypost::{Json, Params};

/// A route, and the params that it was found with; none where its path has no dynamic segment.
#[derive(serde::Serialize)]
pub struct Echo {
    route: &'static str,
    params: Option<Params>,
}

/// Makes the answer of a route without dynamic segments.
pub fn plain(route: &'static str) -> Json<Echo> {
    Json(Echo {
        route,
        params: None,
    })
}

/// Makes the answer of a route with dynamic segments.
pub fn dynamic(route: &'static str, params: Params) -> Json<Echo> {
    Json(Echo {
        route,
        params: Some(params),
    })
}
