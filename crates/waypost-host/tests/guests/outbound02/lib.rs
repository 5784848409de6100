//! Fetches the URL in its query and tells what came of it, as a WASI 0.2 component.

use wstd::http::{Body, Client, Error, Request, Response};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let url = request.uri().query().unwrap_or_default();
    let text = match fetch(url).await {
        Ok(text) => text,
        Err(error) => format!("{error:?}"),
    };
    Ok(Response::new(text.into()))
}

async fn fetch(url: &str) -> Result<String, Error> {
    let request = Request::get(url).body(Body::empty())?;
    let response = Client::new().send(request).await?;
    let status = response.status().as_u16();
    let text = response.into_body().str_contents().await?.to_owned();
    Ok(format!("{status} {text}"))
}
