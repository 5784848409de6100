//! `/q/meta`: the other properties of a request in the Fetch standard. Most of them matter only in a
//! browser.

use serde_json::{Value, json};
use waypost::http::Method;
use waypost::{Json, Request, Signal};

async fn get(req: Request, signal: Signal) -> Json<Value> {
    Json(json!({
        "method": req.method().as_str(),
        "bodyNull": matches!(*req.method(), Method::GET | Method::HEAD),
        "bodyUsed": req.body_used(),
        "redirect": "follow",
        "mode": "cors",
        "cache": "default",
        "credentials": "same-origin",
        "integrity": "",
        "keepalive": false,
        "referrer": "about:client",
        "signalAborted": signal.is_aborted(),
        "isRequest": true,
        "ctor": "class",
    }))
}

waypost::export!(get, post = get, delete = get);
