//! Building again what changed, beside the server that serves it.

use std::thread;

use tokio::sync::mpsc;

use super::UpCommand;
use super::router::Choice;
use crate::app::App;
use crate::build;
use crate::host::Version;
use crate::output;
use crate::scan::Route;
use crate::watch::Watch;

/// How many names of changed files are shown.
const SHOWN: usize = 3;

/// Builds and builds, as long as there is somebody to serve what comes of it.
struct Rebuild {
    app: App,
    choice: Choice,
    watch: Watch,
    versions: mpsc::Sender<Version>,
}

impl UpCommand {
    /// Builds until a version comes of it, and then whenever a file changes. Gives the first, and those that follow.
    pub(super) fn watch(&self, routes: Vec<Route>) -> (Version, Option<mpsc::Receiver<Version>>) {
        let (versions, updates) = mpsc::channel(1);
        let mut rebuild = Rebuild {
            watch: Watch::new(&self.app, &routes),
            app: self.app.clone(),
            choice: self.choice(),
            versions,
        };
        let watch = &mut rebuild.watch;
        let mut result = self.version(&routes, || watch.forgive_in_step());
        let first = loop {
            rebuild.watch.forgive_made();
            match result {
                Ok(version) => break version.with_short_grace(),
                Err(error) => output::error(&error),
            }
            output::note("Waiting for a change");
            rebuild.wait();
            result = rebuild.routes().and_then(|routes| {
                let watch = &mut rebuild.watch;
                self.version(&routes, || watch.forgive_in_step())
            });
        };
        // It ends with the process, or when nobody takes what it makes.
        thread::spawn(move || rebuild.run());
        (first, Some(updates))
    }
}

impl Rebuild {
    fn run(mut self) {
        while self.wait() {
            let result = self.build();
            self.watch.forgive_made();
            match result {
                // Nobody may be left to take it: then there is nothing to wait for either.
                Ok(version) => drop(self.versions.blocking_send(version)),
                Err(error) => {
                    output::error(&error);
                    output::note("The version before goes on; waiting for a change");
                }
            }
        }
    }

    /// Waits for a change, and tells it; `false` when nobody serves any more.
    fn wait(&mut self) -> bool {
        let changed = self.watch.wait(|| self.versions.is_closed());
        let (shown, more) = changed.split_at(changed.len().min(SHOWN));
        match more.len() {
            0 if shown.is_empty() => return false,
            0 => output::note(&format!("Changed: {}", shown.join(", "))),
            more => output::note(&format!("Changed: {} and {more} more", shown.join(", "))),
        }
        true
    }

    fn build(&mut self) -> anyhow::Result<Version> {
        let routes = self.routes()?;
        let watch = &mut self.watch;
        let built = build::build_telling(&self.app, &routes, || watch.forgive_in_step())?;
        Ok(super::version_of(&self.app, &routes, &built, self.choice)?.with_short_grace())
    }

    /// The routes as they are now, and the packages that they use.
    fn routes(&mut self) -> anyhow::Result<Vec<Route>> {
        let routes = crate::commands::scan(&self.app)?;
        self.watch.follow(&routes);
        Ok(routes)
    }
}
