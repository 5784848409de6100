//! `[server]`: the listener and the behaviour of the server.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::origin::Origin;
use super::quantity::{Bounds, read_duration, refuse};
use crate::document::{Collector, Keys, Table};

/// The listener and the behaviour of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address to listen on; port 0 selects a free port. Default: `127.0.0.1:3000`, which is
    /// reachable only from this machine.
    pub listen: SocketAddr,
    /// The address for health and metrics, which the public should not be able to reach. Default: none.
    /// Port 0 selects a free port.
    pub admin: Option<SocketAddr>,
    /// Whether `listen` serves `/.well-known/waypost/health` too, for a load balancer that can't reach
    /// `admin`. Default: no.
    pub public_health: bool,
    /// The public origin of the app. Default: none, which means the `Host` of each request.
    pub origin: Option<Origin>,
    /// The time that requests in flight have to finish after a shutdown signal. Default: 10 s, less
    /// than the 30 s after which orchestrators kill a process.
    pub shutdown_grace: Duration,
    /// Whether responses are compressed (gzip, deflate) for clients that accept it. Default: no, because
    /// proxies often do it, and because compression can reveal a secret in a response that also contains
    /// input of an attacker (BREACH).
    pub compress: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            admin: None,
            public_health: false,
            origin: None,
            shutdown_grace: Duration::from_secs(10),
            compress: false,
        }
    }
}

const KEYS: Keys = Keys::only(&[
    "listen",
    "admin",
    "public_health",
    "origin",
    "shutdown_grace",
    "compress",
]);

/// Zero is valid: it stops the server at once.
const SHUTDOWN_GRACE: Bounds<Duration> = Bounds {
    least: Duration::ZERO,
    most: Duration::from_secs(3_600),
    below: "",
    above: "a shutdown must come to an end; write at most `1h`",
};

pub(super) fn read(root: &Table<'_>, faults: &mut Collector) -> Server {
    let defaults = Server::default();
    let Some(table) = root.table("server", faults) else {
        return defaults;
    };
    table.check_keys(&KEYS, faults);
    Server {
        listen: read_address(&table, "listen", faults).unwrap_or(defaults.listen),
        admin: read_address(&table, "admin", faults),
        public_health: table.flag("public_health", faults),
        origin: read_origin(&table, faults),
        shutdown_grace: read_duration(&table, "shutdown_grace", &SHUTDOWN_GRACE, faults)
            .unwrap_or(defaults.shutdown_grace),
        compress: table.flag("compress", faults),
    }
}

fn read_address(table: &Table<'_>, key: &str, faults: &mut Collector) -> Option<SocketAddr> {
    let value = table.get(key)?;
    let text = value.string(faults)?.value;
    let address = text.parse().ok();
    if address.is_none() {
        let reason = "it must be an IP address and a port, as in `127.0.0.1:3000`, \
                      or `0.0.0.0:3000` for every interface";
        return refuse(&value, &text, reason, faults);
    }
    address
}

fn read_origin(table: &Table<'_>, faults: &mut Collector) -> Option<Origin> {
    let value = table.get("origin")?;
    let text = value.string(faults)?.value;
    let origin: Result<Origin, _> = text.parse();
    match origin {
        Ok(origin) => Some(origin),
        Err(error) => refuse(&value, &text, &error.to_string(), faults),
    }
}
