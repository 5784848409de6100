//! The names of a route's package, which are names of its component too: its id in `spin.toml`, its host name below
//! `spin.internal`, and the file that Cargo builds.

use waypost_config::ComponentId;
use waypost_routing::{Pattern, Segment};

/// The component that has the public address.
pub const ROUTER: &str = "router";

/// Derives an id from a pattern: `/items/[slug]` is `items-slug`, `/` is `root`.
///
/// `taken` returns whether a name is in use; names that Cargo or Rust reserve are avoided as well.
#[expect(
    clippy::expect_used,
    reason = "each name is a valid id, and there are more numbers than names in use"
)]
pub fn derive(pattern: &Pattern, taken: impl Fn(&str) -> bool) -> ComponentId {
    let plain = plain_id(pattern);
    let marked = format!("{plain}-route");
    let numbered = (2..).map(|number| format!("{plain}-route-n{number}"));
    [plain.clone(), marked]
        .into_iter()
        .chain(numbered)
        .filter(|name| !is_reserved(name) && !taken(name))
        .find_map(|name| ComponentId::parse_lowercase(&name).ok())
        .expect("each name is a valid id, and there are more numbers than names in use")
}

/// Returns the name of the file that Cargo builds from a route's package: `items_slug.wasm`.
pub fn file_name(id: &ComponentId) -> String {
    format!("{}.wasm", id.as_str().replace('-', "_"))
}

/// Returns where Cargo puts a route's component, relative to the app's folder.
pub fn source(id: &ComponentId) -> String {
    format!("target/wasm32-wasip2/release/{}", file_name(id))
}

fn plain_id(pattern: &Pattern) -> String {
    let mut words = Vec::new();
    for segment in pattern.segments() {
        add_words(segment_text(segment), &mut words);
    }
    match (words.is_empty(), pattern.segments().is_empty()) {
        (true, true) => "root".to_owned(),
        (true, false) => "route".to_owned(),
        (false, _) => words.join("-"),
    }
}

fn segment_text(segment: &Segment) -> &str {
    match segment {
        Segment::Static(name) => name,
        Segment::Param(name) | Segment::CatchAll(name) | Segment::OptionalCatchAll(name) => {
            name.as_str()
        }
    }
}

/// Adds the words of a name. A word of an id begins with a letter, so a number is joined to the word before it (`items404`), to the
/// number before its point (`v1p0`, "1 point 0"), or gets an `n` (number) in front (`n2024`).
fn add_words(text: &str, words: &mut Vec<String>) {
    let is_digit = |c: char| c.is_ascii_digit();
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let mut is_after_point = false;
    for part in parts {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let word = word.to_ascii_lowercase();
        match words.last_mut().filter(|_| word.starts_with(is_digit)) {
            _ if word.is_empty() => {}
            Some(last) if !last.ends_with(is_digit) => last.push_str(&word),
            Some(last) if is_after_point => last.extend(["p", &word]),
            None if !word.starts_with(is_digit) => words.push(word),
            _ => words.push(format!("n{word}")),
        }
        is_after_point = part.ends_with('.');
    }
}

/// The keywords of Rust, strict and reserved, of all editions.
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else \
    enum extern false final fn for gen if impl in let loop macro match mod move mut override priv \
    pub ref return self static struct super trait true try type typeof unsafe unsized use virtual \
    where while yield";

/// The crates of Rust and of Waypost.
const CRATES: &str = "alloc core proc-macro std test waypost waypost-cli waypost-config waypost-host \
    waypost-macros waypost-router waypost-routing router";

/// Names that Windows reserves for devices, in any folder and with any extension.
const DEVICES: &str = "aux con nul prn com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 \
    lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9";

/// Returns whether a name is a keyword of Rust.
pub fn is_keyword(name: &str) -> bool {
    KEYWORDS.split_whitespace().any(|keyword| keyword == name)
}

/// Returns whether a name is unsuitable for a package.
fn is_reserved(name: &str) -> bool {
    let lists = [CRATES, DEVICES].map(str::split_whitespace);
    is_keyword(name) || lists.into_iter().flatten().any(|reserved| reserved == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(folder: &str, taken: &[&str]) -> String {
        let pattern = Pattern::parse(folder).unwrap();
        derive(&pattern, |name| taken.contains(&name)).to_string()
    }

    #[test]
    fn ids_come_from_patterns() {
        for (folder, id) in [
            ("", "root"),
            ("hello", "hello"),
            ("items/[slug]", "items-slug"),
            ("(shop)/Cart", "cart"),
            ("blog/[...slug]", "blog-slug"),
            ("docs/[[...path]]", "docs-path"),
            ("u/[user_id]/[post-id]", "u-user-id-post-id"),
            ("rss.xml", "rss-xml"),
            (".well-known/x", "well-known-x"),
            ("v1.0", "v1p0"),
            ("r/dot/v1.0", "r-dot-v1p0"),
            ("rss-2.0.1", "rss2p0p1"),
            ("errors/404", "errors404"),
            ("2024", "n2024"),
            ("2024/05/[slug]", "n2024-n05-slug"),
            ("v1/[id]/2", "v1-id2"),
            ("3d", "n3d"),
            ("1..2", "n1p2"),
            ("ünï", "n"),
            ("日本", "route"),
            ("type", "type-route"),
            ("router", "router-route"),
            ("test", "test-route"),
            ("aux", "aux-route"),
        ] {
            assert_eq!(id_of(folder, &[]), id, "{folder}");
        }
    }

    #[test]
    fn a_name_in_use_gets_a_mark() {
        assert_eq!(id_of("a/b", &["a-b"]), "a-b-route");
        assert_eq!(id_of("a/b", &["a-b", "a-b-route"]), "a-b-route-n2");
    }

    #[test]
    fn the_file_of_a_component_is_named_as_cargo_names_it() {
        let id = "items-slug".parse().unwrap();
        assert_eq!(source(&id), "target/wasm32-wasip2/release/items_slug.wasm");
    }
}
