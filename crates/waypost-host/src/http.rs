//! The side of the clients: connections, their requests and responses, and the listener for operators.

pub(crate) mod admin;
mod compression;
mod connection;
mod egress;
pub(crate) mod files;
mod ingress;
pub(crate) mod listener;
mod spin;
