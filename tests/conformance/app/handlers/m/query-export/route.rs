//! `/m/query-export`: QUERY is no method of a route, so `export!` would not take a handler of it.

async fn get() -> &'static str {
    "GET"
}

waypost::export!(get);
