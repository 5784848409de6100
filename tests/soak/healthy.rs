//! Requests that always have to be answered, and rightly.

use super::client::Client;

/// What is uploaded: more than fits into one piece.
const LARGE: usize = 100_000;

/// Sends the next request; tells its kind, and what was wrong with the answer.
pub fn ask(client: &mut Client, number: u64) -> (&'static str, Result<(), String>) {
    match number % 10 {
        0..4 => ("page", page(client)),
        4..6 => ("json", json(client, number)),
        6 => ("stream", stream(client)),
        7 => ("upload", upload(client, number)),
        8 => ("body read whole", whole(client)),
        _ => ("not found", missing(client)),
    }
}

fn page(client: &mut Client) -> Result<(), String> {
    expect(client.ask("GET", "/fine", b"")?, 200, b"fine")
}

fn json(client: &mut Client, number: u64) -> Result<(), String> {
    let body = format!("{{\"list\":[1,2,3],\"number\":{number}}}");
    expect(
        client.ask("POST", "/json", body.as_bytes())?,
        200,
        body.as_bytes(),
    )
}

fn stream(client: &mut Client) -> Result<(), String> {
    let lines: String = (1..=10).map(|number| format!("tick {number}\n")).collect();
    expect(client.ask("GET", "/ticks", b"")?, 200, lines.as_bytes())
}

fn upload(client: &mut Client, number: u64) -> Result<(), String> {
    let pattern = number.to_be_bytes();
    let body: Vec<u8> = pattern.into_iter().cycle().take(LARGE).collect();
    expect(client.ask("POST", "/upload", &body)?, 200, &body)
}

fn whole(client: &mut Client) -> Result<(), String> {
    let answer = client.ask("POST", "/seen", &vec![b'x'; LARGE])?;
    expect(answer, 200, LARGE.to_string().as_bytes())
}

fn missing(client: &mut Client) -> Result<(), String> {
    match client.ask("GET", "/missing", b"")? {
        (404, _) => Ok(()),
        (status, _) => Err(format!("{status} for 404")),
    }
}

fn expect((status, body): (u16, Vec<u8>), expected: u16, content: &[u8]) -> Result<(), String> {
    if status != expected {
        return Err(format!("{status} for {expected}"));
    }
    let is_right = body == content;
    is_right
        .then_some(())
        .ok_or_else(|| format!("another body, of {} bytes", body.len()))
}
