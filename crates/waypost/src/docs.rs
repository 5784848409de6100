//! The pages in `docs/`, so that `cargo test` compiles and runs their examples. Nothing here is
//! part of the crate.
//!
//! A page about a feature is there with it: `cargo test -p waypost --doc --features spin,tower,user-agent`.

macro_rules! pages {
    ($($(#[$condition:meta])* $page:ident = $file:literal;)*) => {$(
        $(#[$condition])*
        #[doc = include_str!(concat!("../../../docs/", $file))]
        #[allow(dead_code)]
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
    Streaming = "streaming.md";
    Testing = "testing.md";
    Webhooks = "webhooks.md";
    #[cfg(feature = "spin")]
    Stores = "stores.md";
    #[cfg(feature = "user-agent")]
    UserAgent = "user-agent.md";
    #[cfg(feature = "tower")]
    Tower = "tower.md";
}
