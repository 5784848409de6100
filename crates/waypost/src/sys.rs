//! The code that differs between targets: receiving and sending requests, timers, the log.
//!
//! Only the target decides: `wasm32-wasip2` is WASI 0.3, `wasm32-wasip1` is WASI 0.2, and any other target is for
//! tests.

#[cfg(target_arch = "wasm32")]
mod destination;

#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
mod p3;
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
pub(crate) use p3::{
    Incoming, Leaving, Refused, Respond, leaving, refused, respond_with_stream, send, sleep, spawn,
};
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
pub use p3::{handle, wasip3};

#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
mod p2;
#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
pub use p2::{handle, wasip2};
#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
pub(crate) use p2::{send, sleep};

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(all(feature = "spin", not(target_arch = "wasm32")))]
pub(crate) use native::while_set;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{send, sleep, with_network};

#[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
pub(crate) use crate::run::background::spawn;
#[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
pub(crate) use crate::run::incoming::Incoming;

/// Writes an error to the log of the host. If the host refuses it, the line is lost: `eprintln!` would panic instead,
/// and would add the texts of all I/O errors to the component.
#[cfg(target_arch = "wasm32")]
pub(crate) fn log(line: &str) {
    use std::io::Write;
    let line = format!("error: {line}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Writes a warning to the log of the host, like [`log`].
#[cfg(target_arch = "wasm32")]
pub(crate) fn warn(line: &str) {
    use std::io::Write;
    let line = format!("warning: {line}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Returns whether the host sets internal headers, and removes those of clients.
#[cfg(target_arch = "wasm32")]
pub(crate) fn is_behind_a_cache() -> bool {
    std::env::var_os(waypost_cache::internal::CACHE_VARIABLE).is_some()
}

/// Returns whether the host has a data cache.
#[cfg(target_arch = "wasm32")]
pub(crate) fn has_data_cache() -> bool {
    use waypost_cache::{data::DATA_CACHE, internal::CACHE_VARIABLE};
    std::env::var_os(CACHE_VARIABLE).is_some_and(|value| value == DATA_CACHE)
}

/// Returns whether the test has a data cache.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn has_data_cache() -> bool {
    crate::testing::cache::is_set()
}

/// Returns `true`: only a test sets internal headers.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn is_behind_a_cache() -> bool {
    true
}

/// Writes an error to the output of a test.
#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::print_stderr, reason = "the log of a test is its output")]
pub(crate) fn log(line: &str) {
    eprintln!("error: {line}");
}

/// Writes a warning to the output of a test.
#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::print_stderr, reason = "the log of a test is its output")]
pub(crate) fn warn(line: &str) {
    eprintln!("warning: {line}");
}

/// Exports a route as a component, with the ABI of the target.
#[cfg(all(target_arch = "wasm32", target_env = "p2"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($route:ty) => {
        struct Component;

        impl $crate::__private::sys::wasip3::exports::http::handler::Guest for Component {
            async fn handle(
                request: $crate::__private::sys::wasip3::http::types::Request,
            ) -> ::core::result::Result<
                $crate::__private::sys::wasip3::http::types::Response,
                $crate::__private::sys::wasip3::http::types::ErrorCode,
            > {
                $crate::__private::sys::handle::<$route>(request).await
            }
        }

        $crate::__private::sys::wasip3::http::service::export!(
            Component with_types_in $crate::__private::sys::wasip3
        );
    };
}

/// Exports a route as a component, with the ABI of the target.
#[cfg(all(target_arch = "wasm32", target_env = "p1"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($route:ty) => {
        struct Component;

        impl $crate::__private::sys::wasip2::exports::http::incoming_handler::Guest for Component {
            fn handle(
                request: $crate::__private::sys::wasip2::http::types::IncomingRequest,
                response: $crate::__private::sys::wasip2::http::types::ResponseOutparam,
            ) {
                $crate::__private::sys::handle::<$route>(request, response);
            }
        }

        $crate::__private::sys::wasip2::http::proxy::export!(
            Component with_types_in $crate::__private::sys::wasip2
        );
    };
}

/// A route is a component on WASI targets only. On other targets its functions are for tests.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($route:ty) => {};
}
