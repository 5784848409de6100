//! Which host an app is served in the manner of.

/// The host that an app seems to run on: what its components are told, what they may not say, and what a client
/// gets where they fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Manner {
    /// This host's own.
    #[default]
    Waypost,
    /// That of Spin 4.1, to see how the app does there. Nobody is protected as by this host: most limits are
    /// off.
    Spin,
}
