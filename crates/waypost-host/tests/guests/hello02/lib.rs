//! Says what it was asked, as a WASI 0.2 component; traps at `/trap`.

use wstd::http::{Body, Error, Request, Response};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    if request.uri().path() == "/trap" {
        panic!("asked to trap");
    }
    let mut lines = vec![
        format!("method {}", request.method()),
        format!("uri {}", request.uri()),
    ];
    for (name, value) in request.headers() {
        lines.push(format!(
            "{name}: {}",
            String::from_utf8_lossy(value.as_bytes())
        ));
    }
    Ok(Response::new(lines.join("\n").into()))
}
