//! HTTP messages, as handlers read and write them: requests and responses with their headers, bodies and cookies.

pub mod body;
pub(crate) mod connection;
pub mod cookies;
pub mod cors;
pub mod error;
pub mod form;
pub(crate) mod header_value;
#[cfg(feature = "multipart")]
pub mod multipart;
pub mod request;
pub mod response;
pub mod sse;
#[cfg(feature = "user-agent")]
pub mod user_agent;
