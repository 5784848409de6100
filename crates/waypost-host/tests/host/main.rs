//! Black-box tests: the real server on a free port, real components, a real client.

mod admin;
mod bounds;
mod chain;
mod compression;
mod guests;
mod lifecycle;
mod network;
mod protocol;
mod serving;
mod state;
mod stores;
mod streams;
mod support;
