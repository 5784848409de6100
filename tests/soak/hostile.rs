//! Handlers that misbehave, and clients that do.

use super::client::Client;
use super::support::Served;
use std::net::TcpStream;
use std::time::Duration;

/// How long a slow reader keeps a response waiting: longer than `idle_timeout` of the app.
const NAP: Duration = Duration::from_secs(5);

/// Mixes the kinds: it has no divisor in common with a thousand.
const SPREAD: u64 = 389;

/// Sends the next request; tells its kind, and what was wrong with the answer, where there has to be one.
///
/// The rare kinds take long: half a second of computing, or seconds of doing nothing.
pub fn ask(app: &Served, number: u64) -> (&'static str, Result<(), String>) {
    let client = &mut Client::connect(app.address);
    match number * SPREAD % 1_000 {
        0 => (
            "hostile: endless loop",
            status(client, "/loops", &[500, 504]),
        ),
        1 => ("hostile: slow reader", read_slowly(client)),
        2..12 => ("hostile: leaves before the answer", leave(client)),
        12..60 => (
            "hostile: takes all memory",
            // It may wait for its turn behind handlers that compute until its time is over.
            status(client, "/hungry", &[500, 504]),
        ),
        60..350 => ("hostile: trap", status(client, "/trap", &[500])),
        350..365 => ("hostile: files without end", files(client)),
        // It ends with a trap.
        365 => (
            "hostile: header fields without end",
            status(client, "/greedy?fields", &[500, 503, 504]),
        ),
        366..368 => (
            "hostile: random bytes without end",
            status(client, "/greedy?random", &[200, 504]),
        ),
        368..370 => (
            "hostile: a great many lines",
            status(client, "/greedy?lines", &[200, 500, 504]),
        ),
        370..375 => (
            "hostile: requests that make many others",
            // Its own answers, or those of others who ask as much.
            status(client, "/greedy?requests", &[200, 503, 504]),
        ),
        375..385 => ("hostile: idle connections", idle(app)),
        385..400 => (
            "hostile: silent clients of the admin listener",
            silence(app),
        ),
        400..500 => ("hostile: broken stream", broken(client)),
        500..600 => ("hostile: stream cut in the middle", cut(client)),
        600..750 => (
            "hostile: leaves in the middle of its body",
            half_a_body(client),
        ),
        750..800 => (
            "hostile: leaves in the middle of the answer",
            half_an_answer(client),
        ),
        800..850 => ("hostile: body over the limit", large_body(client)),
        850..900 => ("hostile: head without an end", long_line(client)),
        900..950 => ("hostile: rapid resets", reset(client)),
        _ => ("hostile: nonsense", nonsense(client)),
    }
}

fn status(client: &mut Client, target: &str, expected: &[u16]) -> Result<(), String> {
    let (status, _) = client.ask("GET", target, b"")?;
    let is_right = expected.contains(&status);
    is_right
        .then_some(())
        .ok_or_else(|| format!("{status} for {expected:?}"))
}

fn files(client: &mut Client) -> Result<(), String> {
    match client.ask("GET", "/greedy?files", b"")? {
        // Fewer than it may if others have some open.
        (200, text) if text.starts_with(b"opened ") && text.len() < 10 => Ok(()),
        (status, text) => Err(format!("{status} {}", String::from_utf8_lossy(&text))),
    }
}

fn idle(app: &Served) -> Result<(), String> {
    let connect = || TcpStream::connect(app.address);
    let clients: Result<Vec<_>, _> = (0..100).map(|_| connect()).collect();
    clients.map(drop).map_err(|error| error.to_string())
}

/// Takes every place of the admin listener and reads nothing. Health is told all the same.
fn silence(app: &Served) -> Result<(), String> {
    let admin = app.admin.ok_or("there is no admin listener")?;
    let path = "/.well-known/waypost/health";
    let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n").repeat(10);
    let mut silent: Vec<_> = (0..40).map(|_| Client::connect(admin)).collect();
    for client in &mut silent {
        // The host may have ended it for a newer one.
        let _ = client.send(request.as_bytes());
    }
    match Client::connect(admin).ask("GET", path, b"")? {
        (200, _) => Ok(()),
        (status, _) => Err(format!("{status} for 200")),
    }
}

/// The head waits two milliseconds for the first byte: on a busy machine it may be gone when the stream breaks.
fn broken(client: &mut Client) -> Result<(), String> {
    match client.ask("GET", "/broken-stream", b"") {
        Ok((500, _)) | Err(_) => Ok(()),
        Ok((status, _)) => Err(format!("a whole {status}")),
    }
}

fn read_slowly(client: &mut Client) -> Result<(), String> {
    client.send(b"GET /ticks?endless HTTP/1.1\r\nhost: h\r\n\r\n")?;
    std::thread::sleep(NAP);
    Ok(())
}

fn leave(client: &mut Client) -> Result<(), String> {
    client.send(b"GET /slow HTTP/1.1\r\nhost: h\r\n\r\n")?;
    std::thread::sleep(Duration::from_millis(5));
    Ok(())
}

fn cut(client: &mut Client) -> Result<(), String> {
    match client.ask("GET", "/broken-stream?late", b"") {
        // Whatever was said of the status: a body that is cut must not look whole.
        Ok((status, _)) => Err(format!("a whole {status}")),
        Err(_) => Ok(()),
    }
}

fn half_a_body(client: &mut Client) -> Result<(), String> {
    client.send(b"POST /upload HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\nhalf of it")
}

fn half_an_answer(client: &mut Client) -> Result<(), String> {
    client.send(b"GET /ticks?endless HTTP/1.1\r\nhost: h\r\n\r\n")?;
    let skipped = client.skip(10_000);
    skipped.map(drop).map_err(|error| error.to_string())
}

fn large_body(client: &mut Client) -> Result<(), String> {
    client.send(b"POST /seen HTTP/1.1\r\nhost: h\r\ncontent-length: 9999999\r\n\r\n")?;
    match client.answer()? {
        (413, _) => Ok(()),
        (status, _) => Err(format!("{status} for 413")),
    }
}

fn long_line(client: &mut Client) -> Result<(), String> {
    let path = "a".repeat(40_000);
    client.send(format!("GET /{path} HTTP/1.1\r\nhost: h\r\n\r\n").as_bytes())?;
    match client.answer()? {
        (414, _) => Ok(()),
        (status, _) => Err(format!("{status} for 414")),
    }
}

/// Asks for streams of HTTP/2 and resets each at once (CVE-2023-44487).
fn reset(client: &mut Client) -> Result<(), String> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in (1..200_u32).step_by(2) {
        let fields = b"\x82\x86\x04\x05/fine\x01\x01h";
        bytes.extend([0, 0, 12, 1, 5]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(fields);
        bytes.extend([0, 0, 4, 3, 0]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend([0, 0, 0, 8]);
    }
    // The host may close before it has read all of it.
    let _ = client.send(&bytes);
    let _ = client.skip(u64::MAX);
    Ok(())
}

fn nonsense(client: &mut Client) -> Result<(), String> {
    client.send(b"\x16\x03\x01 nonsense\r\n\r\n")?;
    match client.answer()? {
        (400, _) => Ok(()),
        (status, _) => Err(format!("{status} for 400")),
    }
}
