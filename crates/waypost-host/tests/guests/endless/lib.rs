//! Sends bytes for as long as they are taken.

use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_bindgen, wit_future, wit_stream};

struct Endless;
wasip3::http::service::export!(Endless);

impl wasip3::exports::http::handler::Guest for Endless {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let (mut writer, body) = wit_stream::new();
        let (result, trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(Fields::new(), Some(body), trailers);
        wit_bindgen::spawn(async move {
            while writer.write_all(vec![0; 64 * 1024]).await.is_empty() {}
            println!("endless ended");
            drop(writer);
            let _ = result.write(Ok(None)).await;
        });
        Ok(response)
    }
}
