//! The shape of a component of `wit-component`'s making, as far as compaction has to know.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{
    CanonicalFunction, ComponentAlias, Encoding, ExternalKind, FunctionBody, Instance, Operator,
    Parser, Payload, TypeRef,
};

use super::answer::Answer;
use crate::compose::cli_stub;

/// The name by which the shim exports its table.
pub(super) const TABLE: &str = "$imports";

/// An import of the code, by module and name.
pub(super) type Name<'a> = (&'a str, &'a str);

/// The name of a module that another imports, and the instance that stands for it.
type Argument<'a> = (&'a str, u32);

/// Where a core module and the one instance of it are in their index spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) module: u32,
    pub(super) instance: u32,
}

/// What there is to do in a component.
#[derive(Debug)]
pub(super) struct Shape<'a> {
    /// The shim.
    pub(super) shim: Place,
    /// The code.
    pub(super) main: Place,
    /// The module of the fix-up.
    pub(super) fix_up: u32,
    /// The core instances that only say what the code and the fix-up import.
    pub(super) arguments: BTreeSet<u32>,
    /// The index that each core function has when those are gone that nobody asks any more; they have none.
    pub(super) functions: Vec<Option<u32>>,
    /// The imports that the code answers by itself, and how.
    pub(super) answered: BTreeMap<Name<'a>, Answer>,
    /// The other imports of the code that the shim met, and the slot that each calls.
    pub(super) imports: BTreeMap<Name<'a>, u32>,
    /// Where what was in each slot of the shim is now, in the table of the code; nothing for what is answered.
    pub(super) slots: Vec<Option<u32>>,
    /// How long the table of the code is with them.
    pub(super) table: u32,
    /// Whether it still calls what the stub has.
    pub(super) asks_stub: bool,
}

impl<'a> Shape<'a> {
    /// Looks at a component; gives nothing where it is of another shape.
    pub(super) fn of(component: &'a [u8], has_environment: bool) -> Option<Shape<'a>> {
        let items = Items::read(component)?;
        let shim = items.place(items.table?)?;
        let slots = slots_of_shim(items.modules.get(shim.module as usize)?)?;
        let (main, bags) = items.user_of(shim)?;
        let first = length_of_table(items.modules.get(main.module as usize)?)?;
        let (fix_up, filling) = items.fix_up()?;
        // The table can only come from the code if that is there already where the table is taken.
        let in_order = main.instance < items.instances_before_table;
        let (mut answered, mut imports) = (BTreeMap::new(), BTreeMap::new());
        // The functions behind what is answered, and their slots.
        let (mut unasked, mut asks_stub) = (BTreeMap::new(), false);
        for (module, bag) in &bags {
            for export in items.exports(*bag)? {
                let name = (*module, export.name);
                let slot = items.slot(shim, export);
                let answer = Answer::to(module, export.name, has_environment);
                if let Some((answer, lowered)) = answer.zip(items.lowered(export, slot, filling)) {
                    answered.insert(name, answer);
                    unasked.insert(lowered, slot.flatten());
                    continue;
                }
                if let Some(slot) = slot {
                    imports.insert(name, slot?);
                }
                asks_stub |= is_asked(module, export.name);
            }
        }
        unasked.retain(|function, slot: &mut Option<u32>| {
            let is_shared = |slot: u32| imports.values().any(|other| *other == slot);
            items.uses(*function) == 1 && !slot.is_some_and(is_shared)
        });
        let gone: BTreeSet<u32> = unasked.values().flatten().copied().collect();
        let (slots, table) = renumbered(slots, first, |slot| gone.contains(&slot))?;
        let is_gone = |function: u32| {
            let origin = items.functions.get(function as usize);
            unasked.contains_key(&function) || origin.is_some_and(|origin| origin.is_of(shim))
        };
        let functions = u32::try_from(items.functions.len()).ok()?;
        let (functions, _) = renumbered(functions, 0, is_gone)?;
        in_order.then(|| Shape {
            shim,
            main,
            functions,
            arguments: bags.iter().map(|(_, bag)| *bag).chain([filling]).collect(),
            answered,
            imports,
            slots,
            table,
            fix_up,
            asks_stub,
        })
    }

    /// Tells whether an item is still there without the shim.
    pub(super) fn is_kept(&self, kind: ExternalKind, index: u32) -> bool {
        kind != ExternalKind::Func
            || self
                .functions
                .get(index as usize)
                .is_some_and(Option::is_some)
    }
}

/// Tells whether an import of the code makes a call to the stub. What ends a handle does not.
fn is_asked(module: &str, name: &str) -> bool {
    cli_stub::version_for(module).is_some() && !name.starts_with("[resource-drop]")
}

/// Numbers so many items from `first` on without those that are gone; gives the end too.
fn renumbered(
    count: u32,
    first: u32,
    is_gone: impl Fn(u32) -> bool,
) -> Option<(Vec<Option<u32>>, u32)> {
    let (mut numbers, mut next) = (Vec::new(), first);
    for item in 0..count {
        if is_gone(item) {
            numbers.push(None);
            continue;
        }
        numbers.push(Some(next));
        next = next.checked_add(1)?;
    }
    Some((numbers, next))
}

/// Where a core function comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin<'a> {
    /// An instance exports it, by this name.
    Export(u32, &'a str),
    /// It calls a function of the component.
    Lower,
    /// The component model has it.
    BuiltIn,
}

impl Origin<'_> {
    /// Tells whether it is an export of this instance.
    fn is_of(&self, place: Place) -> bool {
        matches!(self, Origin::Export(instance, _) if *instance == place.instance)
    }
}

