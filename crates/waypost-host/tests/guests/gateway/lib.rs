//! A handler made with the SDK. It passes requests on to the URL in its query, and sends streams of a declared length.

use waypost::{Body, Request, Response, Result, fetch};

async fn any(req: Request) -> Result {
    let query = req.uri().query().unwrap_or_default();
    match req.uri().path() {
        "/stream" => {
            let body = Body::from_iter(["hello", " ", "you"]);
            Ok(Response::new(body).with_header("content-length", query))
        }
        // Says that there is nothing before what the client sent.
        "/nothing" => {
            let body = Body::from_stream(req.body());
            let sent = fetch(query).method("PUT").header("content-length", "0");
            Ok(sent.body(body).await?)
        }
        "/text" => Ok(Response::new(fetch(query).await?.text().await?)),
        _ => {
            let sent = fetch(query).method(req.method()).headers(req.headers());
            Ok(sent.body(req.body()).await?)
        }
    }
}

waypost::export!("/[[...path]]": any);
