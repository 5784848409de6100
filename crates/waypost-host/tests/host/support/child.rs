//! Hosts in processes of their own, which a test can kill, or take the disk from.

use super::TestApp;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use tokio::net::TcpListener;
use waypost_host::{CodeCache, DEFAULT_CODE_CACHE_SIZE, Host, HostOptions, Manifest, Settings};

/// Names the folder of the app, for the process that serves it.
const FOLDER: &str = "WAYPOST_TEST_CHILD";

/// What the line with the addresses begins with.
const SERVING: &str = "serving ";

/// A host in a process of its own. It ends when it is dropped.
pub struct Child {
    process: std::process::Child,
    /// Kept open: the test framework of the process ends it when it can't write that a test takes long.
    _output: BufReader<ChildStdout>,
    pub address: SocketAddr,
    pub admin: SocketAddr,
}

impl Child {
    /// Serves an app in this test program, by the test `name`, which calls [`serve_in_child`]. A signal for writing
    /// beyond the limit of a file's size does not end it.
    pub fn start(app: &TestApp, name: &str) -> Self {
        Self::start_with(app, name, "trap '' XFSZ")
    }

    /// The same, with so many file descriptors.
    pub fn with_files(app: &TestApp, name: &str, files: u32) -> Self {
        Self::start_with(app, name, &format!("ulimit -n {files}"))
    }

    fn start_with(app: &TestApp, name: &str, first: &str) -> Self {
        app.write();
        let program = std::env::current_exe().expect("this program has a file");
        let mut process = Command::new("sh")
            .args(["-c", &format!("{first}; exec \"$@\""), "sh"])
            .arg(program)
            .args(["--exact", name, "--nocapture"])
            .env(FOLDER, app.path())
            // As the command sets it: memory is returned at once.
            .env("MIMALLOC_PURGE_DELAY", "0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = process.stdout.take().expect("it is piped");
        let mut output = BufReader::new(output);
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let line = lines.find_map(|line| Some(line.split_once(SERVING)?.1.to_owned()));
        let line = line.expect("the host serves");
        let (address, admin) = line.split_once(' ').expect("there are two addresses");
        Self {
            process,
            _output: output,
            address: address.parse().expect("it is an address"),
            admin: admin.parse().expect("it is an address"),
        }
    }

    /// Returns what the process holds on to: its memory in bytes, open files and threads.
    pub fn usage(&self) -> [u64; 3] {
        let folder = format!("/proc/{}", self.process.id());
        let status = std::fs::read_to_string(format!("{folder}/status")).expect("Linux tells");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let files = std::fs::read_dir(format!("{folder}/fd")).expect("Linux tells");
        let files = u64::try_from(files.count()).unwrap_or(u64::MAX);
        let number = |name| field(name).expect("it is a number");
        [number("VmRSS:") * 1_024, files, number("Threads:")]
    }

    /// Bounds how far into a file the process may write, or lets it write anywhere again.
    pub fn limit_files(&self, most: Option<u64>) {
        let most = most.map_or("unlimited".to_owned(), |most| most.to_string());
        let status = Command::new("prlimit")
            .args(["--pid", &self.process.id().to_string()])
            .arg(format!("--fsize={most}:unlimited"))
            .status()
            .expect("`prlimit` of util-linux is there");
        assert!(status.success());
    }

    /// Ends the process as `kill -9` does.
    pub fn kill(mut self) {
        self.process.kill().expect("it is still there");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves an app if this process was started for that, until it is killed.
pub async fn serve_in_child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let manifest = Manifest::load(&folder.join("spin.toml")).expect("the manifest is valid");
    let settings = Settings::load(&folder.join("waypost.toml")).expect("the settings are valid");
    let mut options = HostOptions::new(folder, folder.join(".waypost"));
    let code = Path::new(env!("CARGO_TARGET_TMPDIR")).join("code");
    options.code_cache = CodeCache::open(&code, DEFAULT_CODE_CACHE_SIZE).expect("it is private");
    let host = Host::new(manifest, settings, options).expect("the host starts");
    let listen = || TcpListener::bind("127.0.0.1:0");
    let listener = listen().await.expect("a port is free");
    let admin = listen().await.expect("a port is free");
    let address = |listener: &TcpListener| listener.local_addr().expect("it is bound");
    println!("{SERVING}{} {}", address(&listener), address(&admin));
    let served = futures::join!(
        host.serve(listener, std::future::pending()),
        host.serve_admin(admin)
    );
    panic!("it serves until it is killed: {served:?}");
}
