//! How a route answers a request: it matches the path, chooses the function, calls it and sends what it returns.

pub mod after;
pub(crate) mod allow;
#[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
pub(crate) mod background;
pub mod cache;
pub(crate) mod delivery;
pub(crate) mod handler;
#[cfg(not(all(target_arch = "wasm32", target_env = "p2")))]
pub(crate) mod incoming;
pub(crate) mod marks;
pub(crate) mod origin;
pub(crate) mod route;
pub(crate) mod sealed;
pub(crate) mod signal;
#[cfg(feature = "tower")]
pub mod tower;
