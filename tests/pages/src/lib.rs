//! The pages in `docs/`, so that `cargo test` compiles and runs their examples:
//! `cargo test --package waypost-pages --doc --features all`.

macro_rules! pages {
    ($($(#[$condition:meta])* $page:ident = $file:literal;)*) => {$(
        $(#[$condition])*
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
    Methods = "methods.md";
    NonUi = "non-ui.md";
    Parameters = "parameters.md";
    Query = "query.md";
    Redirects = "redirects.md";
    SegmentConfig = "segment-config.md";
    #[cfg(feature = "all")]
    Stores = "stores.md";
    Streaming = "streaming.md";
    Testing = "testing.md";
    #[cfg(feature = "all")]
    Tower = "tower.md";
    #[cfg(feature = "all")]
    UserAgent = "user-agent.md";
    Webhooks = "webhooks.md";
}
