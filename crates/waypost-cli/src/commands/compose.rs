//! `waypost compose`: links the whole app into one component.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use waypost_config::Fault;

use crate::abi::Abi;
use crate::app::App;
use crate::build::artefact;
use crate::cli::{AppArgs, here};
use crate::compose::{self, Below, CacheSize, Composition, Form, Selection, cache_warning};
use crate::failure::Failure;
use crate::output;
use crate::serve::Configuration;

/// Link the app into one component for any host of WASI HTTP
///
/// Builds every route, and links them with the router into one component of the standard world, which `wasmtime
/// serve` and any other host of WASI HTTP serve without a flag. Each route keeps a memory of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost compose                  make target/app.wasm
  cargo waypost compose -o shop.wasm     make shop.wasm
  cargo waypost compose --only /shop     take the routes /shop, /shop/[item]… and no other
  cargo waypost compose --cache 8MiB     cache responses in each instance
  wasmtime serve target/app.wasm         serve it with Wasmtime
  cargo waypost serve target/app.wasm    serve it with Waypost's host")]
pub struct ComposeArgs {
    /// The file to write [default: `target/app.wasm` in the app]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Include only the routes at or below a path; can be repeated
    #[arg(long, value_name = "PATH")]
    only: Vec<Below>,
    /// Exclude the routes at or below a path; can be repeated
    #[arg(long, value_name = "PATH")]
    except: Vec<Below>,
    /// The version of WASI HTTP of the host. `wasmtime serve` needs `-W timeout=30s` for 0.2
    #[arg(long, value_name = "VERSION", default_value = "0.3")]
    wasi: Abi,
    /// Cache responses in the memory of each instance, up to this size [default: no cache]. An instance has its own cache, and
    /// what is revalidated is revalidated in one instance
    #[arg(long, value_name = "SIZE")]
    cache: Option<CacheSize>,
    #[command(flatten)]
    app: AppArgs,
}

/// A composition of one app.
pub struct ComposeCommand {
    app: App,
    form: Form,
    selection: Selection,
    output: PathBuf,
}

impl ComposeArgs {
    pub fn resolve(self) -> anyhow::Result<ComposeCommand> {
        let app = self.app.find()?;
        let output = match self.output {
            Some(file) => here()?.join(file),
            None => app.root().join("target").join("app.wasm"),
        };
        if output.is_dir() {
            let message = format!("`{}` is a folder", output.display());
            return Err(Failure::new(message).hint("`--output` names a file").into());
        }
        Ok(ComposeCommand {
            app,
            form: Form {
                abi: self.wasi,
                cache: self.cache,
            },
            selection: Selection {
                only: self.only,
                except: self.except,
            },
            output,
        })
    }
}

impl ComposeCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        let routes = super::scan(&self.app)?;
        let configuration = Configuration::load(&self.app, &routes)?;
        let environments = configuration.environments();
        let composition = compose::compose(
            &self.app,
            &routes,
            &self.selection,
            self.form,
            &environments,
        )?;
        let Form { abi, cache } = self.form;
        let shown = self.output.display();
        artefact::write(&self.output, &composition.component)
            .with_context(|| format!("cannot write `{shown}`"))?;
        let size = composition.component.len();
        let count = output::routes(composition.routes);
        output::print(&format!(
            "Composed {count} of {abi}: {shown} ({size} bytes)\n"
        ));
        let taken = routes.iter().filter(|route| self.selection.takes(route));
        let taken: BTreeSet<&str> = taken.map(|route| route.id().as_str()).collect();
        configuration
            .lost_in_a_composition(|id| taken.contains(id))
            .iter()
            .for_each(output::fault);
        compose::warnings(&composition.uncompacted)
            .iter()
            .for_each(output::fault);
        cache_warning(&composition.cached, cache)
            .iter()
            .for_each(output::fault);
        if !warn_of_small_pools(&composition, abi) && abi == Abi::Wasi02 {
            output::note(&format!(
                "Serve it with a timeout: `wasmtime serve {TIMEOUT} {shown}`. Without one, a streamed echo can occupy a core for ever"
            ));
        }
        Ok(())
    }
}

/// The flag that a composition for WASI 0.2 needs on `wasmtime serve` (`docs/compose.md`).
const TIMEOUT: &str = "-W timeout=30s";

/// Warns if the pools of `wasmtime serve` hold only a few instances of the app, or none: requests beyond them fail
/// with a 500. Returns whether it warns.
fn warn_of_small_pools(composition: &Composition, abi: Abi) -> bool {
    let demand = &composition.demand;
    let flags = demand.flags();
    if let Some(flags) = &flags {
        let warning = match demand.instances() {
            0 => "the composition is too large for `wasmtime serve` without flags".to_owned(),
            instances => {
                format!(
                    "`wasmtime serve` has room for {instances} instances of the composition by default"
                )
            }
        };
        let timeout = match abi {
            Abi::Wasi02 => format!("{TIMEOUT} "),
            Abi::Wasi03 => String::new(),
        };
        let hint = format!("serve it with `wasmtime serve {timeout}{flags} FILE`");
        output::fault(&Fault::warning(warning).hint(hint));
    }
    flags.is_some()
}
