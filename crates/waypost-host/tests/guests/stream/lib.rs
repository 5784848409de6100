//! Streams: `/echo` sends the request's body back as it comes, `/ticks` a line every 20 ms for ever,
//! `/two` two lines half a second apart, `/fail` fails before its first byte, `/cut` after it. All are text.

use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_bindgen::{self, StreamWriter};
use wasip3::{wit_future, wit_stream};

struct Stream;
wasip3::http::service::export!(Stream);

impl wasip3::exports::http::handler::Guest for Stream {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let (mut writer, body) = wit_stream::new();
        let (result, trailers) = wit_future::new(|| Ok(None));
        let kind = ("content-type".to_owned(), b"text/plain".to_vec());
        let headers = Fields::from_list(&[kind]).expect("the header is well formed");
        let (response, _sent) = Response::new(headers, Some(body), trailers);
        wit_bindgen::spawn(async move {
            let outcome = match target.as_str() {
                "/echo" => echo(request, &mut writer).await,
                "/ticks" => ticks(&mut writer).await,
                "/two" => two(&mut writer).await,
                "/cut" => cut(&mut writer).await,
                _ => Err(ErrorCode::InternalError(Some("asked to fail".to_owned()))),
            };
            drop(writer);
            let _ = result.write(outcome.map(|()| None)).await;
        });
        Ok(response)
    }
}

async fn echo(request: Request, writer: &mut StreamWriter<u8>) -> Result<(), ErrorCode> {
    let (_, processed) = wit_future::new(|| Ok(()));
    let (mut body, trailers) = Request::consume_body(request, processed);
    loop {
        let (status, chunk) = body.read(Vec::with_capacity(64 * 1024)).await;
        if !chunk.is_empty() && !writer.write_all(chunk).await.is_empty() {
            return Ok(());
        }
        if matches!(status, wit_bindgen::StreamResult::Dropped) {
            return trailers.await.map(drop);
        }
    }
}

async fn ticks(writer: &mut StreamWriter<u8>) -> Result<(), ErrorCode> {
    while writer.write_all(b"tick\n".to_vec()).await.is_empty() {
        monotonic_clock::wait_for(20_000_000).await;
    }
    println!("ticks ended");
    Ok(())
}

async fn two(writer: &mut StreamWriter<u8>) -> Result<(), ErrorCode> {
    monotonic_clock::wait_for(500_000_000).await;
    writer.write_all(b"one\n".to_vec()).await;
    monotonic_clock::wait_for(500_000_000).await;
    writer.write_all(b"two\n".to_vec()).await;
    Ok(())
}

async fn cut(writer: &mut StreamWriter<u8>) -> Result<(), ErrorCode> {
    writer.write_all(b"whole\n".to_vec()).await;
    monotonic_clock::wait_for(50_000_000).await;
    panic!("asked to trap while streaming");
}
