//! The parts of a Spin manifest for routes: `[[trigger.http]]` and `[component.…]`.

use toml_edit::{ArrayOfTables, Item, Table, TableLike, Value};

use super::super::manifest::{Manifest, replace};
use super::super::{Edited, SyncError, lines};
use crate::spin_toml::text_at;

pub(in crate::sync) const FILE: &str = "spin.toml";

const TRIGGERS: &str = "HTTP triggers must be written as `[[trigger.http]]` tables";
const COMPONENTS: &str = "components must be written as `[component.…]` tables";

/// A Spin manifest whose triggers and components have the form that can be edited.
pub(super) struct Spin {
    manifest: Manifest,
}

impl Spin {
    pub(super) fn new(mut manifest: Manifest) -> Result<Spin, SyncError> {
        let document = manifest.document.as_table_mut();
        implicit_table(document, "component").ok_or(shape(COMPONENTS))?;
        let trigger = implicit_table(document, "trigger").ok_or(shape(TRIGGERS))?;
        trigger
            .entry("http")
            .or_insert(Item::ArrayOfTables(ArrayOfTables::new()))
            .as_array_of_tables()
            .ok_or(shape(TRIGGERS))?;
        Ok(Spin { manifest })
    }

    pub(super) fn finish(self) -> Edited {
        self.manifest.finish()
    }

    pub(super) fn note(&mut self, change: impl Into<String>) {
        self.manifest.note(change);
    }

    pub(super) fn note_gone(&mut self, entry: String) {
        self.manifest.gone.push(entry);
    }

    pub(super) fn component_ids(&self) -> Vec<String> {
        let components = self.manifest.document["component"].as_table();
        components
            .into_iter()
            .flat_map(|components| components.iter().map(|(id, _)| id.to_owned()))
            .collect()
    }

    pub(super) fn component(&self, id: &str) -> Option<&dyn TableLike> {
        self.manifest.document["component"].get(id)?.as_table_like()
    }

    pub(super) fn component_mut(&mut self, id: &str) -> Option<&mut dyn TableLike> {
        self.components_mut().get_mut(id)?.as_table_like_mut()
    }

    pub(super) fn build_mut(&mut self, id: &str) -> Option<&mut dyn TableLike> {
        self.component_mut(id)?
            .get_mut("build")?
            .as_table_like_mut()
    }

    pub(super) fn triggers_of(&self, id: &str) -> impl Iterator<Item = &Table> {
        self.manifest.document["trigger"]["http"]
            .as_array_of_tables()
            .into_iter()
            .flat_map(ArrayOfTables::iter)
            .filter(move |trigger| text_at(*trigger, "component") == Some(id))
    }

    /// Appends a trigger at the end of the file.
    pub(super) fn push_trigger(&mut self, mut trigger: Table) {
        trigger.set_position(Some(self.end()));
        self.triggers_mut().push(trigger);
    }

    /// Appends a component, with the table of its build, at the end of the file.
    pub(super) fn push_component(&mut self, id: &str, mut component: Table, build: Option<Table>) {
        let end = self.end();
        component.set_position(Some(end));
        if let Some(mut build) = build {
            build.set_position(Some(end + 1));
            component.insert("build", Item::Table(build));
        }
        self.components_mut().insert(id, Item::Table(component));
    }

    /// Adds a build to a component, right after its own keys.
    pub(super) fn insert_build(&mut self, id: &str, build: Table) {
        if let Some(component) = self.component_mut(id) {
            component.insert("build", Item::Table(build));
        }
    }

    /// Removes the build of a component. Comments above it stay if a blank line separates them.
    pub(super) fn remove_build(&mut self, id: &str) {
        let build = self
            .component_mut(id)
            .and_then(|component| component.remove("build"));
        if let Some(build) = build.and_then(into_table) {
            self.hand_on_comments(&build);
        }
    }

    /// Changes the id of a component in place.
    pub(super) fn rename_component(&mut self, old: &str, new: &str) {
        if let Some(component) = self.components_mut().remove(old) {
            self.components_mut().insert(new, component);
        }
        for trigger in self.triggers_mut().iter_mut() {
            if let Some(value) = trigger.get_mut("component").and_then(Item::as_value_mut)
                && value.as_str() == Some(old)
            {
                replace(value, new);
            }
        }
    }

