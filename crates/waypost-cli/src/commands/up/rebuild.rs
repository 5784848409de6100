//! Builds the app again after changes, while it is served.

use std::thread;

use tokio::sync::mpsc;

use super::UpCommand;
use super::router::Choice;
use crate::app::App;
use crate::build;
use crate::output;
use crate::route::Route;
use crate::serve::Version;
use crate::watch::Watch;

/// The number of changed files that are named.
const SHOWN: usize = 3;

/// Builds the app after each change, as long as a server receives the versions.
struct Rebuild {
    app: App,
    choice: Choice,
    watch: Watch,
    versions: mpsc::Sender<Version>,
}

impl UpCommand {
    /// Builds until the first version succeeds, and then after each change. Returns the first version, and a receiver
    /// for the others.
    pub(super) fn watch(&self, routes: Vec<Route>) -> (Version, Option<mpsc::Receiver<Version>>) {
        let (versions, updates) = mpsc::channel(1);
        let mut rebuild = Rebuild {
            watch: Watch::new(&self.app, &routes),
            app: self.app.clone(),
            choice: self.choice(),
            versions,
        };
        let mut result = self.watched_version(&routes, &mut rebuild.watch);
        let first = loop {
            rebuild.watch.forgive_made();
            match result {
                Ok(version) => break version.in_development(),
                Err(error) => output::error(&error),
            }
            output::note("Waiting for a change");
            rebuild.wait();
            let routes = rebuild.routes();
            result = routes.and_then(|routes| self.watched_version(&routes, &mut rebuild.watch));
        };
        // The thread ends with the process, or when the receiver is dropped.
        thread::spawn(move || rebuild.run());
        (first, Some(updates))
    }

    fn watched_version(&self, routes: &[Route], watch: &mut Watch) -> anyhow::Result<Version> {
        let (version, inputs) = self.version(routes, |files| watch.forgive(files))?;
        watch.follow_inputs(&inputs);
        Ok(version)
    }
}

impl Rebuild {
    fn run(mut self) {
        while self.wait() {
            let result = self.build();
            self.watch.forgive_made();
            match result {
                // If the receiver was dropped, there is nothing left to do.
                Ok(version) => drop(self.versions.blocking_send(version)),
                Err(error) => {
                    output::error(&error);
                    output::note("Still serving the last version; waiting for a change");
                }
            }
        }
    }

    /// Waits for a change, and prints it. Returns `false` if the receiver was dropped.
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
        let built = build::build_telling(&self.app, &routes, |files| watch.forgive(files))?;
        self.watch.follow_inputs(built.inputs());
        Ok(super::version_of(&self.app, &routes, &built, self.choice)?.in_development())
    }

    /// Returns the current routes, and watches the packages that they use.
    fn routes(&mut self) -> anyhow::Result<Vec<Route>> {
        let routes = crate::commands::scan(&self.app)?;
        self.watch.follow(&routes);
        Ok(routes)
    }
}
