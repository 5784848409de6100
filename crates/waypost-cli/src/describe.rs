//! The description in a compiled handler.
//!
//! `waypost::export!` writes a custom section `waypost:route` into the core module of a handler: JSON with the
//! pattern that it was compiled for and the methods that it implements. This is the only source of the methods;
//! source text is never parsed for them. Unknown keys are ignored, so that newer versions can add some.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use wasmparser::BinaryReaderError;
use waypost_config::read_file;
use waypost_routing::{Pattern, PatternError};

use crate::anatomy::{Anatomy, MODULE};
use crate::serve::{MAX_COMPONENT, ROUTE_SECTION as SECTION, route_section};

/// The pattern, the methods and the cache policy of a compiled handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The pattern against which the handler matches the path.
    pub pattern: Pattern,
    /// The methods that it implements, in the order of its list.
    pub methods: Vec<String>,
    /// Its cache policy, as `waypost_cache::Policy::from_value` reads it.
    pub cache: Option<serde_json::Value>,
}

/// Why a file has no valid description.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DescribeError {
    /// The file cannot be read.
    #[error("cannot read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not WebAssembly, or malformed.
    #[error("not a WebAssembly component, or a malformed one")]
    Malformed(BinaryReaderError),
    /// The file is a core module instead of a component.
    #[error("a WebAssembly core module, not a component: build it for `wasm32-wasip2`")]
    CoreModule,
    /// There is no section, so `waypost::export!` is missing.
    #[error(
        "the component has no `{SECTION}` section: its `route.rs` needs `waypost::export!(…);`"
    )]
    Missing,
    /// The component has several descriptions.
    #[error("the component describes more than one route: use `waypost::export!` once")]
    Repeated,
    /// The section does not have the expected JSON.
    #[error("the `{SECTION}` section cannot be read")]
    Json(#[source] serde_json::Error),
    /// The section has an invalid pattern.
    #[error("the `{SECTION}` section has no valid pattern")]
    Pattern(#[source] PatternError),
    /// The section has an invalid method.
    #[error("the `{SECTION}` section names `{0}`, which is not an HTTP method")]
    Method(String),
}

/// Reads the anatomy of a component file, which may have no description.
///
/// # Errors
///
/// When the file cannot be read or is not a component.
pub fn anatomy(file: &Path) -> Result<Anatomy, DescribeError> {
    let bytes = read(file)?;
    if bytes.starts_with(MODULE) {
        return Err(DescribeError::CoreModule);
    }
    Anatomy::parse(&bytes).map_err(DescribeError::Malformed)
}

fn read(file: &Path) -> Result<Vec<u8>, DescribeError> {
    read_file(file, MAX_COMPONENT).map_err(|source| DescribeError::Read {
        file: file.to_owned(),
        source,
    })
}

#[derive(Deserialize)]
struct Raw {
    pattern: String,
    methods: Vec<String>,
    #[serde(default)]
    cache: Option<serde_json::Value>,
}

impl Description {
    /// Reads the description in a component file, and its anatomy.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not a component, or has no valid description.
    pub fn read(file: &Path) -> Result<(Description, Anatomy), DescribeError> {
        let bytes = read(file)?;
        let description = Description::parse(&bytes)?;
        let anatomy = Anatomy::parse(&bytes).map_err(DescribeError::Malformed)?;
        Ok((description, anatomy))
    }

    /// Finds the description in the bytes of a component, in any of its core modules.
    ///
    /// # Errors
    ///
    /// When the bytes are not a component, or have no valid description.
    pub fn parse(component: &[u8]) -> Result<Description, DescribeError> {
        if component.starts_with(MODULE) {
            return Err(DescribeError::CoreModule);
        }
        let text = route_section(component).map_err(DescribeError::Malformed)?;
        // A linker concatenates sections of the same name, so two descriptions can arrive as one section.
        let mut values = serde_json::Deserializer::from_slice(&text).into_iter::<Raw>();
        let raw = values.next().ok_or(DescribeError::Missing)?;
        let raw = raw.map_err(DescribeError::Json)?;
        match values.next() {
            None => raw.check(),
            Some(_) => Err(DescribeError::Repeated),
        }
    }
}

impl Raw {
    fn check(self) -> Result<Description, DescribeError> {
        if let Some(method) = self.methods.iter().find(|method| !is_method(method)) {
            return Err(DescribeError::Method(method.clone()));
        }
        Ok(Description {
            pattern: Pattern::parse(&self.pattern).map_err(DescribeError::Pattern)?,
            methods: self.methods,
            cache: self.cache,
        })
    }
}

/// Returns whether a method is an upper-case word, as all methods of Waypost's handlers are.
fn is_method(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    /// A section with its id and length; all here are shorter than 128 bytes.
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        assert!(length < 128);
        [&[id, length], content].concat()
    }

    fn custom(name: &str, data: &str) -> Vec<u8> {
        let length = u8::try_from(name.len()).unwrap();
        section(0, &[&[length], name.as_bytes(), data.as_bytes()].concat())
    }

    fn component(sections: &[Vec<u8>]) -> Vec<u8> {
        let module = [MODULE, &sections.concat()].concat();
        [COMPONENT, &section(1, &module)].concat()
    }

    fn describe(data: &str) -> Result<Description, DescribeError> {
        Description::parse(&component(&[custom(SECTION, data)]))
    }

    #[test]
    fn the_description_is_found_in_a_nested_module() {
        let description =
            describe(r#"{"pattern":"/items/[slug]","methods":["GET","POST"],"new":1}"#).unwrap();
        assert_eq!(description.pattern.to_string(), "/items/[slug]");
        assert_eq!(description.methods, ["GET", "POST"]);
    }

    #[test]
    fn each_fault_has_its_error() {
        use DescribeError as E;
        let one = r#"{"pattern":"/","methods":[]}"#;
        let two = format!("{one}{one}");
        assert!(matches!(describe(&two), Err(E::Repeated)));
        assert!(matches!(describe("{"), Err(E::Json(_))));
        assert!(matches!(describe("{}"), Err(E::Json(_))));
        let bad = r#"{"pattern":"/[a]/[a]","methods":[]}"#;
        assert!(matches!(describe(bad), Err(E::Pattern(_))));
        let bad = r#"{"pattern":"/","methods":["GET X"]}"#;
        assert!(matches!(describe(bad), Err(E::Method(_))));
        let none = component(&[custom("producers", "")]);
        assert!(matches!(Description::parse(&none), Err(E::Missing)));
        assert!(matches!(Description::parse(MODULE), Err(E::CoreModule)));
        for bytes in [&b""[..], b"\0as", b"hello", &COMPONENT[..6]] {
            assert!(matches!(Description::parse(bytes), Err(E::Malformed(_))));
        }
        let file = Path::new("does-not-exist.wasm");
        assert!(matches!(Description::read(file), Err(E::Read { .. })));
    }

    #[test]
    fn a_component_that_is_cut_off_is_an_error_and_no_panic() {
        let whole = component(&[custom(SECTION, r#"{"pattern":"/a","methods":["GET"]}"#)]);
        for end in 0..whole.len() {
            assert!(Description::parse(&whole[..end]).is_err(), "{end}");
        }
    }
}
