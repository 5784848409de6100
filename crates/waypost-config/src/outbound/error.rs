//! Why an entry of `allowed_outbound_hosts` is invalid.

/// Why an entry of `allowed_outbound_hosts` is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutboundError {
    /// `example.com`
    #[error("it must have a scheme, as in `https://example.com`, or `*://` for any")]
    NoScheme,
    /// `insecure:allow-all`, `*`
    #[error("it must be `scheme://host[:port]`; to allow everything, write `*://*:*`")]
    AllowAll,
    /// `{http,https}://…`
    #[error("lists of schemes are not supported; write one entry for each")]
    SchemeList,
    /// `ht tp://…`
    #[error("scheme `{0}` must consist of letters, or be `*`")]
    Scheme(String),
    /// `http://{a,b}`
    #[error("lists of hosts are not supported; write one entry for each")]
    HostList,
    /// `http://example.com/path`
    #[error("a host must not have a path")]
    Path,
    /// `http://a.*.com`, `http://*.*.com`
    #[error("`*` may be the whole host or its first part, as in `*.example.com`")]
    Wildcard,
    /// `http://*.127.0.0.1`
    #[error("after `*.` there must be a domain, not an address")]
    WildcardAddress,
    /// A host that is not valid in a URL
    #[error("host `{0}` is not a domain or an address")]
    Host(String),
    /// No port, and a scheme without a default port
    #[error("scheme `{0}` has no default port; write one, or `*` for any")]
    NoDefaultPort(String),
    /// `http://example.com:{80,443}`
    #[error("lists of ports are not supported; write one entry for each, or a range `80..90`")]
    PortList,
    /// Not a number from 0 to 65535
    #[error("port `{0}` is not a number from 0 to 65535, a range or `*`")]
    Port(String),
    /// `http://example.com:90..80`: the end is not part of a range
    #[error(
        "port range `{0}` is empty: its end, which is exclusive, must be greater than its start"
    )]
    EmptyPortRange(String),
    /// `http://example.com:80/path`
    #[error("a port must not be followed by a path")]
    PathAfterPort,
}
