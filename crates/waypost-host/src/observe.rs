//! What operators see: counters, the names of components in the log, and the ids of requests.

pub(crate) mod labels;
pub(crate) mod metrics;
pub(crate) mod request_id;
pub(crate) mod untrusted;
