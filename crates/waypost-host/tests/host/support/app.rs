//! Apps in temporary folders, and hosts that run them.

use super::{Client, log, program};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use waypost_host::{
    CodeCache, ComponentId, DEFAULT_CODE_CACHE_SIZE, Host, HostError, HostOptions, HostProfile,
    KeyValueStorage, Manifest, Settings, Stores,
};

/// An app that is being put together.
pub struct TestApp {
    folder: TempDir,
    manifest: String,
    settings: String,
    patterns: BTreeMap<ComponentId, String>,
    key_value: KeyValueStorage,
    development: bool,
    profile: HostProfile,
    patience: Duration,
}

impl TestApp {
    /// Starts with no component at all.
    pub fn new() -> Self {
        let manifest =
            "spin_manifest_version = 2\n[application]\nname = \"test\"\nversion = \"0.0.0\"\n";
        Self {
            folder: tempfile::tempdir().expect("a folder is to be had"),
            manifest: manifest.to_owned(),
            settings: String::new(),
            patterns: BTreeMap::new(),
            key_value: KeyValueStorage::Memory,
            development: false,
            profile: HostProfile::default(),
            patience: Duration::from_millis(200),
        }
    }

    /// Adds a component that runs the guest program of its name, with these lines of the manifest.
    pub fn component(self, name: &str, route: &str, lines: &str) -> Self {
        self.component_of(name, name, route, lines)
    }

    /// Adds a component that runs some guest program.
    pub fn component_of(mut self, id: &str, guest: &str, route: &str, lines: &str) -> Self {
        std::fs::copy(program(guest), self.path().join(format!("{id}.wasm")))
            .expect("the program is built");
        self.manifest += &format!(
            "[[trigger.http]]\nroute = {route}\ncomponent = \"{id}\"\n[component.{id}]\nsource = \"{id}.wasm\"\n{lines}\n"
        );
        self
    }

    /// Adds a component that no request from outside reaches.
    pub fn private(self, name: &str, lines: &str) -> Self {
        self.component(name, "{ private = true }", lines)
    }

    /// Adds the router, which may call all other components.
    pub fn router(self) -> Self {
        self.component(
            "router",
            "\"/...\"",
            "allowed_outbound_hosts = [\"http://*.spin.internal\", \"http://self\"]",
        )
    }

    /// Tells the pattern of a component's route, by which the settings name it.
    pub fn pattern(mut self, id: &str, pattern: &str) -> Self {
        let id = id.parse().expect("it is an id");
        self.patterns.insert(id, pattern.to_owned());
        self
    }

    /// Adds lines to the manifest.
    pub fn manifest(mut self, lines: &str) -> Self {
        self.manifest += lines;
        self
    }

    /// Adds lines to the settings.
    pub fn settings(mut self, lines: &str) -> Self {
        self.settings += lines;
        self
    }

    /// Keeps the key-value stores on disk.
    pub fn on_disk(mut self) -> Self {
        self.key_value = KeyValueStorage::Disk;
        self
    }

    /// Waits so long for a state folder that another host uses.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Behaves like another host.
    pub fn profile(mut self, profile: HostProfile) -> Self {
        self.profile = profile;
        self
    }

    /// Lets clients read causes.
    pub fn development(mut self) -> Self {
        self.development = true;
        self
    }

    /// Folder of the app.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes manifest and settings into the app's folder, for a host of another process.
    pub fn write(&self) {
        for (file, text) in [
            ("spin.toml", &self.manifest),
            ("waypost.toml", &self.settings),
        ] {
            std::fs::write(self.path().join(file), text).expect("the folder is writable");
        }
    }

    /// Makes the host.
    pub fn host(&self) -> Result<Host, HostError> {
        self.host_maker(None)()
    }

    /// Prepares a host, to be made in another thread say, which takes over `stores`.
    pub fn host_maker(
        &self,
        stores: Option<Stores>,
    ) -> impl FnOnce() -> Result<Host, HostError> + Send + 'static {
        log::start();
        let manifest = Manifest::parse(&self.manifest, &self.path().join("spin.toml"));
        let settings = Settings::parse(&self.settings, &self.path().join("waypost.toml"));
        let mut options = HostOptions::new(self.path(), self.state_dir());
        options.code_cache = self.code_cache();
        options.key_value = self.key_value.clone();
        options.patterns = self.patterns.clone();
        options.development = self.development;
        options.profile = self.profile;
        options.state_patience = self.patience;
        options.stores = stores;
        let manifest = manifest.expect("the manifest is valid");
        let settings = settings.expect("the settings are valid");
        move || Host::new(manifest, settings, options)
    }

    /// Starts the host on a free port.
    pub async fn start(self) -> Running {
        let host = self.host().expect("the host starts");
        self.serve(host).await
    }

    /// Serves with a host that was made for this app.
    pub async fn serve(self, host: Host) -> Running {
        let host = Arc::new(host);
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn({
            let host = Arc::clone(&host);
            async move {
                let stopped = async {
                    let _ = stopped.await;
                };
                host.serve(listener, stopped)
                    .await
                    .expect("the listener works");
            }
        });
        Running {
            app: self,
            host,
            address,
            stop: Some(stop),
            serving,
        }
    }

    /// Folder of the key-value stores.
    pub fn state_dir(&self) -> PathBuf {
        self.path().join(".waypost")
    }

    /// Folder of compiled code: of its own where the test is about state, else shared, to be quick.
    pub fn cache_dir(&self) -> PathBuf {
        match self.key_value {
            KeyValueStorage::Memory => Path::new(env!("CARGO_TARGET_TMPDIR")).join("code"),
            _ => self.path().join(".code"),
        }
    }

    fn code_cache(&self) -> CodeCache {
        CodeCache::open(&self.cache_dir(), DEFAULT_CODE_CACHE_SIZE).expect("the folder is private")
    }
}

/// An app that is served.
pub struct Running {
    pub app: TestApp,
    pub host: Arc<Host>,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Running {
    /// Opens a connection of HTTP/1.1.
    pub async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Asks for a path on a connection of its own.
    pub async fn get(&self, path: &str) -> super::Reply {
        self.client().await.get(path).await
    }

    /// Returns the value of a metric, given by its name and labels.
    pub async fn metric(&self, name: &str) -> u64 {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let mut client = Client::connect(address).await;
        let reply = tokio::select! {
            reply = client.get("/.well-known/waypost/metrics") => reply,
            _ = self.host.serve_admin(listener) => panic!("the listener works"),
        };
        let mut lines = reply.text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("no metric `{name}`"))
    }

    /// Tells the host to stop, and does not wait.
    pub fn stop(&mut self) {
        self.stop.take();
    }

    /// Waits until the host has stopped; gives the app back.
    pub async fn stopped(mut self) -> TestApp {
        self.stop();
        self.serving.await.expect("the host does not panic");
        assert_eq!(self.host.instances(), 0);
        self.app
    }
}
