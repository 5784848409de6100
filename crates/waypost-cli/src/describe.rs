//! What a compiled handler says of itself.
//!
//! `waypost::export!` leaves a custom section `waypost:route` in the core module of a handler:
//! JSON with the pattern that it was compiled for and the methods that it implements by hand.
//! This is the only source of the methods: nothing scrapes source text. Unknown keys are left
//! for newer versions.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};
use waypost_config::read_file;
use waypost_routing::{Pattern, PatternError};

use crate::anatomy::Anatomy;
use crate::host::MAX_COMPONENT;

/// The name of the custom section.
pub const SECTION: &str = "waypost:route";

/// The pattern and the methods of a compiled handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The pattern that the handler finds its params with.
    pub pattern: Pattern,
    /// The methods that it implements by hand, as it lists them.
    pub methods: Vec<String>,
}

/// Why a file does not say which route it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DescribeError {
    /// The file cannot be read.
    #[error("cannot read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not WebAssembly, or a broken one.
    #[error("not a WebAssembly component, or a broken one")]
    Malformed(BinaryReaderError),
    /// A core module instead of a component.
    #[error("a WebAssembly core module, not a component: build it for `wasm32-wasip2`")]
    CoreModule,
    /// No section, so `waypost::export!` is missing.
    #[error(
        "the component has no `{SECTION}` section: its `route.rs` needs `waypost::export!(…);`"
    )]
    Missing,
    /// Several descriptions in one component.
    #[error("the component describes more than one route: `waypost::export!` goes there once")]
    Repeated,
    /// The section is not the JSON that it should be.
    #[error("the `{SECTION}` section cannot be read")]
    Json(#[source] serde_json::Error),
    /// The section names a pattern that is none.
    #[error("the `{SECTION}` section has no valid pattern")]
    Pattern(#[source] PatternError),
    /// The section names a method that cannot be one.
    #[error("the `{SECTION}` section names `{0}`, which is no HTTP method")]
    Method(String),
}

#[derive(Deserialize)]
struct Raw {
    pattern: String,
    methods: Vec<String>,
}

impl Description {
    /// Reads the description in a component file, and what else the file tells.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no component, or has no valid description.
    pub fn read(file: &Path) -> Result<(Description, Anatomy), DescribeError> {
        let bytes = read_file(file, MAX_COMPONENT).map_err(|source| DescribeError::Read {
            file: file.to_owned(),
            source,
        })?;
        let description = Description::parse(&bytes)?;
        let anatomy = Anatomy::parse(&bytes).map_err(DescribeError::Malformed)?;
        Ok((description, anatomy))
    }

    /// Finds the description in the bytes of a component, in whichever of its core modules it is.
    ///
    /// # Errors
    ///
    /// When the bytes are no component, or have no valid description.
    pub fn parse(component: &[u8]) -> Result<Description, DescribeError> {
        let text = section(component)?;
        // A linker joins sections of one name, so two descriptions can arrive as one section.
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
        })
    }
}

/// The text of all sections of our name, joined as a linker would.
fn section(component: &[u8]) -> Result<Vec<u8>, DescribeError> {
    let mut text = Vec::new();
    let mut outermost = true;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(DescribeError::Malformed)? {
            Payload::Version { encoding, .. } => {
                if outermost && encoding == Encoding::Module {
                    return Err(DescribeError::CoreModule);
                }
                outermost = false;
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                text.extend_from_slice(section.data());
            }
            _ => {}
        }
    }
    Ok(text)
}

/// The methods of Waypost's handlers are upper-case words.
fn is_method(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

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
