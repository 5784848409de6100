//! How large and how nested a component may be, checked before anything else looks at it.
//!
//! A validator or compiler takes far more memory and time for some bytes than for others: a nested component of 19
//! bytes costs some hundred kilobytes, and a few bytes that instantiate a component twice double what is in it. This
//! walk takes little memory for any input. It does not validate: what is malformed is left to the compiler.

mod functions;
mod scope;
#[cfg(test)]
mod tests;

use scope::Scope;
use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, Parser, Payload,
};

/// Largest file of a component, in bytes. Components with an interpreter inside have 10 to 50 MiB.
pub const MAX_COMPONENT: u64 = 256 << 20;

/// How deep components may be nested. Compositions of compositions have a handful of levels.
const MAX_DEPTH: usize = 32;

/// How many components and core modules there may be in a component. A composition has some five for each of its
/// routes, which are fewer than a hundred.
const MAX_PARTS: u64 = 2_000;

/// How many instances one instance of the component may consist of, in all levels.
const MAX_INSTANCES: u64 = 10_000;

/// How many bytes there may be beside code, data and custom sections: types, imports, exports, aliases.
const MAX_STRUCTURE: u64 = 16 << 20;

/// How many functions there may be in all modules.
const MAX_FUNCTIONS: u64 = 1_000_000;

/// Largest function, in bytes: the compiler holds a function as a whole, many times over.
const MAX_FUNCTION: u64 = 1 << 20;

/// Why the host does not compile a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The component exceeds a limit.
    #[error("{what}; the limit is {limit}")]
    TooLarge {
        /// What there is too much of, as a sentence.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Components inside hand components to each other: how many instances that makes is not known in advance.
    #[error(
        "it imports or exports a component; the host takes components that import and export instances"
    )]
    PassesComponents,
    /// The bytes are not a component.
    #[error("it is malformed at byte {offset}: {reason}")]
    Malformed {
        /// Where.
        offset: u64,
        /// What the parser says.
        reason: String,
    },
}

impl From<BinaryReaderError> for ShapeError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed {
            offset: error.offset(),
            reason: error.message().to_owned(),
        }
    }
}

/// Checks that a component is within what the host compiles. It is not validated.
///
/// # Errors
///
/// Returns an error that names the limit which the component exceeds, or the first byte that cannot be parsed.
pub fn check_shape(component: &[u8]) -> Result<(), ShapeError> {
    check_outline(component)?;
    functions::check(component)
}

/// Checks the same without what is inside functions, which is most of a component.
///
/// # Errors
///
/// As [`check_shape`].
pub fn check_outline(component: &[u8]) -> Result<(), ShapeError> {
    let mut walk = Walk::default();
    Parser::new(0)
        .parse_all(component)
        .try_for_each(|payload| walk.step(payload?))
}

#[derive(Default)]
struct Walk {
    scopes: Vec<Scope>,
    parts: u64,
    structure: u64,
    functions: u64,
}

