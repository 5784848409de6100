//! The behaviour of other hosts, imitated to see how an app does there.

pub(crate) mod spin;

/// The host whose behaviour an app sees: what its components are told, what they may not say, and what a client
/// receives where they fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostProfile {
    /// This host's own.
    #[default]
    Waypost,
    /// That of Spin 4.1, to see how the app does there. It does not protect as this host does: most limits are off.
    Spin,
}
