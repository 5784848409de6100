//! What the routes of `items` share. A folder that begins with `_` is private: it has no path.

#![deny(missing_docs)]

use serde::{Deserialize, Serialize};

/// Something for sale.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Item {
    /// Its name in a path.
    pub slug: String,
    /// Its name for people.
    pub title: String,
}

/// Returns everything that is for sale.
pub fn items() -> Vec<Item> {
    [("a", "An anchor"), ("b", "A barrel"), ("c", "A compass")]
        .map(|(slug, title)| Item {
            slug: slug.to_owned(),
            title: title.to_owned(),
        })
        .to_vec()
}

/// Finds an item by its name in a path.
pub fn find(slug: &str) -> Option<Item> {
    items().into_iter().find(|item| item.slug == slug)
}
