//! A headless Chromium, driven through `chromedriver` by the
//! [WebDriver protocol](https://www.w3.org/TR/webdriver2/).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::Reply;

/// How long a script in a page may take, in milliseconds: longer than anything on the slowest machine.
const SCRIPT_TIMEOUT: u32 = 120_000;

/// What Chromium starts with: no sandbox, since tests may run as root, and nothing of its own on the network.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser window, until it is dropped.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts a browser; `None` where there is no driver.
    pub fn start() -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut browser = Self {
            port: port(&mut driver),
            driver,
            session: String::new(),
        };
        let options = json!({ "goog:chromeOptions": { "args": ARGUMENTS } });
        let timeouts = json!({ "script": SCRIPT_TIMEOUT });
        let capabilities = json!({ "alwaysMatch": { "goog:chromeOptions": options["goog:chromeOptions"], "timeouts": timeouts } });
        let session = browser.post("/session", &json!({ "capabilities": capabilities }));
        browser.session = session["sessionId"]
            .as_str()
            .expect("a session has an id")
            .to_owned();
        Some(browser)
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&mut self, url: &str) {
        self.post(
            &format!("/session/{}/url", self.session),
            &json!({ "url": url }),
        );
    }

    /// Runs a script in the page; what it gives to its last argument, a function, comes back.
    pub fn run(&mut self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.post(&format!("/session/{}/execute/async", self.session), &body)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let body = body.to_string();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let reply = Reply::read(stream);
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(reply.status, 200, "{path}: {answer}");
        answer["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without an orderly end the driver would leave its Chromium behind.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let session = &self.session;
            let request = format!(
                "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            );
            if stream.write_all(request.as_bytes()).is_ok() {
                Reply::read(stream);
            }
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Reads the port that the driver chose.
fn port(driver: &mut Child) -> u16 {
    let stdout = driver.stdout.take().expect("the driver's output is piped");
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("started successfully on port"));
    let line = line.expect("the driver says on which port it listens");
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a port is a number")
}
