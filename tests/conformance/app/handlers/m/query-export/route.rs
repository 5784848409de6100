//! `/m/query-export`: a route can't implement QUERY, so `export!` rejects such a handler.

async fn get() -> &'static str {
    "GET"
}

waypost::export!(get);
