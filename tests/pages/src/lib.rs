//! The pages in `docs/`, so that `cargo test` compiles and runs their examples:
//! `cargo test --package waypost-pages --doc`.

macro_rules! pages {
    ($($page:ident = $file:literal;)*) => {$(
        #[cfg(doctest)]
        #[doc = include_str!(concat!("../../../docs/", $file))]
        struct $page;
    )*};
}

pages! {
    Index = "README.md";
    Body = "body.md";
    Caching = "caching.md";
    Cookies = "cookies.md";
    Cors = "cors.md";
    Differences = "differences.md";
    DynamicSegments = "dynamic-segments.md";
    Fetch = "fetch.md";
    Forms = "forms.md";
    Headers = "headers.md";
    Logs = "logs.md";
    Methods = "methods.md";
    NonUi = "non-ui.md";
    Parameters = "parameters.md";
    Query = "query.md";
    Redirects = "redirects.md";
    SegmentConfig = "segment-config.md";
    Stores = "stores.md";
    Streaming = "streaming.md";
    Testing = "testing.md";
    Tower = "tower.md";
    UserAgent = "user-agent.md";
    Webhooks = "webhooks.md";
}
