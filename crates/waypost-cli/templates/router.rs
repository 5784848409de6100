//! The app's front door: the one component with a public address.
//!
//! The logic is in `waypost-router`; the table beside this file is made by `cargo waypost build`.

waypost_router::export!(include_str!("../routes.txt"));
