//! The logic of Waypost's router: chooses the handler of a request, and the headers that reach it.
//!
//! [`Router::route`] decides, without any I/O. It returns the handler, or an [`Answer`] that the router sends itself: a
//! 404, a redirect to the normal form of a path, or a 400. [`Forwarding`] removes headers that a client may not set, and
//! adds headers with the public URL and the request id. The router component (`wasi02` and `wasi03`) and
//! a host that links this crate use both, and add no logic of their own.
//!
//! The router does not check methods: each handler knows its own, and sends the 405.

#![deny(unsafe_code)]

mod answer;
#[cfg(any(feature = "cache", test))]
pub mod cache;
mod cors;
mod fields;
mod forwarding;
#[cfg(target_arch = "wasm32")]
mod instance;
mod negotiate;
mod router;
#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
pub mod wasi02;
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
pub mod wasi03;

pub use answer::Answer;
pub use fields::{Fields, Headers};
pub use forwarding::{
    Forwarded, Forwarding, TRUSTED_HEADERS, X_REQUEST_ID, is_hop_by_hop, is_reserved,
    names_internal_host, trusted_headers,
};
pub use router::{Decision, Destination, Router, RoutesError};

/// Exports the router component with this table: `waypost_router::export!(include_str!("../routes.txt"));`.
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: () = {
            struct Component;

            impl $crate::wasi03::wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: $crate::wasi03::wasip3::http::types::Request,
                ) -> ::core::result::Result<
                    $crate::wasi03::wasip3::http::types::Response,
                    $crate::wasi03::wasip3::http::types::ErrorCode,
                > {
                    $crate::dispatch!($routes, request)
                }
            }

            $crate::wasi03::wasip3::http::service::export!(
                Component with_types_in $crate::wasi03::wasip3
            );
        };
    };
}

/// Exports the router component with this table: `waypost_router::export!(include_str!("../routes.txt"));`.
#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: () = {
            struct Component;

            impl $crate::wasi02::wasip2::exports::http::incoming_handler::Guest for Component {
                fn handle(
                    request: $crate::wasi02::wasip2::http::types::IncomingRequest,
                    response: $crate::wasi02::wasip2::http::types::ResponseOutparam,
                ) {
                    $crate::dispatch!($routes, request, response)
                }
            }

            $crate::wasi02::wasip2::http::proxy::export!(
                Component with_types_in $crate::wasi02::wasip2
            );
        };
    };
}

/// Calls handlers with in-memory HTTP requests, behind the response cache. `waypost build` writes the included file, and sets
/// the variable.
#[cfg(all(target_arch = "wasm32", feature = "cache", not(feature = "composed")))]
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($routes:expr, $request:expr) => {
        $crate::wasi03::chained::handle(
            $routes,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/cache.txt")),
            option_env!("WAYPOST_VERSIONS"),
            $request,
        )
        .await
    };
    ($routes:expr, $request:expr, $response:expr) => {
        ::core::compile_error!("the response cache of the router needs WASI 0.3")
    };
}

/// Calls handlers with in-memory HTTP requests.
#[cfg(all(
    target_arch = "wasm32",
    not(feature = "cache"),
    not(feature = "composed")
))]
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($routes:expr, $request:expr) => {
        $crate::wasi03::chained::handle($routes, $request).await
    };
    ($routes:expr, $request:expr, $response:expr) => {
        $crate::wasi02::chained::handle($routes, $request, $response)
    };
}

/// Calls handlers through imports, behind the response cache. The generated file has the policies and the size of the cache
/// too.
#[cfg(all(target_arch = "wasm32", feature = "cache", feature = "composed"))]
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($routes:expr, $request:expr) => {{
        mod handlers {
            include!(env!("WAYPOST_COMPOSED"));
        }
        const _: &str = $routes;
        let tables = $crate::wasi03::composed::Tables {
            routes: handlers::ROUTES,
            policies: handlers::POLICIES,
            capacity: handlers::CACHE,
        };
        $crate::wasi03::composed::handle_cached(tables, $request, handlers::call).await
    }};
    ($routes:expr, $request:expr, $response:expr) => {
        ::core::compile_error!("the response cache of the router needs WASI 0.3")
    };
}

/// Calls handlers through imports. `waypost compose` generates the included file, which contains a function `call` and
/// the table of the composition's routes.
#[cfg(all(target_arch = "wasm32", not(feature = "cache"), feature = "composed"))]
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($routes:expr, $request:expr) => {{
        mod handlers {
            include!(env!("WAYPOST_COMPOSED"));
        }
        const _: &str = $routes;
        $crate::wasi03::composed::handle(handlers::ROUTES, $request, handlers::call).await
    }};
    ($routes:expr, $request:expr, $response:expr) => {{
        mod handlers {
            include!(env!("WAYPOST_COMPOSED"));
        }
        const _: &str = $routes;
        $crate::wasi02::composed::handle(handlers::ROUTES, $request, $response, handlers::call)
    }};
}

/// Exports nothing: only a WebAssembly target has a router component.
#[cfg(not(target_arch = "wasm32"))]
#[macro_export]
macro_rules! export {
    ($routes:expr) => {
        const _: &str = $routes;
    };
}
