#![doc = include_str!("lib.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod component_id;
mod document;
mod fault;
pub mod manifest;
pub mod outbound;
mod regular_file;
pub mod settings;
pub mod variables;

pub use component_id::{ComponentId, IdError};
pub use fault::{Fault, Faults, Place, Severity};
pub use manifest::Manifest;
pub use regular_file::{MAX_TEXT, read_file, read_text_file};
pub use settings::Settings;