    /// Removes a component and its triggers. Comments above them stay if a blank line separates them.
    pub(super) fn remove_component(&mut self, id: &str) {
        let component = self.components_mut().remove(id);
        let mut removed: Vec<Table> = component.and_then(into_table).into_iter().collect();
        self.triggers_mut().retain(|trigger| {
            let is_removed = text_at(trigger, "component") == Some(id);
            removed.extend(is_removed.then(|| trigger.clone()));
            !is_removed
        });
        for table in removed {
            self.hand_on_comments(&table);
        }
    }

    fn hand_on_comments(&mut self, removed: &Table) {
        let space = removed.decor().prefix().and_then(|space| space.as_str());
        let comments = set_apart(space.unwrap_or_default()).to_owned();
        if comments.is_empty() {
            return;
        }
        let after = removed.position().unwrap_or_default();
        match next_table(self.manifest.document.as_table_mut(), after) {
            Some(next) => {
                let space = next.decor().prefix().and_then(|space| space.as_str());
                let space = format!("{comments}{}", space.unwrap_or_default());
                next.decor_mut().set_prefix(space);
            }
            None => {
                let space = self.manifest.document.trailing().as_str();
                let space = format!("{comments}{}", space.unwrap_or_default());
                self.manifest.document.set_trailing(space);
            }
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "`new` refuses a document of another form"
    )]
    fn components_mut(&mut self) -> &mut Table {
        self.manifest.document["component"]
            .as_table_mut()
            .expect("`new` made sure of this table")
    }

    #[expect(
        clippy::expect_used,
        reason = "`new` refuses a document of another form"
    )]
    fn triggers_mut(&mut self) -> &mut ArrayOfTables {
        self.manifest.document["trigger"]["http"]
            .as_array_of_tables_mut()
            .expect("`new` made sure of this array")
    }

    /// Returns the position after the last table of the file.
    fn end(&self) -> isize {
        last_position(self.manifest.document.as_table()) + 1
    }
}

fn shape(expected: &'static str) -> SyncError {
    SyncError::Shape {
        file: FILE,
        expected,
    }
}

/// Returns the table at `key`, after adding one without a header if there is none.
fn implicit_table<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    let mut implicit = Table::new();
    implicit.set_implicit(true);
    table
        .entry(key)
        .or_insert(Item::Table(implicit))
        .as_table_mut()
}

fn into_table(item: Item) -> Option<Table> {
    match item {
        Item::Table(table) => Some(table),
        Item::Value(Value::InlineTable(_))
        | Item::Value(_)
        | Item::ArrayOfTables(_)
        | Item::None => None,
    }
}

/// Returns the comments in the space above a table up to its last blank line. The rest belongs to the table.
fn set_apart(space: &str) -> &str {
    let end = space.rfind("\n\n").map_or(0, |blank| blank + 1);
    lines::comments(&space[..end])
}

fn last_position(table: &Table) -> isize {
    let below = tables(table).map(last_position).max();
    table
        .position()
        .unwrap_or_default()
        .max(below.unwrap_or_default())
}

fn tables(table: &Table) -> impl Iterator<Item = &Table> {
    table.iter().flat_map(|(_, item)| {
        let one = item.as_table().into_iter();
        let many = item.as_array_of_tables().into_iter().flatten();
        one.chain(many)
    })
}

/// Returns the first table with a header after a position.
fn next_table(table: &mut Table, after: isize) -> Option<&mut Table> {
    let position = next_position(table, after)?;
    table_at(table, position)
}

fn next_position(table: &Table, after: isize) -> Option<isize> {
    let own = table.position().filter(|position| *position > after);
    let below = tables(table).filter_map(|table| next_position(table, after));
    own.into_iter().chain(below).min()
}

fn table_at(table: &mut Table, position: isize) -> Option<&mut Table> {
    if table.position() == Some(position) {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, item)| match item {
        Item::Table(table) => table_at(table, position),
        Item::ArrayOfTables(tables) => tables
            .iter_mut()
            .find_map(|table| table_at(table, position)),
        Item::Value(_) | Item::None => None,
    })
}
