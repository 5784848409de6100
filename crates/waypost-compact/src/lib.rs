#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod constant;
mod core_items;
mod core_module;
mod encoder;
mod fix_up;
mod main_module;
mod shape;

use wasmparser::{Validator, WasmFeatures};

use shape::Shape;

/// What the composition around a component provides for it.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Returns whether an import, such as `wasi:cli/exit@0.2.6`, is met by the stub of the composition and not by the
    /// host.
    pub is_stubbed: &'a dyn Fn(&str) -> bool,
    /// Whether the component has environment variables, which it then asks the stub for.
    pub has_environment: bool,
}

/// A component that does the same as another with fewer core instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The bytes of the component.
    pub component: Vec<u8>,
    /// Whether it still calls functions of the stub.
    pub calls_stub: bool,
}

/// Why a component cannot be compacted: it differs from the shape described in the [crate's documentation](crate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownShape {
    /// The bytes are not a component, or a malformed one.
    #[error("it is not a well-formed component")]
    Malformed,
    /// No core instance, or more than one, exports a table `$imports`.
    #[error("it does not have exactly one shim module (a table exported as `$imports`)")]
    NoShim,
    /// The shim has other items than its table and the functions that call its slots.
    #[error("its shim module does more than call the slots of its table")]
    Shim,
    /// No core instance, or more than one, imports the shim's functions.
    #[error(
        "not exactly one module imports the functions of its shim module (an adapter for preview 1 is a second one)"
    )]
    ShimUsers,
    /// The main module does not have exactly one table and one memory of its own, or has no functions.
    #[error("its main module does not have exactly one table and one memory of its own")]
    MainModule,
    /// The fix-up does not fill each slot of the shim's table in order.
    #[error("its fix-up module does more than fill the table of the shim module in order")]
    FixUp,
    /// The shim's table is aliased before the main module is instantiated.
    #[error("it uses the table of its shim module before its main module is instantiated")]
    Order,
    /// A nested component refers to items outside itself.
    #[error("a component nested in it refers to items outside itself")]
    OuterAlias,
    /// The rewritten component is not valid.
    #[error("it is not valid once it is rewritten")]
    Invalid,
}

/// Removes the shim module of a component.
///
/// # Errors
///
/// When the component is of a shape that this crate does not know.
pub fn compact(component: &[u8], options: Options<'_>) -> Result<Compacted, UnknownShape> {
    let shape = Shape::of(component, options)?;
    let component = encoder::encode(&shape, component)?;
    // A module may do other things than its sections suggest.
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(&component)
        .map_err(|_| UnknownShape::Invalid)?;
    Ok(Compacted {
        component,
        calls_stub: shape.calls_stub,
    })
}

#[cfg(test)]
mod tests;
