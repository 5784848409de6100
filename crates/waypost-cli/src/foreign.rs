//! Components that were made elsewhere: checks whether one can be a route.
//!
//! Such a component has no description, only imports and exports. It receives every request for its path, whatever
//! the method. A component made by Waypost describes itself, and must be in the folder it was made for, because it
//! matches the path against its own pattern.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use wasmparser::{BinaryReaderError, Parser, Validator, WasmFeatures};
use waypost_config::{Fault, read_file};

use crate::abi::Abi;
use crate::anatomy::{Anatomy, MODULE};
use crate::describe::{DescribeError, Description};
use crate::route::Route;
use crate::serve::{self, MAX_COMPONENT, ShapeError, check_outline, check_shape};

const HINT: &str = "a route is a component that exports `wasi:http/handler@0.3.0` or \
    `wasi:http/incoming-handler@0.2.x`; see `docs/other-languages.md`";

/// The contents of a component that was checked.
pub(crate) struct Found {
    /// Its description, or `None` if Waypost did not make it.
    pub(crate) description: Option<Description>,
    /// Its imports, exports and sizes.
    pub(crate) anatomy: Anatomy,
}

/// How much of a component is validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// All of it, as a host does that compiles it.
    Whole,
    /// All but the bodies of its functions, which are most of it.
    Outline,
}

/// Checks the component of a route in `file`.
///
/// # Errors
///
/// When it can't handle requests for this route.
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

/// Checks that a host can compile it, as far as that is known without compiling.
fn validate(component: &[u8], depth: Depth) -> Result<(), BinaryReaderError> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    match depth {
        Depth::Whole => validator.validate_all(component).map(drop),
        // The value returned for a function body is a validator for it, which is not needed here.
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
        "a malformed WebAssembly component: {message} (at byte {offset})"
    ))
    .hint("build or copy the file again")
}

fn found(route: &Route, bytes: &[u8], anatomy: Anatomy) -> Result<Found, Fault> {
    Abi::of(&anatomy.exports)
        .map_err(|none| Fault::error(format!("the component {none}")).hint(none.hint(HINT)))?;
    Ok(Found {
        description: description(route, bytes)?,
        anatomy,
    })
}

/// Returns a fault for each import that Waypost's host does not offer.
pub(crate) fn unmet(route: &Route, imports: &[String]) -> Vec<Fault> {
    let unmet = imports.iter().filter(|import| !serve::is_offered(import));
    let fault = |import| {
        Fault::error(format!("the component imports `{import}`"))
            .file(route.file())
            .hint(
                "Waypost's host does not have it; remove the import, or run the app on a host that does",
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
            Fault::error(message).hint("check that it is a component")
        }
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
            Fault::error(format!("not a file: {error}")).hint(HINT)
        }
        _ => Fault::error(format!("cannot read it: {error}")),
    }
}

/// Returns the description of a component that Waypost made. A component that describes several routes is a whole app:
/// its own router matches the path.
fn description(route: &Route, component: &[u8]) -> Result<Option<Description>, Fault> {
    match Description::parse(component) {
        Ok(description) if description.pattern == *route.pattern() => Ok(Some(description)),
        Ok(description) => Err(Fault::error(format!(
            "the component was built for `{}`, but its folder is `{}`",
            description.pattern,
            route.pattern()
        ))
        .hint("a route made by Waypost matches its own pattern: move it to the folder of that pattern, or build it again in this one")),
        Err(DescribeError::Missing | DescribeError::Repeated) => Ok(None),
        Err(error) => Err(Fault::error(error.to_string()).hint("build it again")),
    }
}
