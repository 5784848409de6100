//! The imports, exports and sizes of a component, as far as a host or a composition needs them.

use wasmparser::{
    BinaryReaderError, ElementItems, ExternalKind, Instance, Parser, Payload, TypeRef,
};

use crate::serve::InstanceSize;

/// The first bytes of a core module: the magic number, then version and layer.
pub(crate) const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The imports and exports of a component, and the resources of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// The names of its imports.
    pub imports: Vec<String>,
    /// The names of its exports.
    pub exports: Vec<String>,
    /// The number of core module instances in one instance of it.
    pub core_instances: usize,
    /// The number of their memories.
    pub memories: usize,
    /// The number of their tables.
    pub tables: usize,
    /// The number of functions that they import, export or have in tables: a host keeps a record of each.
    pub functions: usize,
}

impl Anatomy {
    /// Parses the bytes of a component.
    ///
    /// # Errors
    ///
    /// When they are not WebAssembly.
    pub fn parse(component: &[u8]) -> Result<Anatomy, BinaryReaderError> {
        let (mut anatomy, mut depth) = (Anatomy::default(), 0_usize);
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        anatomy.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        anatomy.exports.push(export?.name.name.to_owned());
                    }
                }
                payload => anatomy.count(payload)?,
            }
        }
        Ok(anatomy)
    }

    /// Returns the size of an instance. The host adds an adapter module for each memory.
    pub(crate) fn instance_size(&self) -> InstanceSize {
        InstanceSize {
            core_instances: self.core_instances + self.memories,
            memories: self.memories,
            tables: self.tables + self.memories,
        }
    }

    fn count(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    let is_of_a_module = matches!(instance?, Instance::Instantiate { .. });
                    self.core_instances += usize::from(is_of_a_module);
                }
            }
            Payload::MemorySection(memories) => self.memories += memories.into_iter().count(),
            Payload::TableSection(tables) => self.tables += tables.into_iter().count(),
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.functions += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    self.functions += usize::from(export?.kind == ExternalKind::Func);
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    self.functions += match element?.items {
                        ElementItems::Functions(items) => items.into_iter().count(),
                        ElementItems::Expressions(_, items) => items.into_iter().count(),
                    };
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_parts_are_counted() {
        let text = r#"(component
            (import "a" (func))
            (component
                (core module $m (memory (export "memory") 1) (table 1 funcref))
                (core instance $i (instantiate $m))
                (core instance (export "memory" (memory $i "memory"))))
            (core module $m (memory 1))
            (core instance $i (instantiate $m))
            (instance (export "b")))"#;
        let anatomy = Anatomy::parse(&wat::parse_str(text).unwrap()).unwrap();
        assert_eq!(
            (anatomy.imports, anatomy.exports),
            (vec!["a".into()], vec!["b".into()])
        );
        assert_eq!(
            (anatomy.core_instances, anatomy.memories, anatomy.tables),
            (2, 2, 1)
        );
    }
}
