//! Components that were made elsewhere: which of them can be a route.
//!
//! Such a component tells nothing of itself but its imports and exports. It gets every request for its path,
//! whatever the method. One that Waypost made describes itself, and has to be in the folder it was made for:
//! it looks for its own pattern in the path.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use wasmparser::{BinaryReaderError, Parser, Validator, WasmFeatures};
use waypost_config::{Fault, read_file};

use crate::abi::Abi;
use crate::anatomy::{Anatomy, MODULE};
use crate::describe::{DescribeError, Description};
use crate::host::{self, MAX_COMPONENT, ShapeError, check_outline, check_shape};
use crate::scan::Route;

const HINT: &str = "a route is a component that exports `wasi:http/handler@0.3.0` or \
    `wasi:http/incoming-handler@0.2.x`; see `docs/other-languages.md`";

/// What a component tells.
pub(crate) struct Found {
    /// Its methods, where it is one of Waypost's.
    pub(crate) methods: Option<Vec<String>>,
    /// What it is made of.
    pub(crate) anatomy: Anatomy,
}

/// How closely a component is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// All of it, as a host that compiles it will.
    Whole,
    /// All but the code of its functions, which is most of it.
    Outline,
}

/// Looks at the component of a route in `file`.
///
/// # Errors
///
/// When it can't answer for this route.
pub(crate) fn verify(route: &Route, file: &Path, depth: Depth) -> Result<Found, Fault> {
    let bytes = read(file)?;
    check(&bytes, depth).map_err(misshapen)?;
    validate(&bytes, depth)
        .and_then(|()| Anatomy::parse(&bytes))
        .map_err(|error| broken(&error))
        .and_then(|anatomy| found(route, &bytes, anatomy))
}

/// Checks that it is within the limits of the host, before a validator spends memory on it.
fn check(component: &[u8], depth: Depth) -> Result<(), ShapeError> {
    match depth {
        Depth::Whole => check_shape(component),
        Depth::Outline => check_outline(component),
    }
}

/// Whether a host can compile it, as far as that can be told without doing so.
fn validate(component: &[u8], depth: Depth) -> Result<(), BinaryReaderError> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    match depth {
        Depth::Whole => validator.validate_all(component).map(drop),
        // What it gives for a function is that function's own validator, which nobody asks here.
        Depth::Outline => Parser::new(0)
            .parse_all(component)
            .try_for_each(|payload| validator.payload(&payload?).map(drop)),
    }
}

fn misshapen(error: ShapeError) -> Fault {
    match error {
        ShapeError::Malformed { offset, reason } => malformed(&reason, offset),
        error => Fault::error(format!("the component is not compiled: {error}"))
            .hint("a component within the limits of `docs/bounds.md` can be a route"),
    }
}

fn broken(error: &BinaryReaderError) -> Fault {
    malformed(error.message(), error.offset())
}

fn malformed(message: &str, offset: u64) -> Fault {
    Fault::error(format!(
        "a broken WebAssembly component: {message} (at byte {offset})"
    ))
    .hint("make or copy the file again")
}

fn found(route: &Route, bytes: &[u8], anatomy: Anatomy) -> Result<Found, Fault> {
    Abi::of(&anatomy.exports)
        .map_err(|none| Fault::error(format!("the component {none}")).hint(none.hint(HINT)))?;
    Ok(Found {
        methods: methods(route, bytes)?,
        anatomy,
    })
}

/// What a component needs and Waypost's host lacks.
pub(crate) fn unmet(route: &Route, imports: &[String]) -> Vec<Fault> {
    let unmet = imports.iter().filter(|import| !host::is_offered(import));
    let fault = |import| {
        Fault::error(format!("the component imports `{import}`"))
            .file(route.file())
            .hint(
                "Waypost's host does not have it; leave it out, or run the app on a host that does",
            )
    };
    unmet.map(fault).collect()
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let bytes = read_file(file, MAX_COMPONENT).map_err(|error| unreadable(file, &error))?;
    match bytes.as_slice() {
        [] => Err(Fault::error("the file is empty").hint(HINT)),
        bytes if bytes.starts_with(MODULE) => {
            let message = "a WebAssembly core module, not a component";
            Err(Fault::error(message).hint("`wasm-tools component new` makes a component of one"))
        }
        bytes if !bytes.starts_with(b"\0asm") => Err(Fault::error("not WebAssembly").hint(HINT)),
        _ => Ok(bytes),
    }
}

fn unreadable(file: &Path, error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::FileTooLarge => {
            let size = fs::metadata(file).map_or(MAX_COMPONENT, |about| about.len());
            let message = format!(
                "the file has {} MiB, and a component at most {}",
                size >> 20,
                MAX_COMPONENT >> 20
            );
            Fault::error(message).hint("is it a component at all?")
        }
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
            Fault::error(format!("not a file: {error}")).hint(HINT)
        }
        _ => Fault::error(format!("cannot read it: {error}")),
    }
}

/// The methods of a component that Waypost made. One that describes several routes is a whole app: its own
/// router looks at the path.
fn methods(route: &Route, component: &[u8]) -> Result<Option<Vec<String>>, Fault> {
    match Description::parse(component) {
        Ok(description) if description.pattern == *route.pattern() => {
            Ok(Some(description.methods))
        }
        Ok(description) => Err(Fault::error(format!(
            "the component was made for `{}`, but its folder says `{}`",
            description.pattern,
            route.pattern()
        ))
        .hint("a route that Waypost made looks for its own pattern: move it to a folder of that, or build it anew in this one")),
        Err(DescribeError::Missing | DescribeError::Repeated) => Ok(None),
        Err(error) => Err(Fault::error(error.to_string()).hint("build it anew")),
    }
}
