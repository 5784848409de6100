//! `waypost new`: creates an app.

mod outer;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::here;
use crate::failure::Failure;
use crate::output;
use crate::scaffold::{self, AppName};

/// Create an app
///
/// Writes a Cargo workspace with a router and one route into a new folder. The app can be built and served at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost new shop                    make the app `shop` in the folder `shop`
  cd shop && cargo waypost up               build it and serve it
  curl http://127.0.0.1:3000/hello          call its first route")]
pub struct NewArgs {
    /// The folder to create; its last part is the app's name
    #[arg(value_name = "NAME")]
    folder: PathBuf,
}

/// A new app in a folder of its own.
pub struct NewCommand {
    shown: PathBuf,
    folder: PathBuf,
    name: AppName,
}

impl NewArgs {
    pub fn resolve(self) -> anyhow::Result<NewCommand> {
        let folder = here()?.join(&self.folder);
        let name = self.folder.file_name().unwrap_or(self.folder.as_os_str());
        let name = name.to_string_lossy().parse()?;
        Ok(NewCommand {
            shown: self.folder,
            folder,
            name,
        })
    }
}

impl NewCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        self.refuse_existing()?;
        let checkout = scaffold::checkout();
        for (file, text) in scaffold::files(&self.name, checkout.as_deref()) {
            write(&self.folder.join(file), &text)?;
        }
        if let Some(warning) = outer::warning(&self.folder) {
            output::fault(&warning);
        }
        let shown = self.shown.display();
        output::print(&format!(
            "Created the app `{shown}`. Next:\n  cd {shown}\n  cargo waypost up\n"
        ));
        Ok(())
    }

    fn refuse_existing(&self) -> anyhow::Result<()> {
        let shown = self.shown.display();
        if !self.folder.exists() {
            return Ok(());
        }
        let mut entries = fs::read_dir(&self.folder)
            .with_context(|| format!("`{shown}` exists and is not a folder that can be read"))?;
        match entries.next() {
            None => Ok(()),
            Some(_) => Err(
                Failure::new(format!("the folder `{shown}` exists and is not empty"))
                    .hint("choose another name, or empty the folder")
                    .into(),
            ),
        }
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder `{}`", folder.display()))?;
    }
    fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))
}
