//! Chooses the router: the component, or the same code built into the host.

use std::path::PathBuf;

use waypost_config::read_text_file;

use crate::app::App;
use crate::failure::Failure;
use crate::scaffold::ROUTER_SOURCE;
use crate::serve::HostProfile;

/// How the router runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum RouterKind {
    /// Built into the host: the same code, without an instance for each request
    Native,
    /// The component that other hosts run
    Component,
}

/// The options that decide which router is used.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) asked: Option<RouterKind>,
    pub(super) profile: HostProfile,
}

/// Returns the route table for the built-in router, or `None` if the router runs as a component.
///
/// The built-in router is the default, unless the app's router has code of its own or another host is imitated.
///
/// # Errors
///
/// When `--router native` is given and the router has to run as a component.
pub(super) fn native(app: &App, choice: Choice) -> anyhow::Result<Option<PathBuf>> {
    let Choice { asked, profile } = choice;
    if asked == Some(RouterKind::Component) {
        return Ok(None);
    }
    let obstacle = match profile {
        HostProfile::Spin => Some("on Spin the router is a component"),
        _ if !is_own(app) => Some("`router/src/lib.rs` is not the one that `new` makes"),
        _ => None,
    };
    match obstacle {
        None => Ok(Some(app.routes_txt())),
        Some(_) if asked.is_none() => Ok(None),
        Some(why) => Err(
            Failure::new(format!("the built-in router can't be used: {why}"))
                .hint("omit `--router native`")
                .into(),
        ),
    }
}

/// Returns whether the router has the source that `new` writes. A source that can't be read has not; the build
/// reports the reason.
fn is_own(app: &App) -> bool {
    read_text_file(app.router_source()).is_ok_and(|source| code(&source) == code(ROUTER_SOURCE))
}

/// Returns a source without white space and without lines that are comments.
fn code(source: &str) -> String {
    let lines = source.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with("//"));
    lines
        .flat_map(str::chars)
        .filter(|character| !character.is_whitespace())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn app(source: &str) -> (tempfile::TempDir, App) {
        let folder = tempfile::tempdir().unwrap();
        for below in ["handlers", "router/src"] {
            fs::create_dir_all(folder.path().join(below)).unwrap();
        }
        fs::write(folder.path().join("spin.toml"), "").unwrap();
        fs::write(folder.path().join("router/src/lib.rs"), source).unwrap();
        let app = App::at(folder.path()).unwrap();
        (folder, app)
    }

    #[test]
    fn the_host_runs_a_router_that_is_as_it_was_made() {
        let (_folder, app) = app(ROUTER_SOURCE);
        let native = |asked, profile| native(&app, Choice { asked, profile });
        let routes = Some(app.routes_txt());
        for asked in [None, Some(RouterKind::Native)] {
            assert_eq!(native(asked, HostProfile::Waypost).unwrap(), routes);
        }
        let component = Some(RouterKind::Component);
        assert_eq!(native(component, HostProfile::Waypost).unwrap(), None);
        assert_eq!(native(None, HostProfile::Spin).unwrap(), None);
        assert!(native(Some(RouterKind::Native), HostProfile::Spin).is_err());
    }

    #[test]
    fn a_router_with_code_of_its_own_is_a_component() {
        let (_folder, app) = app(&format!("{ROUTER_SOURCE}\n\nfn more() {{}}\n"));
        let native = |asked| {
            native(
                &app,
                Choice {
                    asked,
                    profile: HostProfile::Waypost,
                },
            )
        };
        assert_eq!(native(None).unwrap(), None);
        let error = native(Some(RouterKind::Native)).unwrap_err();
        assert!(error.to_string().contains("is not the one"), "{error}");
    }
}
