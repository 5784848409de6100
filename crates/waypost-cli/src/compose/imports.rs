//! The imports of a composed router: a world with one handler a route, and the Rust that calls them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::abi::Abi;
use crate::app::App;
use crate::build;
use crate::scan::Route;

/// The WASI packages that the world of 0.3 needs: what it uses, and what that uses.
const WASI_0_3: [(&str, &str); 6] = [
    ("cli.wit", include_str!("../../../../wit/deps/cli.wit")),
    (
        "clocks.wit",
        include_str!("../../../../wit/deps/clocks.wit"),
    ),
    (
        "filesystem.wit",
        include_str!("../../../../wit/deps/filesystem.wit"),
    ),
    ("http.wit", include_str!("../../../../wit/deps/http.wit")),
    (
        "random.wit",
        include_str!("../../../../wit/deps/random.wit"),
    ),
    (
        "sockets.wit",
        include_str!("../../../../wit/deps/sockets.wit"),
    ),
];

/// The name by which the router imports a handler, and a composition finds it.
pub(super) fn name(id: &str) -> String {
    format!("route-{id}")
}

/// Writes the world and the Rust into the app's build folder; gives the Rust file.
///
/// # Errors
///
/// When the folder can't be written.
pub(super) fn write(app: &App, routes: &[Route], abi: Abi) -> anyhow::Result<PathBuf> {
    let folder = build::composed_folder(app, abi)?;
    let wit = folder.join("wit");
    let ids: Vec<&str> = routes.iter().map(|route| route.id().as_str()).collect();
    for (name, text) in WASI_0_3 {
        put(&wit.join("deps").join(name), text)?;
    }
    put(&wit.join("router.wit"), &world(&ids))?;
    let rust = folder.join("handlers.rs");
    put(&rust, &bindings(&ids, &wit))?;
    Ok(rust)
}

/// Writes a file, unless it is there already: Cargo would build again.
fn put(file: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .with_context(|| format!("cannot write `{}`", file.display()))
}

fn world(ids: &[&str]) -> String {
    let mut text = "package waypost:composed;\n\nworld router {\n".to_owned();
    for id in ids {
        let name = name(id);
        let import = format!(
            "  import {name}: interface {{\n    \
               use wasi:http/types@0.3.0.{{request, response, error-code}};\n    \
               handle: async func(request: request) -> result<response, error-code>;\n  }}\n"
        );
        text.push_str(&import);
    }
    text + "}\n"
}

fn bindings(ids: &[&str], wit: &Path) -> String {
    let mut arms = String::new();
    for id in ids {
        let module = name(id).replace('-', "_");
        // Writing to a text can't fail.
        let _ = writeln!(arms, "        {id:?} => {module}::handle(request).await,");
    }
    format!(
        r#"// Made by `waypost compose`.
use waypost_router::wasi03::wasip3;
use wasip3::http::types::{{ErrorCode, Request, Response}};

wasip3::wit_bindgen::generate!({{
    world: "router",
    path: {wit:?},
    runtime_path: "waypost_router::wasi03::wasip3::wit_bindgen::rt",
    with: {{
        "wasi:clocks/types@0.3.0": wasip3::clocks::types,
        "wasi:http/types@0.3.0": wasip3::http::types,
    }},
    generate_all,
}});

pub async fn call(id: &str, request: Request) -> Option<Result<Response, ErrorCode>> {{
    Some(match id {{
{arms}        _ => return None,
    }})
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_is_an_import() {
        let world = world(&["hello", "items-slug"]);
        assert!(
            world
                .contains("  import route-items-slug: interface {\n    use wasi:http/types@0.3.0.")
        );
        let bindings = bindings(&["hello", "items-slug"], Path::new("a b/wit"));
        assert!(bindings.contains("\"items-slug\" => route_items_slug::handle(request).await,\n"));
        assert!(bindings.contains("path: \"a b/wit\","));
    }
}
