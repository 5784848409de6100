//! `waypost serve`: serves any component of WASI HTTP on Waypost's host.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use waypost_config::{Fault, Faults};

use crate::abi::Abi;
use crate::cli::here;
use crate::describe;
use crate::failure::Failure;
use crate::listen::Listen;
use crate::output;
use crate::serve::{self, CacheArgs, Configuration, DEFAULT_LISTEN, InstanceSize, Loading};

/// Serve one component of WASI HTTP
///
/// Serves the output of `compose`, a single route, or any other component of `wasi:http/service` (0.3) or
/// `wasi:http/proxy` (0.2), with the default limits. It gets the interfaces of WASI HTTP and nothing else: no stores,
/// no files.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost serve target/app.wasm                          serve http://127.0.0.1:3000
  cargo waypost serve app.wasm --listen 127.0.0.1:0            serve on a free port and print it
  cargo waypost serve app.wasm --allow https://api.example.com let it send requests there")]
pub struct ServeArgs {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The address to listen on [default: 127.0.0.1:3000; port 0 takes a free one]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Listen>,
    /// The address for health and metrics, which should not be public [default: none]
    #[arg(long, value_name = "ADDR")]
    admin: Option<Listen>,
    /// A host to which the component may send requests, such as `https://example.com`; can be repeated
    #[arg(long, value_name = "URL")]
    allow: Vec<String>,
    #[command(flatten)]
    cache: CacheArgs,
}

/// One component to serve.
pub struct ServeCommand {
    file: PathBuf,
    folder: PathBuf,
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    allow: Vec<String>,
    cache: CacheArgs,
}

impl ServeArgs {
    pub fn resolve(self) -> anyhow::Result<ServeCommand> {
        let folder = here()?;
        let listen = self.listen.as_ref().map(Listen::resolve).transpose()?;
        Ok(ServeCommand {
            file: folder.join(self.file),
            listen: listen.unwrap_or(DEFAULT_LISTEN),
            admin: self.admin.as_ref().map(Listen::resolve).transpose()?,
            allow: self.allow,
            cache: self.cache,
            folder,
        })
    }
}

impl ServeCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let size = check(&self.file)?;
        serve::probe(self.listen)?;
        self.admin.map_or(Ok(()), serve::probe)?;
        let configuration = Configuration::of_component(&self.file, &self.allow, size)?;
        let place = serve::Place {
            root: &self.folder,
            // A component without stores leaves nothing there.
            state_dir: &self.folder,
            code_cache: self.cache.open()?,
            address: self.listen,
            admin: self.admin,
            loading: Loading::Eager,
            profile: serve::HostProfile::default(),
        };
        output::note("Loading the component; it is compiled first if it is not in the cache");
        let version = serve::Version::new(configuration, &[], size);
        serve::serve(&place, version, None)
    }
}

/// Checks that the file is a component of WASI HTTP with no other imports, and returns the size of an instance.
fn check(file: &Path) -> anyhow::Result<InstanceSize> {
    let shown = file.display();
    let anatomy = describe::anatomy(file).with_context(|| format!("`{shown}` can't be served"))?;
    Abi::of(&anatomy.exports).map_err(|none| {
        let hint = none.hint("`cargo waypost compose` makes one that does");
        Failure::new(format!("`{shown}` {none}")).hint(hint)
    })?;
    let is_standard = |import: &String| import.starts_with("wasi:") && serve::is_offered(import);
    let foreign = anatomy.imports.iter().filter(|import| !is_standard(import));
    let faults = foreign.map(|import| {
        Fault::error(format!("the component imports `{import}`"))
            .file(shown.to_string())
            .hint("`serve` offers only WASI HTTP; `cargo waypost up` serves apps with stores")
    });
    Faults::refuse(faults.collect())?;
    Ok(anatomy.instance_size())
}
