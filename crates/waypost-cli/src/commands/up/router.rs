//! Which router serves: the component, or the same code as a part of the host.

use std::path::PathBuf;

use waypost_config::read_text_file;

use crate::app::App;
use crate::failure::Failure;
use crate::host::Manner;
use crate::scaffold::ROUTER_SOURCE;

/// How the router runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum RouterKind {
    /// As a part of the host: the same code, without an instance for each request
    Native,
    /// As the component that other hosts run
    Component,
}

/// What is known of the router before its source is looked at.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) asked: Option<RouterKind>,
    pub(super) manner: Manner,
}

/// Gives the table of routes of the router that the host itself runs; none where the component does.
///
/// Unless something else is asked for the host does, where it can: a router with code of its own is run as it is, and
/// so is that of an app that is to do as on another host.
///
/// # Errors
///
/// When what was asked for can't be had.
pub(super) fn native(app: &App, choice: Choice) -> anyhow::Result<Option<PathBuf>> {
    let Choice { asked, manner } = choice;
    if asked == Some(RouterKind::Component) {
        return Ok(None);
    }
    let obstacle = match manner {
        Manner::Spin => Some("on Spin the router is a component"),
        _ if !is_own(app) => Some("`router/src/lib.rs` is not the one that `new` makes"),
        _ => None,
    };
    match obstacle {
        None => Ok(Some(app.routes_txt())),
        Some(_) if asked.is_none() => Ok(None),
        Some(why) => Err(
            Failure::new(format!("the host can't run this router itself: {why}"))
                .hint("leave `--router native` out")
                .into(),
        ),
    }
}

/// A router whose source can't be read is none of ours; what is wrong with it, the build tells.
fn is_own(app: &App) -> bool {
    read_text_file(app.router_source()).is_ok_and(|source| code(&source) == code(ROUTER_SOURCE))
}

/// What is left of a source without comments at the beginning of a line, and without white space.
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
        let native = |asked, manner| native(&app, Choice { asked, manner });
        let routes = Some(app.routes_txt());
        for asked in [None, Some(RouterKind::Native)] {
            assert_eq!(native(asked, Manner::Waypost).unwrap(), routes);
        }
        let component = Some(RouterKind::Component);
        assert_eq!(native(component, Manner::Waypost).unwrap(), None);
        assert_eq!(native(None, Manner::Spin).unwrap(), None);
        assert!(native(Some(RouterKind::Native), Manner::Spin).is_err());
    }

    #[test]
    fn a_router_with_code_of_its_own_is_a_component() {
        let (_folder, app) = app(&format!("{ROUTER_SOURCE}\n\nfn more() {{}}\n"));
        let native = |asked| {
            native(
                &app,
                Choice {
                    asked,
                    manner: Manner::Waypost,
                },
            )
        };
        assert_eq!(native(None).unwrap(), None);
        let error = native(Some(RouterKind::Native)).unwrap_err();
        assert!(error.to_string().contains("is not the one"), "{error}");
    }
}
