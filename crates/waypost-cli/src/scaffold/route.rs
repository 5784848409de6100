//! The `Cargo.toml` and `route.rs` of a new route.

use std::fmt;

use clap::ValueEnum;
use toml_edit::{Array, DocumentMut, Item, Table};
use waypost_config::ComponentId;
use waypost_routing::{Pattern, Segment};

use super::manifest;

/// The longest line that rustfmt leaves as it is.
const LINE: usize = 100;

/// A method that a route can export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MethodName {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl MethodName {
    fn function(self) -> &'static str {
        match self {
            MethodName::Get => "get",
            MethodName::Head => "head",
            MethodName::Post => "post",
            MethodName::Put => "put",
            MethodName::Patch => "patch",
            MethodName::Delete => "delete",
            MethodName::Options => "options",
        }
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function().to_uppercase())
    }
}

/// Returns the manifest of a route's package, which inherits from the app's workspace whatever that has.
pub fn route_manifest(id: &ComponentId, workspace: &DocumentMut) -> String {
    let mut package = Table::new();
    package.insert("name", id.as_str().into());
    for (key, default) in [
        ("version", Some("0.1.0")),
        ("edition", Some("2024")),
        ("rust-version", None),
        ("license", None),
    ] {
        manifest::inherit_or(&mut package, workspace, key, default);
    }
    package.insert("publish", false.into());

    let mut lib = Table::new();
    lib.insert("path", "route.rs".into());
    lib.insert("crate-type", Array::from_iter(["cdylib"]).into());

    let mut dependencies = Table::new();
    for name in ["serde", "waypost"] {
        let dependency = manifest::dependency(name, workspace);
        dependencies.insert(name, dependency);
    }

    let mut document = DocumentMut::new();
    document.insert("package", Item::Table(package));
    document.insert("lib", Item::Table(lib));
    if workspace
        .get("workspace")
        .is_some_and(|workspace| workspace.get("lints").is_some())
    {
        document.insert("lints", Item::Table(manifest::lints()));
    }
    document.insert("dependencies", Item::Table(dependencies));
    document.to_string()
}

/// Returns the source of a route that responds to each method with a short text.
pub fn route_source(pattern: &Pattern, methods: &[MethodName]) -> String {
    let names: Vec<&str> = methods.iter().map(|method| method.function()).collect();
    let list: Vec<String> = methods.iter().map(ToString::to_string).collect();
    let mut source = format!("//! {} `{pattern}`.\n\n", list.join(", "));
    source += if has_params(pattern) {
        "use waypost::{Context, Request, Response, Result};\n\n"
    } else {
        "use waypost::{Request, Response, Result};\n\n"
    };
    source += &params_struct(pattern);
    for method in methods {
        source += &function(pattern, *method);
    }
    source + &format!("waypost::export!({});\n", names.join(", "))
}

fn has_params(pattern: &Pattern) -> bool {
    pattern.params().next().is_some()
}

fn function(pattern: &Pattern, method: MethodName) -> String {
    let name = method.function();
    if !has_params(pattern) {
        return format!(
            "async fn {name}(_req: Request) -> Result<Response> {{\n    \
             {body}\n}}\n\n",
            body = hello(&pattern.to_string())
        );
    }
    // A statement for each param, which rustfmt leaves on its line whatever the names are.
    let lines: String = fields(pattern).iter().map(Field::line).collect();
    format!(
        "async fn {name}(_req: Request, ctx: Context<Params>) -> Result<Response> {{\n    \
         let params = ctx.params;\n    \
         let mut text = String::new();\n\
         {lines}    \
         Ok(Response::new(text))\n}}\n\n"
    )
}

/// Returns the expression that responds with the pattern, broken into lines as by rustfmt.
fn hello(pattern: &str) -> String {
    let literal = format!("\"Hello from {}\\n\"", pattern.escape_debug());
    let line = format!("Ok(Response::new({literal}))");
    match line.chars().count() + 4 <= LINE {
        true => line,
        false => format!("Ok(Response::new(\n        {literal},\n    ))"),
    }
}

/// A field of the params struct.
struct Field {
    label: String,
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Many,
    Optional,
}

fn fields(pattern: &Pattern) -> Vec<Field> {
    pattern.segments().iter().filter_map(field).collect()
}

fn field(segment: &Segment) -> Option<Field> {
    let (name, kind) = match segment {
        Segment::Static(_) => return None,
        Segment::Param(name) => (name, Kind::One),
        Segment::CatchAll(name) => (name, Kind::Many),
        Segment::OptionalCatchAll(name) => (name, Kind::Optional),
    };
    Some(Field {
        label: name.as_str().to_owned(),
        name: identifier(name.as_str()),
        kind,
    })
}

impl Field {
    fn definition(&self) -> String {
        let kind = match self.kind {
            Kind::One => "String",
            Kind::Many => "Vec<String>",
            Kind::Optional => "Option<Vec<String>>",
        };
        let rename = match self.name.trim_start_matches("r#") == self.label {
            true => String::new(),
            false => format!("    #[serde(rename = \"{}\")]\n", self.label),
        };
        format!("{rename}    {}: {kind},\n", self.name)
    }

