//! The port of an entry.

use std::ops::Range;

use super::OutboundError;

/// The ports that an entry allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PortRule {
    /// `*`
    Any,
    /// `8080`, or the default port of the scheme if the entry has none
    One(u16),
    /// `8000..9000`, without the end
    Range(Range<u16>),
}

impl PortRule {
    pub(super) fn parse(text: &str, scheme: &str) -> Result<Self, OutboundError> {
        match text {
            "" => Self::default_of(scheme),
            "*" => Ok(Self::Any),
            _ if text.starts_with('{') => Err(OutboundError::PortList),
            _ => match text.split_once("..") {
                Some((start, end)) => Self::range(text, start, end),
                None => parse_port(text, text).map(Self::One),
            },
        }
    }

    pub(super) fn allows(&self, scheme: &str, port: Option<u16>) -> bool {
        let port = port.or_else(|| default_port(scheme));
        match (self, port) {
            (Self::Any, _) => true,
            (Self::One(allowed), Some(port)) => *allowed == port,
            (Self::Range(allowed), Some(port)) => allowed.contains(&port),
            (Self::One(_) | Self::Range(_), None) => false,
        }
    }

    fn default_of(scheme: &str) -> Result<Self, OutboundError> {
        let scheme = || scheme.to_owned();
        default_port(&scheme())
            .map(Self::One)
            .ok_or_else(|| OutboundError::NoDefaultPort(scheme()))
    }

    fn range(text: &str, start: &str, end: &str) -> Result<Self, OutboundError> {
        let range = parse_port(start, text)?..parse_port(end, text)?;
        match range.is_empty() {
            true => Err(OutboundError::EmptyPortRange(text.to_owned())),
            false => Ok(Self::Range(range)),
        }
    }
}

fn parse_port(text: &str, whole: &str) -> Result<u16, OutboundError> {
    text.parse()
        .map_err(|_| OutboundError::Port(whole.to_owned()))
}

/// Returns the default port of a scheme, as in Spin, or `None` if it has none.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}
