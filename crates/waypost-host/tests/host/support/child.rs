//! Hosts in processes of their own, which a test can kill, or take the disk from.

use super::TestApp;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::net::TcpListener;
use waypost_host::{Host, HostOptions, Manifest, Settings};

/// Names the folder of the app, for the process that serves it.
const FOLDER: &str = "WAYPOST_TEST_CHILD";

/// What the line with the addresses begins with.
const SERVING: &str = "serving ";

/// A host in a process of its own. It ends when it is dropped.
pub struct Child {
    process: std::process::Child,
    pub address: SocketAddr,
    pub admin: SocketAddr,
}

impl Child {
    /// Serves an app in this test program, by the test `name`, which calls [`serve_in_child`]. A signal for writing
    /// beyond the limit of a file's size does not end it.
    pub fn start(app: &TestApp, name: &str) -> Self {
        app.write();
        let program = std::env::current_exe().expect("this program has a file");
        let mut process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(program)
            .args(["--exact", name, "--nocapture"])
            .env(FOLDER, app.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = process.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let line = lines.find_map(|line| Some(line.split_once(SERVING)?.1.to_owned()));
        let line = line.expect("the host serves");
        let (address, admin) = line.split_once(' ').expect("there are two addresses");
        Self {
            process,
            address: address.parse().expect("it is an address"),
            admin: admin.parse().expect("it is an address"),
        }
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
    let options = HostOptions::new(folder, folder.join(".waypost"));
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
