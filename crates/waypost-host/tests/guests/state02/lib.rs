//! Spin's interfaces for WASI 0.2: sets a key and reads it, a variable, and a store that is not granted.

mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "waypost:host/imports", generate_all });
}

use bindings::fermyon::spin::{key_value, variables};
use wstd::http::{Body, Error, Request, Response};

#[wstd::http_server]
async fn main(_request: Request<Body>) -> Result<Response<Body>, Error> {
    let denied = key_value::Store::open("other").map(drop);
    let kept = keep();
    let variable = variables::get("greeting");
    Ok(Response::new(
        format!("{denied:?}\n{kept:?}\n{variable:?}").into(),
    ))
}

fn keep() -> Result<Vec<String>, key_value::Error> {
    let store = key_value::Store::open("default")?;
    store.set("old", b"1")?;
    assert_eq!(store.get("old")?, Some(b"1".to_vec()));
    assert!(store.exists("old")?);
    store.get_keys()
}
