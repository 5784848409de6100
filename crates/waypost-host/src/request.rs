//! A request and its answer, as every part of the host handles them.

pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod context;
pub(crate) mod failure;
pub(crate) mod head;
pub(crate) mod headers;
pub(crate) mod inner_data;
