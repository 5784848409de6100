//! What the black-box tests share: an app that is served by the real command, and a client that
//! sends exactly the bytes it is given.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod alone;
pub mod browser;
pub mod example_app;
pub mod foreign;

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long anything may take that is awaited: a build of many components on a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// The turn of a test: while it is held, no other test of this program runs.
pub struct Turn {
    start: Instant,
    _guard: MutexGuard<'static, ()>,
}

/// Waits for the turn of this test.
pub fn turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has had its turn.
    let guard = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Turn {
        start: Instant::now(),
        _guard: guard,
    }
}

impl Drop for Turn {
    /// Writes how long the test took into the file that `WAYPOST_TEST_TIMES` names, if it does.
    fn drop(&mut self) {
        let Some(file) = std::env::var_os("WAYPOST_TEST_TIMES") else {
            return;
        };
        let (seconds, thread) = (self.start.elapsed().as_secs(), std::thread::current());
        let name = thread.name().unwrap_or("a test");
        let file = OpenOptions::new().create(true).append(true).open(file);
        file.and_then(|mut file| writeln!(file, "{seconds}\t{name}"))
            .unwrap();
    }
}

/// Returns the folder of this checkout, which is the example app.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Returns the `waypost` command, ready for arguments. All apps but the checkout's own share a
/// target directory and a code cache, so that what they have in common is compiled once.
pub fn waypost(app: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waypost"));
    command.current_dir(app);
    command.env(
        "WAYPOST_CACHE_DIR",
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("code"),
    );
    if app != checkout() {
        command.env("CARGO_TARGET_DIR", checkout().join("target/apps"));
    }
    command
}

/// Runs a command that succeeds, and returns what it wrote to stderr.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Returns the file of a command, if it is installed.
pub fn on_the_path(command: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&folders).map(|folder| folder.join(command));
    files.find(|file| file.is_file())
}

/// An app that is being served, until it is dropped.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
    /// Where health and metrics are told, if anywhere.
    pub admin: Option<SocketAddr>,
    log: Arc<Log>,
}

/// What the command wrote to stderr so far.
#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Served {
    /// Builds and serves an app on a free port.
    pub fn up(app: &Path) -> Self {
        Self::start(waypost(app).args(["up", "--listen", "127.0.0.1:0"]))
    }

    /// Starts a command that serves, and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let log = Arc::new(Log::default());
        log.follow(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let mut admin = None;
        let address = loop {
            line.clear();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let status = child.wait().unwrap();
                panic!(
                    "the command ended with {status}:\n{}",
                    log.text.lock().unwrap()
                );
            }
            if let Some(address) = address(&line) {
                break address;
            }
            admin = admin.or_else(|| admin_address(&line));
        };
        Self {
            child,
            address,
            admin,
            log,
        }
    }

    /// Returns the id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the bytes of a request and reads the response to its end.
    pub fn send(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        Reply::read(stream)
    }

    /// Sends a GET with these headers.
    pub fn get(&self, target: &str, headers: &str) -> Reply {
        self.send(format!(
            "GET {target} HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    /// Sends any method with headers and a body.
    pub fn request(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Reply {
        let length = body.len();
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.send(request)
    }

    /// Opens a connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Waits until the log holds a text, and returns the log.
    pub fn logged(&self, text: &str) -> String {
        let log = self.log.text.lock().unwrap();
        let (log, timeout) = self
            .log
            .grown
            .wait_timeout_while(log, PATIENCE, |log| !log.contains(text))
            .unwrap();
        assert!(!timeout.timed_out(), "`{text}` was not logged:\n{log}");
        log.clone()
    }

    /// Sends the process a signal by its name, and waits for its end.
    pub fn stop(mut self, signal: &str) -> i32 {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::yield_now();
        }
        panic!("the command did not end on {signal}");
    }
}

/// Reads where a command listens: Waypost's, or Wasmtime's own.
fn address(line: &str) -> Option<SocketAddr> {
    let address = ["Listening on http://", "Serving HTTP on http://"]
        .iter()
        .find_map(|words| line.trim().strip_prefix(words))?;
    Some(address.trim_end_matches('/').parse().unwrap())
}

fn admin_address(line: &str) -> Option<SocketAddr> {
    let url = line.strip_prefix("Health and metrics on http://")?;
    let (address, _) = url.split_once('/')?;
    Some(address.parse().unwrap())
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Log {
    fn follow(self: &Arc<Self>, stderr: impl Read + Send + 'static) {
        let log = Arc::clone(self);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                log.text.lock().unwrap().push_str(&(line + "\n"));
                log.grown.notify_all();
            }
        });
    }
}

/// A response, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads a response: to the length that it names, or else to the end of the connection.
    pub fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            bytes.extend_from_slice(&buffer[..read]);
            let whole = head_and_length(&bytes).is_some_and(|length| bytes.len() >= length);
            if read == 0 || whole {
                break;
            }
        }
        let end = end_of_head(&bytes);
        let end =
            end.unwrap_or_else(|| panic!("no response: {:?}", String::from_utf8_lossy(&bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let body = bytes[end + 4..].to_vec();
        let mut reply = Self {
            status,
            headers,
            body,
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = dechunk(&reply.body);
        }
        reply
    }

    /// Returns the first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns all values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n")
}

/// Returns how long the response is by its `Content-Length`, head included.
fn head_and_length(bytes: &[u8]) -> Option<usize> {
    let end = end_of_head(bytes)?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length:"))?;
    Some(end + 4 + length.trim().parse::<usize>().ok()?)
}

fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = bytes
            .windows(2)
            .position(|window| window == b"\r\n")
            .expect("a chunk has a size");
        let size = std::str::from_utf8(&bytes[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&bytes[line + 2..line + 2 + size]);
        bytes = &bytes[line + 4 + size..];
    }
}
