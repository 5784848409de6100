//! Code that the routes of `items` share. A folder whose name begins with `_` is private: it has no path.

#![deny(missing_docs)]

use serde::{Deserialize, Serialize};

/// An item for sale.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Item {
    /// The name in a path.
    pub slug: String,
    /// The name for people.
    pub title: String,
}

/// Returns all items.
pub fn items() -> Vec<Item> {
    [("a", "An anchor"), ("b", "A barrel"), ("c", "A compass")]
        .map(|(slug, title)| Item {
            slug: slug.to_owned(),
            title: title.to_owned(),
        })
        .to_vec()
}

/// Finds an item by its slug, or returns `None` if there is none.
pub fn find(slug: &str) -> Option<Item> {
    items().into_iter().find(|item| item.slug == slug)
}
