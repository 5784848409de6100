//! The custom section in which `waypost::export!` describes a route.

use wasmparser::{BinaryReaderError, Parser, Payload};

/// The name of the custom section with the description of a route, a JSON object (`wit/waypost.wit`).
pub const ROUTE_SECTION: &str = "waypost:route";

/// Returns the content of the sections [`ROUTE_SECTION`] in the core modules of a component, concatenated as by a linker: it is
/// empty for a component that was made elsewhere.
///
/// # Errors
///
/// When the bytes are not WebAssembly, or malformed.
pub fn route_section(component: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut content = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::CustomSection(section) = payload?
            && section.name() == ROUTE_SECTION
        {
            content.extend_from_slice(section.data());
        }
    }
    Ok(content)
}
