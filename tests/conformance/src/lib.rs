#![doc = include_str!("../README.md")]

mod answer;
mod base;
mod case;
mod client;
mod compare;
mod conversation;
mod deviations;
mod equivalence;
mod expectation;
mod facts;
mod glob;
mod pattern;
mod percent;
mod recorded;
mod replay;
mod report;
mod request;
mod sequence;
mod suite;

pub use base::{Base, BaseError};
pub use deviations::{DeviationError, Deviations};
pub use report::{Failure, Report};
pub use suite::{Suite, SuiteError};
