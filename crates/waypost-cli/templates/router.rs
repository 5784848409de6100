//! The app's router: the only component with a public address.
//!
//! The logic is in `waypost-router`. `cargo waypost build` writes the table `routes.txt`.

waypost_router::export!(include_str!("../routes.txt"));
