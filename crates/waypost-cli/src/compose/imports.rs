//! Writes the imports of a composed router: a world with one handler for each route, and the Rust code that calls
//! them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use waypost_cache::Policy;
use waypost_config::read_text_file;

use super::CacheSize;
use crate::abi::Abi;
use crate::app::App;
use crate::build;
use crate::route::Route;

/// Returns the names and texts of WIT files in a folder.
macro_rules! files {
    ($folder:literal: $($file:literal)*) => {
        &[$(($file, include_str!(concat!("../../wit/", $folder, "/", $file)))),*]
    };
}

/// The packages of WASI 0.2 that the world uses, directly or indirectly.
const WASI_0_2: &[(&str, &str)] = files!("wasi-0.2": "cli.wit" "clocks.wit" "filesystem.wit" "http.wit" "io.wit" "random.wit" "sockets.wit");

/// The packages of WASI 0.3 that the world uses, directly or indirectly.
const WASI_0_3: &[(&str, &str)] =
    files!("deps": "cli.wit" "clocks.wit" "filesystem.wit" "http.wit" "random.wit" "sockets.wit");

/// Returns the name by which the router imports a handler.
pub(super) fn name(id: &str) -> String {
    format!("route-{id}")
}

/// Writes the world and the Rust code into the app's build folder, and returns the Rust file.
///
/// # Errors
///
/// When the folder can't be written.
pub(super) fn write(
    app: &App,
    routes: &[&Route],
    abi: Abi,
    caching: Option<(CacheSize, &[(String, Policy)])>,
) -> anyhow::Result<PathBuf> {
    let folder = build::composed_folder(app, abi)?;
    let wit = folder.join("wit");
    let ids: Vec<&str> = routes.iter().map(|route| route.id().as_str()).collect();
    let (packages, world, rust) = match abi {
        Abi::Wasi02 => (WASI_0_2, world(&ids, SHAPE_0_2), rust_0_2(&ids, &wit)),
        Abi::Wasi03 => (WASI_0_3, world(&ids, SHAPE_0_3), rust_0_3(&ids, &wit)),
    };
    for (name, text) in packages {
        put(&wit.join("deps").join(name), text)?;
    }
    put(&wit.join("router.wit"), &world)?;
    let file = folder.join("handlers.rs");
    let caching = caching.map(|(size, policies)| cache(size, policies));
    put(
        &file,
        &(rust + &table(app, &ids)? + &caching.unwrap_or_default()),
    )?;
    Ok(file)
}

/// Returns the table of the routes in the composition, as Rust code.
fn table(app: &App, ids: &[&str]) -> anyhow::Result<String> {
    let file = app.routes_txt();
    let text =
        read_text_file(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let is_there = |line: &&str| line.split(' ').next().is_some_and(|id| ids.contains(&id));
    let lines: String = text
        .lines()
        .filter(is_there)
        .fold(String::new(), |lines, line| lines + line + "\n");
    Ok(format!("\npub const ROUTES: &str = {lines:?};\n"))
}

/// Returns the cache policies, and the size of the cache in bytes, as Rust code.
fn cache(size: CacheSize, policies: &[(String, Policy)]) -> String {
    let line = |(id, policy): &(String, Policy)| format!("{id} {}\n", policy.to_draft().to_line());
    let lines: String = policies.iter().map(line).collect();
    let size = size.bytes();
    format!("pub const POLICIES: &str = {lines:?};\npub const CACHE: usize = {size};\n")
}

/// The interface of a handler of WASI 0.2.
const SHAPE_0_2: &str = r"    use wasi:http/types@0.2.12.{incoming-request, response-outparam};
    handle: func(request: incoming-request, response-out: response-outparam);
";

/// The interface of a handler of WASI 0.3.
const SHAPE_0_3: &str = r"    use wasi:http/types@0.3.0.{request, response, error-code};
    handle: async func(request: request) -> result<response, error-code>;
";

/// Writes a file, unless it has the text already, because Cargo would build again.
fn put(file: &Path, text: &str) -> anyhow::Result<()> {
    if read_text_file(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .with_context(|| format!("cannot write `{}`", file.display()))
}

fn world(ids: &[&str], shape: &str) -> String {
    let import = |id: &&str| format!("  import {}: interface {{\n{shape}  }}\n", name(id));
    let imports: String = ids.iter().map(import).collect();
    format!("package waypost:composed;\n\nworld router {{\n{imports}}}\n")
}

/// Returns the arms of a `match` that calls a handler by its id; `then` is the call, after the path of the module.
fn arms(ids: &[&str], then: &str) -> String {
    let arm = |id: &&str| {
        let module = name(id).replace('-', "_");
        format!("        {id:?} => {module}::{then},\n")
    };
    ids.iter().map(arm).collect()
}

fn rust_0_2(ids: &[&str], wit: &Path) -> String {
    let arms = arms(ids, "handle(request, response)");
    format!(
        r#"// Made by `waypost compose`.
use waypost_router::wasi02::wasip2;
use waypost_router::wasi02::wit_bindgen;
use wasip2::http::types::{{IncomingRequest, ResponseOutparam}};

wit_bindgen::generate!({{
    world: "router",
    path: {wit:?},
    runtime_path: "waypost_router::wasi02::wit_bindgen::rt",
    with: {{
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    }},
}});

pub fn call(
    id: &str,
    request: IncomingRequest,
    response: ResponseOutparam,
) -> Option<ResponseOutparam> {{
    match id {{
{arms}        _ => return Some(response),
    }}
    None
}}
"#
    )
}

fn rust_0_3(ids: &[&str], wit: &Path) -> String {
    let arms = arms(ids, "handle(request).await");
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
        let ids = ["hello", "items-slug"];
        let world = world(&ids, SHAPE_0_3);
        assert!(
            world
                .contains("  import route-items-slug: interface {\n    use wasi:http/types@0.3.0.")
        );
        let rust = rust_0_3(&ids, Path::new("a b/wit"));
        assert!(rust.contains("\"items-slug\" => route_items_slug::handle(request).await,\n"));
        assert!(rust.contains("path: \"a b/wit\","));
        let rust = rust_0_2(&ids, Path::new("wit"));
        assert!(rust.contains("\"hello\" => route_hello::handle(request, response),\n"));
    }
}
