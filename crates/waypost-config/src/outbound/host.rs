//! The host of an entry.

use std::net::IpAddr;

use url::Host;

use super::{AppComponents, CHAINING_DOMAIN, Grant, OutboundError};

/// The hosts that an entry allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostRule {
    /// `*`
    Any,
    /// `self` or `self.alt`: the app itself
    ToSelf,
    /// `*.example.com`, kept as `.example.com`
    Subdomains(String),
    /// `*.spin.internal`: the components of the app
    Components(AppComponents),
    /// `10.0.0.0/8`
    Network(Network),
    /// `example.com`, `127.0.0.1`, `[::1]`
    Literal(Host),
}

impl HostRule {
    pub(super) fn parse(text: &str) -> Result<Self, OutboundError> {
        let text = text.trim();
        match text {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::ToSelf),
            _ if text.starts_with('{') => return Err(OutboundError::HostList),
            _ => {}
        }
        if let Some(network) = Network::parse(text) {
            return Ok(Self::Network(network));
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.contains('/') {
            return Err(OutboundError::Path);
        }
        match text.strip_prefix("*.") {
            Some(domain) => Self::subdomains(domain),
            None if text.contains('*') => Err(OutboundError::Wildcard),
            None => parse_host(text).map(Self::Literal),
        }
    }

    /// Turns `*.spin.internal` into a rule for the components of the app. Other rules stay as they are.
    pub(super) fn for_app(self, components: &AppComponents) -> Self {
        match self {
            Self::Subdomains(suffix) if suffix.strip_prefix('.') == Some(CHAINING_DOMAIN) => {
                Self::Components(components.clone())
            }
            other => other,
        }
    }

    pub(super) fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::ToSelf, _) => false,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Components(components), Host::Domain(domain)) => components.include(domain),
            (Self::Subdomains(_) | Self::Components(_), Host::Ipv4(_) | Host::Ipv6(_)) => false,
            (Self::Network(network), Host::Ipv4(address)) => network.contains((*address).into()),
            (Self::Network(network), Host::Ipv6(address)) => network.contains((*address).into()),
            (Self::Network(_), Host::Domain(_)) => false,
            (Self::Literal(literal), host) => literal == host,
        }
    }

    pub(super) fn grant(&self) -> Grant {
        match self {
            Self::Any | Self::Subdomains(_) => Grant::Wildcard,
            Self::ToSelf | Self::Components(_) | Self::Literal(Host::Domain(_)) => Grant::Name,
            Self::Network(_) | Self::Literal(Host::Ipv4(_) | Host::Ipv6(_)) => Grant::Address,
        }
    }

    pub(super) fn allows_self(&self) -> bool {
        match self {
            Self::Any | Self::ToSelf => true,
            Self::Subdomains(_) | Self::Components(_) => false,
            Self::Network(_) | Self::Literal(_) => false,
        }
    }

    fn subdomains(domain: &str) -> Result<Self, OutboundError> {
        if domain.contains('*') {
            return Err(OutboundError::Wildcard);
        }
        match parse_host(domain)? {
            Host::Domain(domain) => Ok(Self::Subdomains(format!(".{domain}"))),
            Host::Ipv4(_) | Host::Ipv6(_) => Err(OutboundError::WildcardAddress),
        }
    }
}

/// Parses the host of a URL: WHATWG URL, section 3.5.
fn parse_host(text: &str) -> Result<Host, OutboundError> {
    Host::parse(text).map_err(|_| OutboundError::Host(text.to_owned()))
}

/// An IP network in CIDR notation (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Parses `address/prefix`. Bits of the address after the prefix are ignored.
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok()?;
        let network = Self {
            address,
            prefix: prefix.into(),
        };
        (network.prefix <= network.width()).then_some(network)
    }

    fn contains(self, address: IpAddr) -> bool {
        let free = self.width() - self.prefix;
        // With the prefix 0 the shift is by the whole width, and there is nothing to compare.
        let network_of = |bits: u128| bits.checked_shr(free).unwrap_or(0);
        self.address.is_ipv4() == address.is_ipv4()
            && network_of(bits(self.address)) == network_of(bits(address))
    }

    fn width(self) -> u32 {
        match self.address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        }
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