    /// Returns the statement that adds the value to the text.
    fn line(&self) -> String {
        let Field { label, name, kind } = self;
        let value = match kind {
            Kind::One => format!("params.{name}"),
            Kind::Many => format!("params.{name}.join(\"/\")"),
            Kind::Optional => format!("params.{name}.unwrap_or_default().join(\"/\")"),
        };
        let line = format!("    text += &format!(\"{label}: {{}}\\n\", {value});\n");
        if line.trim_end().len() <= LINE {
            return line;
        }
        format!("    text += &format!(\n        \"{label}: {{}}\\n\",\n        {value}\n    );\n")
    }
}

fn params_struct(pattern: &Pattern) -> String {
    if !has_params(pattern) {
        return String::new();
    }
    let fields: String = fields(pattern).iter().map(Field::definition).collect();
    format!("#[derive(serde::Deserialize)]\nstruct Params {{\n{fields}}}\n\n")
}

/// Returns the field name for a param: in snake case, and raw if it is a keyword.
fn identifier(param: &str) -> String {
    const NEVER_RAW: [&str; 5] = ["self", "Self", "super", "crate", "_"];
    let name = param.replace('-', "_");
    if NEVER_RAW.contains(&name.as_str()) {
        return format!("{name}_param");
    }
    match crate::component_id::is_keyword(&name) {
        true => format!("r#{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_with_params_has_a_typed_struct() {
        let pattern = Pattern::parse("u/[post-id]/[type]/[[...rest]]").unwrap();
        let source = route_source(&pattern, &[MethodName::Get, MethodName::Delete]);
        assert_eq!(
            source,
            r##"//! GET, DELETE `/u/[post-id]/[type]/[[...rest]]`.

use waypost::{Context, Request, Response, Result};

#[derive(serde::Deserialize)]
struct Params {
    #[serde(rename = "post-id")]
    post_id: String,
    r#type: String,
    rest: Option<Vec<String>>,
}

async fn get(_req: Request, ctx: Context<Params>) -> Result<Response> {
    let params = ctx.params;
    let mut text = String::new();
    text += &format!("post-id: {}\n", params.post_id);
    text += &format!("type: {}\n", params.r#type);
    text += &format!("rest: {}\n", params.rest.unwrap_or_default().join("/"));
    Ok(Response::new(text))
}

async fn delete(_req: Request, ctx: Context<Params>) -> Result<Response> {
    let params = ctx.params;
    let mut text = String::new();
    text += &format!("post-id: {}\n", params.post_id);
    text += &format!("type: {}\n", params.r#type);
    text += &format!("rest: {}\n", params.rest.unwrap_or_default().join("/"));
    Ok(Response::new(text))
}

waypost::export!(get, delete);
"##
        );
    }

    #[test]
    fn sources_are_formatted() {
        let long = "a-name-that-is-too-long-for-one-line";
        let patterns = [
            String::new(),
            "hello".to_owned(),
            "[a]".to_owned(),
            "[a]/[b]".to_owned(),
            "u/[post-id]/[type]/[[...rest]]".to_owned(),
            format!("{long}/{long}/{long}"),
            format!("[{long}]/[b]/[...{long}-too]"),
        ];
        for pattern in patterns {
            let parsed = Pattern::parse(&pattern).unwrap();
            let source = route_source(&parsed, &[MethodName::Get, MethodName::Delete]);
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("route.rs");
            std::fs::write(&file, &source).unwrap();
            let mut rustfmt = std::process::Command::new("rustfmt");
            let output = rustfmt
                .args(["--check", "--edition", "2024"])
                .arg(&file)
                .output();
            let output = output.expect("rustfmt is installed, as for the other checks");
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
    }

    #[test]
    fn a_route_without_params_needs_no_context() {
        let pattern = Pattern::parse("hello").unwrap();
        let source = route_source(&pattern, &[MethodName::Post]);
        assert!(source.contains("use waypost::{Request, Response, Result};"));
        assert!(source.contains("async fn post(_req: Request) -> Result<Response> {"));
        assert!(
            source.contains(r#"Response::new("Hello from /hello\n")"#),
            "{source}"
        );
        assert!(source.ends_with("\n\nwaypost::export!(post);\n"));
    }

    #[test]
    fn a_manifest_inherits_what_the_workspace_has() {
        let workspace: DocumentMut = "[workspace.package]\nedition = \"2024\"\n\
            [workspace.dependencies]\nwaypost = \"1\"\n"
            .parse()
            .unwrap();
        let id = "items-slug".parse().unwrap();
        assert_eq!(
            route_manifest(&id, &workspace),
            "[package]\n\
             name = \"items-slug\"\n\
             version = \"0.1.0\"\n\
             edition.workspace = true\n\
             publish = false\n\
             \n\
             [lib]\n\
             path = \"route.rs\"\n\
             crate-type = [\"cdylib\"]\n\
             \n\
             [dependencies]\n\
             serde = { version = \"1.0\", features = [\"derive\"] }\n\
             waypost.workspace = true\n"
        );
    }
}
