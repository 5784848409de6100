//! Answers any method with what it was asked and the body that was sent, as a WASI 0.2 component.

use wstd::http::{Body, Error, HeaderValue, Request, Response};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let method = HeaderValue::from_str(request.method().as_str())?;
    let target = request.uri().path_and_query().map_or("", |it| it.as_str());
    let target = HeaderValue::from_str(target)?;
    let host = request.headers().get("x-forwarded-host").cloned();
    let mut response = Response::new(request.into_body());
    *response.status_mut() = wstd::http::StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert("x-language", HeaderValue::from_static("Rust 0.2"));
    headers.insert("x-method", method);
    headers.insert("x-target", target);
    headers.extend(host.map(|host| (wstd::http::HeaderName::from_static("x-host"), host)));
    Ok(response)
}