impl Walk {
    fn step(&mut self, payload: Payload<'_>) -> Result<(), ShapeError> {
        self.count_structure(&payload)?;
        match payload {
            Payload::Version { .. } => self.enter(),
            Payload::End(_) => self.leave(),
            Payload::CodeSectionStart { count, .. } => {
                self.functions += u64::from(count);
                at_most(self.functions, MAX_FUNCTIONS, "it has too many functions")
            }
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                let bytes = range.end - range.start;
                at_most(bytes, MAX_FUNCTION, "a function of it has too many bytes")
            }
            payload => self.items(payload),
        }
    }

    fn enter(&mut self) -> Result<(), ShapeError> {
        self.parts += 1;
        self.scopes.push(Scope::default());
        at_most(
            self.parts,
            MAX_PARTS,
            "it consists of too many components and modules",
        )?;
        let depth = u64::try_from(self.scopes.len()).unwrap_or(u64::MAX);
        at_most(
            depth,
            MAX_DEPTH as u64,
            "its components are nested too deep",
        )
    }

    fn leave(&mut self) -> Result<(), ShapeError> {
        let Some(scope) = self.scopes.pop() else {
            return Ok(());
        };
        let instances = scope.instances();
        if let Some(parent) = self.scopes.last_mut() {
            parent.ends_nested(instances);
        }
        Ok(())
    }

    /// Counts the bytes of what a validator keeps records of.
    fn count_structure(&mut self, payload: &Payload<'_>) -> Result<(), ShapeError> {
        let is_bulk = matches!(
            payload,
            Payload::CodeSectionStart { .. }
                | Payload::DataSection(_)
                | Payload::CustomSection(_)
                | Payload::ModuleSection { .. }
                | Payload::ComponentSection { .. }
        );
        if let Some((_, range)) = payload.as_section()
            && !is_bulk
        {
            self.structure += range.end - range.start;
        }
        let what = "its types, imports, exports and aliases have too many bytes";
        at_most(self.structure, MAX_STRUCTURE, what)
    }

    /// Follows which component each index means, and counts the instances.
    fn items(&mut self, payload: Payload<'_>) -> Result<(), ShapeError> {
        match payload {
            Payload::ComponentSection { .. } => self.scope()?.begins_component(),
            Payload::ModuleSection { .. } => self.scope()?.begins_module(),
            Payload::InstanceSection(instances) => {
                self.scope()?.adds_instances(u64::from(instances.count()));
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    self.instantiate(&instance?)?;
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    passes(import?.ty.kind())?;
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    passes(export?.kind)?;
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    self.alias(&alias?)?;
                }
            }
            _ => {}
        }
        self.check_instances()
    }

    fn instantiate(&mut self, instance: &ComponentInstance<'_>) -> Result<(), ShapeError> {
        let scope = self.scope()?;
        match instance {
            ComponentInstance::Instantiate {
                component_index, ..
            } => {
                let inside = scope.component(*component_index).ok_or_else(unknown)?;
                scope.adds_instances(inside.saturating_add(1));
            }
            ComponentInstance::FromExports(exports) => {
                scope.adds_instances(1);
                exports.iter().try_for_each(|export| passes(export.kind))?;
            }
        }
        self.check_instances()
    }

    fn check_instances(&self) -> Result<(), ShapeError> {
        let instances = self.scopes.last().map_or(0, Scope::instances);
        let what = "one instance of it consists of too many instances";
        at_most(instances, MAX_INSTANCES, what)
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) -> Result<(), ShapeError> {
        match *alias {
            ComponentAlias::InstanceExport { kind, .. } => passes(kind),
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Component,
                count,
                index,
            } => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                let outer = self.scopes.len().checked_sub(count.saturating_add(1));
                let outer = outer.and_then(|outer| self.scopes.get(outer));
                let instances = outer.and_then(|outer| outer.component(index));
                let instances = instances.ok_or_else(unknown)?;
                self.scope()?.adds_component(instances);
                Ok(())
            }
            ComponentAlias::Outer { .. } | ComponentAlias::CoreInstanceExport { .. } => Ok(()),
        }
    }

    fn scope(&mut self) -> Result<&mut Scope, ShapeError> {
        self.scopes.last_mut().ok_or_else(unknown)
    }
}

fn at_most(found: u64, limit: u64, what: &'static str) -> Result<(), ShapeError> {
    match found > limit {
        true => Err(ShapeError::TooLarge { what, limit }),
        false => Ok(()),
    }
}

fn unknown() -> ShapeError {
    ShapeError::Malformed {
        offset: 0,
        reason: "an index or a section is out of place".to_owned(),
    }
}

fn passes(kind: ComponentExternalKind) -> Result<(), ShapeError> {
    match kind {
        ComponentExternalKind::Component => Err(ShapeError::PassesComponents),
        _ => Ok(()),
    }
}
