//! Testing handlers natively: the public module [`test`], and the replacements for a host's interfaces.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod cache;
#[cfg(all(feature = "spin", not(target_arch = "wasm32")))]
pub(crate) mod stand_in;
pub mod test;
