//! `[server]`: where and how the app is served.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::origin::Origin;
use super::quantity::{Bounds, read_duration, refuse};
use crate::document::{Collector, Keys, Table};

/// Where and how the app is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address to listen on; port 0 takes a free one. Default: `127.0.0.1:3000`, which
    /// nobody else on the network reaches.
    pub listen: SocketAddr,
    /// The address to answer those who watch the app on: health and metrics. Default: none. It should be one
    /// that the public does not reach; port 0 takes a free one.
    pub admin: Option<SocketAddr>,
    /// Whether `/.well-known/waypost/health` is answered on `listen` too, for a balancer that cannot ask
    /// elsewhere. Default: no.
    pub public_health: bool,
    /// The origin by which clients know the app. Default: none, which takes each request's own
    /// `Host`.
    pub origin: Option<Origin>,
    /// How long requests may go on after the host was told to stop. Default: 10 s, which is
    /// short of the 30 s after which orchestrators kill.
    pub shutdown_grace: Duration,
    /// Whether responses are compressed (gzip, deflate) for clients that accept it. Default: no, since
    /// proxies often do it, and since a compressed response can give away a secret that stands beside
    /// what an attacker had it say (BREACH).
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

/// Zero is meant: stop at once.
const SHUTDOWN_GRACE: Bounds<Duration> = Bounds {
    least: Duration::ZERO,
    most: Duration::from_secs(3_600),
    below: "",
    above: "an hour is the most: what is to stop should stop",
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
