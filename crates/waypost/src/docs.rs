//! The pages in `docs/`, so that `cargo test` compiles and runs their examples. Nothing here is
//! part of the crate.
//!
//! A page about a feature is there with it: `cargo test -p waypost --doc --features spin,tower`.

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
    #[cfg(feature = "tower")]
    Tower = "tower.md";
}

/// The signed webhook needs crates that the SDK does not have. It is the example app's route, which
/// is compiled and tested there; this keeps the page's text equal to it.
///
/// ```
/// let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/webhooks.md"));
/// let route = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../handlers/webhook/route.rs"));
/// let code = &route[route.find("use ").unwrap()..];
/// assert!(page.contains(code), "docs/webhooks.md shows another route than handlers/webhook");
/// ```
#[allow(dead_code)]
struct SignedWebhook;
