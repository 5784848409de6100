//! The shape of a component made by `wit-component`, as far as compaction has to know it.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{Export, ExternalKind};

use crate::constant::Constant;
use crate::core_items::{Argument, CoreItems, ModuleInstance, Origin};
use crate::core_module::{shim_slots, table_length};
use crate::{Options, UnknownShape};

/// The name by which the shim exports its table.
pub(crate) const TABLE: &str = "$imports";

/// An import of the main module, by module and name.
pub(crate) type Name<'a> = (&'a str, &'a str);

/// What compaction changes in a component.
#[derive(Debug)]
pub(crate) struct Shape<'a> {
    /// The shim.
    pub(crate) shim: ModuleInstance,
    /// The main module.
    pub(crate) main: ModuleInstance,
    /// The index of the fix-up module.
    pub(crate) fix_up: u32,
    /// The instances that provide the imports of the main module and of the fix-up.
    pub(crate) arguments: BTreeSet<u32>,
    /// The new index of each core function, or `None` for one that is no longer used.
    pub(crate) functions: Vec<Option<u32>>,
    /// The imports of the main module that are replaced by a constant.
    pub(crate) constants: BTreeMap<Name<'a>, Constant>,
    /// The other imports of the main module that the shim met, and the slot that each calls.
    pub(crate) imports: BTreeMap<Name<'a>, u32>,
    /// The new index of each slot in the table of the main module, or `None` if a constant replaced it.
    pub(crate) slots: Vec<Option<u32>>,
    /// The new length of the table of the main module.
    pub(crate) table: u32,
    /// Whether the main module still calls functions of the stub.
    pub(crate) calls_stub: bool,
}

/// What becomes of the imports of the main module.
#[derive(Default)]
struct Imports<'a> {
    constants: BTreeMap<Name<'a>, Constant>,
    slots: BTreeMap<Name<'a>, u32>,
    /// The lowered functions behind the constants, and their slots.
    unused: BTreeMap<u32, Option<u32>>,
    calls_stub: bool,
}

impl<'a> Shape<'a> {
    /// Reads the shape of a component.
    ///
    /// # Errors
    ///
    /// When it is another one.
    pub(crate) fn of(component: &'a [u8], options: Options<'_>) -> Result<Shape<'a>, UnknownShape> {
        let items = CoreItems::read(component)?;
        let shim = items
            .table
            .and_then(|instance| items.module_instance(instance))
            .ok_or(UnknownShape::NoShim)?;
        let slots = items.module(shim.module).and_then(shim_slots);
        let slots = slots.ok_or(UnknownShape::Shim)?;
        let (main, arguments) = items.user_of(shim).ok_or(UnknownShape::ShimUsers)?;
        let own = items.module(main.module).and_then(table_length);
        let own = own.ok_or(UnknownShape::MainModule)?;
        let (fix_up, filling) = items.fix_up().ok_or(UnknownShape::FixUp)?;
        // The table can come from the main module only if that is instantiated before the table is aliased.
        if main.instance >= items.instances_before_table {
            return Err(UnknownShape::Order);
        }
        let imports = items.imports(shim, &arguments, filling, options);
        let Imports {
            constants,
            slots: used,
            unused,
            calls_stub,
        } = imports.ok_or(UnknownShape::Shim)?;
        let removed: BTreeSet<u32> = unused.values().flatten().copied().collect();
        let (slots, table) =
            renumber(slots, own, |slot| removed.contains(&slot)).ok_or(UnknownShape::MainModule)?;
        let is_removed = |function: u32| {
            let origin = items.functions.get(function as usize);
            unused.contains_key(&function) || origin.is_some_and(|origin| origin.is_of(shim))
        };
        let functions = u32::try_from(items.functions.len()).ok();
        let functions = functions.and_then(|count| renumber(count, 0, is_removed));
        let (functions, _) = functions.ok_or(UnknownShape::Malformed)?;
        let arguments = arguments.iter().map(|(_, instance)| *instance);
        Ok(Shape {
            shim,
            main,
            fix_up,
            arguments: arguments.chain([filling]).collect(),
            functions,
            constants,
            imports: used,
            slots,
            table,
            calls_stub,
        })
    }

    /// Returns whether an item is still there without the shim.
    pub(crate) fn is_kept(&self, kind: ExternalKind, index: u32) -> bool {
        kind != ExternalKind::Func
            || self
                .functions
                .get(index as usize)
                .is_some_and(Option::is_some)
    }
}