/// The core items of a component.
#[derive(Default)]
struct Items<'a> {
    modules: Vec<&'a [u8]>,
    instances: Vec<Instance<'a>>,
    functions: Vec<Origin<'a>>,
    /// The instance that exports the table of the shim, and how many instances were there by then.
    table: Option<u32>,
    instances_before_table: u32,
}

impl<'a> Items<'a> {
    fn read(component: &'a [u8]) -> Option<Items<'a>> {
        let mut items = Items::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload.ok()? {
                Payload::Version { encoding, .. }
                    if depth == 0 && encoding != Encoding::Component =>
                {
                    return None;
                }
                Payload::ModuleSection {
                    unchecked_range: range,
                    ..
                } => {
                    if depth == 0 {
                        let start = usize::try_from(range.start).ok()?;
                        let end = usize::try_from(range.end).ok()?;
                        items.modules.push(component.get(start..end)?);
                    }
                    depth += 1;
                }
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload if depth == 0 => items.add(payload)?,
                _ => {}
            }
        }
        Some(items)
    }

    fn add(&mut self, payload: Payload<'a>) -> Option<()> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances.push(instance.ok()?);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    match function.ok()? {
                        CanonicalFunction::Lift { .. } => {}
                        CanonicalFunction::Lower { .. } => self.functions.push(Origin::Lower),
                        _ => self.functions.push(Origin::BuiltIn),
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.add_alias(alias.ok()?)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn add_alias(&mut self, alias: ComponentAlias<'a>) -> Option<()> {
        let ComponentAlias::CoreInstanceExport {
            kind,
            instance_index,
            name,
        } = alias
        else {
            return Some(());
        };
        match kind {
            ExternalKind::Func => self.functions.push(Origin::Export(instance_index, name)),
            ExternalKind::Table if name == TABLE => {
                self.instances_before_table = u32::try_from(self.instances.len()).ok()?;
                if self.table.replace(instance_index).is_some() {
                    return None;
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Where a module is that has this instance, and no other.
    fn place(&self, instance: u32) -> Option<Place> {
        let module = self.module_of(instance)?;
        let is_of_it = |instance: &&Instance<'_>| matches!(instance, Instance::Instantiate { module_index, .. } if *module_index == module);
        let is_only = self.instances.iter().filter(is_of_it).count() == 1;
        is_only.then_some(Place { module, instance })
    }

    fn module_of(&self, instance: u32) -> Option<u32> {
        match self.instances.get(instance as usize)? {
            Instance::Instantiate { module_index, .. } => Some(*module_index),
            Instance::FromExports(_) => None,
        }
    }

    fn exports(&self, instance: u32) -> Option<&[wasmparser::Export<'a>]> {
        match self.instances.get(instance as usize)? {
            Instance::FromExports(exports) => Some(exports),
            Instance::Instantiate { .. } => None,
        }
    }

    /// What an instance gets to import: the instances, by the names of the modules that it imports.
    fn bags(&self, instance: &Instance<'a>) -> Vec<Argument<'a>> {
        match instance {
            Instance::Instantiate { args, .. } => {
                args.iter().map(|arg| (arg.name, arg.index)).collect()
            }
            Instance::FromExports(_) => Vec::new(),
        }
    }

    /// The module of the one instance that imports the table, once it was taken, and the instance that it gets: no
    /// other beside.
    fn fix_up(&self) -> Option<(u32, u32)> {
        let mut found = None;
        for (index, instance) in self.instances.iter().enumerate() {
            let bags = self.bags(instance);
            let has_table = |(_, bag): &Argument<'_>| {
                let mut exports = self.exports(*bag).unwrap_or_default().iter();
                exports.any(|export| export.kind == ExternalKind::Table)
            };
            if bags.iter().any(has_table) {
                let place = self.place(u32::try_from(index).ok()?)?;
                let [(_, filling)] = bags[..] else {
                    return None;
                };
                if found.replace((place.module, filling)).is_some() {
                    return None;
                }
            }
        }
        found
    }

    /// The core function that calls one of the component, where an import of the code comes to such a one: at once, or by
    /// the slot that it calls.
    fn lowered(
        &self,
        import: &wasmparser::Export<'a>,
        slot: Option<Option<u32>>,
        filling: u32,
    ) -> Option<u32> {
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

    /// How many exports of instances a core function is.
    fn uses(&self, function: u32) -> usize {
        let instances = (0..).zip(&self.instances);
        instances
            .filter_map(|(index, _)| self.exports(index))
            .flatten()
            .filter(|export| export.kind == ExternalKind::Func && export.index == function)
            .count()
    }

    /// The slot of an export that is a function of the shim; none of a shim that this module does not know.
    fn slot(&self, shim: Place, export: &wasmparser::Export<'a>) -> Option<Option<u32>> {
        if export.kind != ExternalKind::Func {
            return None;
        }
        match self.functions.get(export.index as usize)? {
            Origin::Export(instance, name) if *instance == shim.instance => Some(name.parse().ok()),
            _ => None,
        }
    }

    /// The only instance that imports functions of the shim, and what it imports: by module, the instance.
    fn user_of(&self, shim: Place) -> Option<(Place, Vec<Argument<'a>>)> {
        let mut user = None;
        for (index, instance) in self.instances.iter().enumerate() {
            let bags = self.bags(instance);
            let uses = |(_, bag): &Argument<'_>| {
                let exports = self.exports(*bag).unwrap_or_default();
                exports
                    .iter()
                    .any(|export| self.slot(shim, export).is_some())
            };
            if bags.iter().any(uses) {
                let place = self.place(u32::try_from(index).ok()?)?;
                if user.replace((place, bags)).is_some() {
                    return None;
                }
            }
        }
        user
    }
}

/// How many slots a shim has; nothing where it is no shim: its function `"3"` calls what is in slot 3.
fn slots_of_shim(module: &[u8]) -> Option<u32> {
    let (mut size, mut names, mut called) = (None, Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TableSection(tables) => {
                for table in tables {
                    if size.replace(table.ok()?.ty.initial).is_some() {
                        return None;
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.ok()?;
                    if export.kind == ExternalKind::Func {
                        names.push((export.index, export.name.parse::<i32>().ok()?));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                called.push(slot_called(&body)?);
            }
            Payload::ImportSection(_)
            | Payload::MemorySection(_)
            | Payload::GlobalSection(_)
            | Payload::StartSection { .. }
            | Payload::ElementSection(_) => return None,
            _ => {}
        }
    }
    let is_told = |(function, slot): &(u32, i32)| called.get(*function as usize) == Some(slot);
    let size = u32::try_from(size?).ok()?;
    let is_whole = usize::try_from(size).ok()? == names.len();
    (is_whole && names.iter().all(is_told)).then_some(size)
}

/// The slot that a function calls with its parameters, where it does nothing else.
fn slot_called(body: &FunctionBody<'_>) -> Option<i32> {
    let operators = body.get_operators_reader().ok()?;
    let operators: Vec<_> = operators.into_iter().collect::<Result<_, _>>().ok()?;
    let (parameters, rest) = operators.split_at_checked(operators.len().checked_sub(3)?)?;
    let in_order = (0..).zip(parameters).all(
        |(index, operator)| matches!(operator, Operator::LocalGet { local_index } if *local_index == index),
    );
    match rest {
        [
            Operator::I32Const { value },
            Operator::CallIndirect { table_index: 0, .. },
            Operator::End,
        ] if in_order => Some(*value),
        _ => None,
    }
}

/// How long the table of a module is, if it has one of its own and no other, and one memory of its own.
fn length_of_table(module: &[u8]) -> Option<u32> {
    let (mut length, mut memories) = (None, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if matches!(import.ok()?.ty, TypeRef::Table(_) | TypeRef::Memory(_)) {
                        return None;
                    }
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let table = table.ok()?.ty;
                    let is_plain = table.element_type.is_func_ref() && !table.table64;
                    if !is_plain || length.replace(table.initial).is_some() {
                        return None;
                    }
                }
            }
            Payload::MemorySection(section) => memories += section.count(),
            _ => {}
        }
    }
    if memories != 1 {
        return None;
    }
    u32::try_from(length?).ok()
}
