//! Instances of components: how they are made and kept, and how one answers a request.

pub(crate) mod config;
pub(crate) mod cpu;
pub(crate) mod detach;
pub(crate) mod inline;
pub(crate) mod lifecycle;
pub(crate) mod linker;
pub(crate) mod load;
pub(crate) mod memory;
mod methods;
mod open_files;
mod over_bound;
pub(crate) mod pool;
pub(crate) mod reply;
pub(crate) mod run;
pub(crate) mod state;
pub(crate) mod total_memory;
