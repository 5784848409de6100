//! Component ids: the package name of a route, its name in `spin.toml`, and its host name below
//! `spin.internal`.
//!
//! The grammar is Spin's kebab id (`spin-serde`, `Id<'-', false>`): words joined by `-`, each
//! beginning with a letter. Spin also takes upper-case words; host names do not keep case, so
//! these are refused here.

use std::fmt;

use thiserror::Error;
use waypost_routing::{Pattern, Segment};

/// The component that has the public address.
pub const ROUTER: &str = "router";

/// A valid component id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId(String);

/// Why a name is no component id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ComponentIdError {
    /// Spin separates words with `-`.
    #[error("`{0}` has `_`: Spin separates the words of a component id with `-`")]
    Underscore(String),
    /// Two `-` side by side, or one at an end.
    #[error("`{0}` has an empty word: one `-` goes between two words")]
    EmptyWord(String),
    /// A word of a Spin id begins with a letter.
    #[error("`{0}` has the word `{1}`: each word of a component id begins with a letter")]
    FirstCharacter(String, String),
    /// Anything but ASCII lower-case letters and digits.
    #[error("`{0}` has `{1}`: a component id has lower-case ASCII letters, digits and `-`")]
    Character(String, char),
}

impl ComponentId {
    /// Checks a package name.
    ///
    /// # Errors
    ///
    /// When Spin would refuse it, or it could not be a host name.
    pub fn parse(name: &str) -> Result<ComponentId, ComponentIdError> {
        for word in name.split('-') {
            check_word(name, word)?;
        }
        Ok(ComponentId(name.to_owned()))
    }

    /// Makes an id from a pattern: `/items/[slug]` is `items-slug`, `/` is `root`.
    ///
    /// `taken` says which names are in use; names that Cargo or Rust keep for themselves are
    /// avoided as well.
    pub fn derive(pattern: &Pattern, taken: impl Fn(&str) -> bool) -> ComponentId {
        let unusable = |name: &str| is_reserved(name) || taken(name);
        let plain = plain_id(pattern);
        if !unusable(&plain) {
            return ComponentId(plain);
        }
        let marked = format!("{plain}-route");
        let numbered = (2..).map(|number| format!("{plain}-route-n{number}"));
        let free = std::iter::once(marked)
            .chain(numbered)
            .find(|name| !unusable(name))
            .expect("the numbers do not run out before the names in use");
        ComponentId(free)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file that Cargo makes of the package: `items_slug.wasm`.
    pub fn file_name(&self) -> String {
        format!("{}.wasm", self.0.replace('-', "_"))
    }

    /// Where the component is, relative to the app's root, unless `spin.toml` says otherwise.
    pub fn source(&self) -> String {
        format!("target/wasm32-wasip2/release/{}", self.file_name())
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_word(name: &str, word: &str) -> Result<(), ComponentIdError> {
    if name.contains('_') {
        return Err(ComponentIdError::Underscore(name.to_owned()));
    }
    let wrong = |c: &char| !c.is_ascii_lowercase() && !c.is_ascii_digit();
    if let Some(c) = word.chars().find(wrong) {
        return Err(ComponentIdError::Character(name.to_owned(), c));
    }
    match word.chars().next() {
        None => Err(ComponentIdError::EmptyWord(name.to_owned())),
        Some(first) if first.is_ascii_digit() => Err(ComponentIdError::FirstCharacter(
            name.to_owned(),
            word.to_owned(),
        )),
        Some(_) => Ok(()),
    }
}

fn plain_id(pattern: &Pattern) -> String {
    let words: Vec<String> = pattern
        .segments()
        .iter()
        .flat_map(|segment| words(segment_text(segment)))
        .collect();
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

/// The words of a name; one that begins with a digit gets an `n` (number) in front.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(
            |word| match word.starts_with(|c: char| c.is_ascii_digit()) {
                true => format!("n{word}").to_ascii_lowercase(),
                false => word.to_ascii_lowercase(),
            },
        )
        .collect()
}

/// Rust's keywords, strict and reserved, of all editions.
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else \
    enum extern false final fn for gen if impl in let loop macro match mod move mut override priv \
    pub ref return self static struct super trait true try type typeof unsafe unsized use virtual \
    where while yield";

/// Crates that come with Rust, and Waypost's own.
const CRATES: &str = "alloc core proc-macro std test waypost waypost-cli waypost-host \
    waypost-macros waypost-router waypost-routing router";

/// Windows keeps these for devices, in any folder and with any extension.
const DEVICES: &str = "aux con nul prn com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 \
    lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9";

/// Whether Rust keeps a name for itself.
pub fn is_keyword(name: &str) -> bool {
    KEYWORDS.split_whitespace().any(|keyword| keyword == name)
}

/// Whether a package had better not be called so.
fn is_reserved(name: &str) -> bool {
    let lists = [CRATES, DEVICES].map(str::split_whitespace);
    is_keyword(name) || lists.into_iter().flatten().any(|reserved| reserved == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(folder: &str, taken: &[&str]) -> String {
        let pattern = Pattern::parse(folder).unwrap();
        let id = ComponentId::derive(&pattern, |name| taken.contains(&name));
        assert_eq!(ComponentId::parse(id.as_str()), Ok(id.clone()));
        id.to_string()
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
            ("v1.0", "v1-n0"),
            ("2024", "n2024"),
            ("ünï", "n"),
            ("日本", "route"),
            ("type", "type-route"),
            ("router", "router-route"),
            ("test", "test-route"),
            ("aux", "aux-route"),
        ] {
            assert_eq!(derive(folder, &[]), id, "{folder}");
        }
    }

    #[test]
    fn a_name_in_use_gets_a_mark() {
        assert_eq!(derive("a/b", &["a-b"]), "a-b-route");
        assert_eq!(derive("a/b", &["a-b", "a-b-route"]), "a-b-route-n2");
    }

    #[test]
    fn names_that_spin_or_a_host_name_would_not_take_are_refused() {
        for (name, error) in [
            ("", "has an empty word"),
            ("a--b", "has an empty word"),
            ("-a", "has an empty word"),
            ("a_b", "has `_`"),
            ("a-1", "has the word `1`"),
            ("1a", "has the word `1a`"),
            ("Ab", "has `A`"),
            ("ü", "has `ü`"),
            ("a.b", "has `.`"),
        ] {
            let message = ComponentId::parse(name).unwrap_err().to_string();
            assert!(message.contains(error), "{name}: {message}");
        }
    }

    #[test]
    fn the_file_of_a_component_is_named_as_cargo_names_it() {
        let id = ComponentId::parse("items-slug").unwrap();
        assert_eq!(id.source(), "target/wasm32-wasip2/release/items_slug.wasm");
    }
}
