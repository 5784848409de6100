//! One entry of `allowed_outbound_hosts`.

use url::Host;

use super::host::HostRule;
use super::port::PortRule;
use super::{AppComponents, Grant, OutboundError};

/// One entry: the schemes, hosts and ports that it allows, all of which must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    scheme: SchemeRule,
    host: HostRule,
    port: PortRule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SchemeRule {
    Any,
    One(String),
}

impl Rule {
    /// Parses an entry with all templates filled in.
    pub(crate) fn parse(entry: &str) -> Result<Self, OutboundError> {
        let entry = entry.trim();
        let Some((scheme, rest)) = entry.split_once("://") else {
            return Err(match entry {
                "insecure:allow-all" | "*" | ":" | "?" | "" => OutboundError::AllowAll,
                _ => OutboundError::NoScheme,
            });
        };
        let scheme_rule = SchemeRule::parse(scheme)?;
        let (host, port) = split_port(rest)?;
        Ok(Self {
            scheme: scheme_rule,
            port: PortRule::parse(port, scheme)?,
            host: HostRule::parse(host)?,
        })
    }

    /// Makes `*.spin.internal` allow the components of the app and nothing else.
    pub(super) fn for_app(self, components: &AppComponents) -> Self {
        Self {
            host: self.host.for_app(components),
            ..self
        }
    }

    pub(super) fn allows(&self, scheme: &str, host: &Host, port: Option<u16>) -> bool {
        self.scheme.allows(scheme) && self.host.allows(host) && self.port.allows(scheme, port)
    }

    pub(super) fn grant(&self) -> Grant {
        self.host.grant()
    }

    pub(super) fn allows_self(&self) -> bool {
        let over_http = self.scheme.allows("http") || self.scheme.allows("https");
        over_http && self.host.allows_self()
    }
}

impl SchemeRule {
    fn parse(text: &str) -> Result<Self, OutboundError> {
        match text {
            "*" => Ok(Self::Any),
            _ if text.starts_with('{') => Err(OutboundError::SchemeList),
            _ if text.is_empty() || !text.chars().all(char::is_alphabetic) => {
                Err(OutboundError::Scheme(text.to_owned()))
            }
            _ => Ok(Self::One(text.to_owned())),
        }
    }

    fn allows(&self, scheme: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(allowed) => allowed == scheme,
        }
    }
}

/// Splits host and port at the last colon, unless the colon belongs to an IPv6 address.
fn split_port(rest: &str) -> Result<(&str, &str), OutboundError> {
    match rest.rsplit_once(':') {
        None => Ok((rest, "")),
        Some((host, "")) => Ok((host, "")),
        Some(_) if HostRule::parse(rest).is_ok() => Ok((rest, "")),
        Some((host, port)) => match port.split_once('/') {
            None => Ok((host, port)),
            Some((port, "")) => Ok((host, port)),
            Some(_) => Err(OutboundError::PathAfterPort),
        },
    }
}
