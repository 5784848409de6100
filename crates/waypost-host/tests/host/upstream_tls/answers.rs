//! What servers over HTTP/2 answer.

use super::Server;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

pub const BOTH: &[&str] = &["h2", "http/1.1"];

pub type Answer = SendResponse<Bytes>;

/// Serves a connection. Each request is answered by `answer`, in a task of its own.
pub async fn serve<A: Future<Output = ()> + Send + 'static>(
    stream: TlsStream<TcpStream>,
    streams: u32,
    answer: impl Fn(Request<RecvStream>, Answer) -> A,
) {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(streams);
    let mut connection = builder.handshake(stream).await.expect("it is HTTP/2");
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer(request, respond));
    }
}

/// Starts a server that answers each request by `answer`.
pub async fn server<A: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(Request<RecvStream>, Answer) -> A + Clone + Send + Sync + 'static,
) -> Server {
    let serve = move |stream| {
        let answer = answer.clone();
        async move { serve(stream, 100, answer).await }
    };
    Server::start(BOTH, serve).await
}

/// Begins a response with this content length, if any, and its first bytes.
pub fn begin(respond: &mut Answer, length: Option<&str>) -> h2::SendStream<Bytes> {
    let mut response = Response::new(());
    if let Some(length) = length {
        let length = length.parse().expect("it is valid");
        response.headers_mut().insert("content-length", length);
    }
    let sending = respond.send_response(response, false);
    let mut sending = sending.expect("the request is there");
    let sent = sending.send_data("hello".into(), false);
    sent.expect("the request is there");
    sending
}

pub fn end(mut sending: h2::SendStream<Bytes>) {
    let ended = sending.send_data(Bytes::new(), true);
    ended.expect("the request is there");
}

pub async fn say_hello(_request: Request<RecvStream>, mut respond: Answer) {
    end(begin(&mut respond, Some("5")));
}

/// Reads a body; returns its number of bytes, and its trailers.
async fn read(mut body: RecvStream) -> Option<(usize, HeaderMap)> {
    let mut size = 0;
    while let Some(data) = body.data().await {
        let data = data.ok()?;
        size += data.len();
        let released = body.flow_control().release_capacity(data.len());
        released.expect("it was received");
    }
    let trailers = body.trailers().await.ok()?;
    Some((size, trailers.unwrap_or_default()))
}

/// Answers with the head and the size of the request, and its trailers as trailers.
pub async fn mirror(request: Request<RecvStream>, mut respond: Answer) {
    let (head, body) = request.into_parts();
    let Some((size, trailers)) = read(body).await else {
        return;
    };
    let text = format!(
        "{} {} {:?} {size} bytes",
        head.method, head.uri, head.headers
    );
    let sending = respond.send_response(Response::new(()), false);
    let mut sending = sending.expect("the request is there");
    let sent = sending.send_data(text.into(), false);
    sent.expect("the request is there");
    let sent = sending.send_trailers(trailers);
    sent.expect("the request is there");
}