/// Numbers `count` items from `first` on and leaves out those that are removed. Returns the next number too, or `None` if the numbers
/// run out.
fn renumber(
    count: u32,
    first: u32,
    is_removed: impl Fn(u32) -> bool,
) -> Option<(Vec<Option<u32>>, u32)> {
    let (mut numbers, mut next) = (Vec::new(), first);
    for item in 0..count {
        if is_removed(item) {
            numbers.push(None);
            continue;
        }
        numbers.push(Some(next));
        next = next.checked_add(1)?;
    }
    Some((numbers, next))
}

impl<'a> CoreItems<'a> {
    /// Returns the only instance that imports functions of the shim, with its arguments.
    fn user_of(&self, shim: ModuleInstance) -> Option<(ModuleInstance, Vec<Argument<'a>>)> {
        let mut users = self.importing(|export| self.slot(shim, export).is_some());
        let (instance, arguments) = users.pop()?;
        users.is_empty().then_some(())?;
        Some((self.module_instance(instance)?, arguments))
    }

    /// Returns the module of the only instance that imports the table, and the only argument of that instance.
    fn fix_up(&self) -> Option<(u32, u32)> {
        let mut found = self.importing(|export| export.kind == ExternalKind::Table);
        let (instance, arguments) = found.pop()?;
        let (true, [(_, filling)]) = (found.is_empty(), &arguments[..]) else {
            return None;
        };
        Some((self.module_instance(instance)?.module, *filling))
    }

    /// Decides what becomes of each import of the main module, or returns `None` if one is a function of the shim that is not called by
    /// the number of a slot.
    fn imports(
        &self,
        shim: ModuleInstance,
        arguments: &[Argument<'a>],
        filling: u32,
        options: Options<'_>,
    ) -> Option<Imports<'a>> {
        let mut imports = Imports::default();
        for (module, argument) in arguments {
            for export in self.exports(*argument)? {
                let name = (*module, export.name);
                let slot = self.slot(shim, export);
                let constant = Constant::of(module, export.name, options);
                if let Some((constant, lowered)) = constant.zip(self.lowered(export, slot, filling))
                {
                    imports.constants.insert(name, constant);
                    imports.unused.insert(lowered, slot.flatten());
                    continue;
                }
                if let Some(slot) = slot {
                    imports.slots.insert(name, slot?);
                }
                // Dropping a handle does not call the component that it came from.
                let is_drop = export.name.starts_with("[resource-drop]");
                imports.calls_stub |= (options.is_stubbed)(module) && !is_drop;
            }
        }
        let Imports { slots, unused, .. } = &mut imports;
        unused.retain(|function, slot| {
            let is_shared = |slot: u32| slots.values().any(|other| *other == slot);
            self.uses(*function) == 1 && !slot.is_some_and(is_shared)
        });
        Some(imports)
    }

    /// Returns the slot of an export that is a function of the shim: `Some(None)` if its name is not a number.
    fn slot(&self, shim: ModuleInstance, export: &Export<'a>) -> Option<Option<u32>> {
        if export.kind != ExternalKind::Func {
            return None;
        }
        match self.functions.get(export.index as usize)? {
            Origin::Export(instance, name) if *instance == shim.instance => Some(name.parse().ok()),
            _ => None,
        }
    }

    /// Returns the lowered function that an import reaches, directly or through its slot.
    fn lowered(&self, import: &Export<'a>, slot: Option<Option<u32>>, filling: u32) -> Option<u32> {
        let function = match slot {
            None => import.index,
            Some(slot) => {
                let name = slot?.to_string();
                let mut fillers = self.exports(filling)?.iter();
                fillers.find(|export| export.name == name)?.index
            }
        };
        let origin = self.functions.get(function as usize)?;
        (*origin == Origin::Lower).then_some(function)
    }
}
