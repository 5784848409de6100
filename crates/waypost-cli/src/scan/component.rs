//! Finds the component ids of `route.wasm` files.
//!
//! A package has a name; a `route.wasm` has none. So it keeps the id that `spin.toml` has for its folder, and with it
//! the permissions there. A new one gets an id derived from its pattern.

use toml_edit::{DocumentMut, Item, TableLike};
use waypost_config::{ComponentId, Fault, IdError, read_text_file};
use waypost_routing::Pattern;

use super::walk::Folder;
use crate::app::App;
use crate::component_id::{self, ROUTER};
use crate::route::{COMPONENT_FILE, ROUTE_FILE};
use crate::spin_toml::{folder_of, folder_of_source};

/// The components in `spin.toml`, as far as it can be read. Other modules report its faults.
pub(super) struct Known(DocumentMut);

impl Known {
    pub(super) fn read(app: &App) -> Known {
        let text = read_text_file(app.spin_toml()).unwrap_or_default();
        Known(text.parse().unwrap_or_default())
    }

    /// Returns the id of the component in `folder`: the one in `spin.toml`, or else one that is not in use.
    pub(super) fn id(
        &self,
        app: &App,
        folder: &Folder,
        pattern: &Pattern,
        is_taken: impl Fn(&str) -> bool,
    ) -> Result<ComponentId, Fault> {
        if let Some(id) = self.of_folder(&folder.path()) {
            return ComponentId::parse_lowercase(id).map_err(|error| bad_id(folder, id, &error));
        }
        let is_of_another = |name: &str| {
            let mut components = self.components();
            components.any(|(id, component)| id == name && !is_left_over(app, component))
        };
        Ok(component_id::derive(pattern, |name| {
            is_taken(name) || is_of_another(name)
        }))
    }

    /// Returns a fault for each component whose build makes a `route.wasm` that is missing.
    pub(super) fn without_file(&self, app: &App) -> Vec<Fault> {
        let missing = self.components().filter_map(|(id, component)| {
            let folder = folder_of_source(component)?;
            let file = format!("{folder}/{COMPONENT_FILE}");
            let command = component.get("build")?.get("command")?.as_str()?;
            let fault = Fault::error(format!(
                "the file of the component `{id}` in `spin.toml` is missing"
            ))
            .file(&file)
            .hint(format!("build it (`{command}`), or remove the component"));
            is_left_over(app, component).then_some(fault)
        });
        missing.collect()
    }

    fn of_folder(&self, folder: &str) -> Option<&str> {
        let find = |folder_of: fn(&dyn TableLike) -> Option<String>| {
            let mut components = self.components();
            let is_here = |component| folder_of(component).as_deref() == Some(folder);
            components.find(|(_, component)| is_here(*component))
        };
        let (id, _) = find(folder_of_source).or_else(|| find(folder_of))?;
        Some(id)
    }

    fn components(&self) -> impl Iterator<Item = (&str, &dyn TableLike)> {
        let components = self.0.get("component").and_then(Item::as_table_like);
        components
            .into_iter()
            .flat_map(TableLike::iter)
            .filter(|(id, _)| *id != ROUTER)
            .filter_map(|(id, component)| Some((id, component.as_table_like()?)))
    }
}

/// Returns whether a component belongs to a route that no longer exists.
fn is_left_over(app: &App, component: &dyn TableLike) -> bool {
    let has = |folder: &str, file: &str| app.root().join(folder).join(file).exists();
    match (folder_of_source(component), folder_of(component)) {
        (Some(folder), _) => !has(&folder, COMPONENT_FILE) && !has(&folder, ROUTE_FILE),
        (None, Some(folder)) => !has(&folder, super::package::MANIFEST),
        (None, None) => false,
    }
}

fn bad_id(folder: &Folder, id: &str, error: &IdError) -> Fault {
    Fault::error(format!(
        "`{id}` in `spin.toml` is not a valid component id: {error}"
    ))
    .file(folder.file(COMPONENT_FILE))
    .hint("give the component and its trigger another name there, such as `items-slug`")
}
