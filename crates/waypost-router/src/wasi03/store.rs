//! The key-value store of Spin, and of Waypost's host.

use std::cell::RefCell;
use std::rc::Rc;

use waypost_cache::internal::{STORE, STORE_VARIABLE};

use crate::cache::KeyValue;
use bindings::spin::key_value::key_value::{Error, Store};

mod bindings {
    #![allow(missing_docs, unsafe_code, reason = "generated")]

    wasip3::wit_bindgen::generate!({
        inline: "package waypost:router; world cache { import spin:key-value/key-value@3.0.0; }",
        path: "wit",
        world: "waypost:router/cache",
        runtime_path: "wasip3::wit_bindgen::rt",
        generate_all,
    });
}

/// The store that the environment names, or [`STORE`]. It is opened once, because some of Spin's stores send a request each time.
///
/// Handlers may use the same store, so its keys have a prefix.
#[derive(Default)]
pub(super) struct SpinStore {
    open: RefCell<Option<Rc<Store>>>,
}

impl SpinStore {
    async fn open(&self) -> Result<Rc<Store>, String> {
        if let Some(store) = &*self.open.borrow() {
            return Ok(Rc::clone(store));
        }
        let label = std::env::var(STORE_VARIABLE).unwrap_or_else(|_| STORE.to_owned());
        let store = Rc::new(Store::open(label).await.map_err(text)?);
        self.open.replace(Some(Rc::clone(&store)));
        Ok(store)
    }
}

/// Returns the name of a key in the store.
fn name(key: &str) -> String {
    format!("waypost-{key}")
}

impl KeyValue for SpinStore {
    const IS_SHARED: bool = true;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.open().await?.get(name(key)).await.map_err(text)
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), String> {
        let store = self.open().await?;
        store.set(name(key), value).await.map_err(text)
    }

    async fn delete(&self, key: &str) -> Result<(), String> {
        let store = self.open().await?;
        store.delete(name(key)).await.map_err(text)
    }
}

fn text(error: Error) -> String {
    match error {
        Error::AccessDenied | Error::NoSuchStore => {
            "it is not granted; `cargo waypost build` adds `key_value_stores` to the router in `spin.toml`".to_owned()
        }
        Error::StoreTableFull => "too many stores are open".to_owned(),
        Error::Other(why) => why,
    }
}
