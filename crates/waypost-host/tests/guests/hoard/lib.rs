//! Has the host hold, or make, as much as the query says: `?fields=N` keeps N maps of header fields of 100 kB each, and
//! `?random=N` asks N times for 64 MiB of random bytes, `?files=N` opens N files and keeps them, `?methods=N` keeps N requests with a
//! method of 1 MiB each, and `?lines=N` prints N empty lines in one call.

use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use wasip3::http_compat::http_into_wasi_response;
use wasip3::{wit_future, wit_stream};

struct Hoard;
wasip3::http::service::export!(Hoard);

impl wasip3::exports::http::handler::Guest for Hoard {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let (what, count) = query.split_once('=').unwrap_or_default();
        let count: usize = count.parse().unwrap_or(0);
        let text = match what {
            "fields" => format!("kept {}", keep_fields(count)),
            "files" => format!("opened {}", open_files(count)),
            "random" => format!("at most {} at a time", draw(count)),
            "methods" => format!("kept {}", keep_methods(count)),
            "lines" => print_lines(count).await,
            _ => String::new(),
        };
        http_into_wasi_response(http::Response::new(text))
    }
}

fn keep_fields(count: usize) -> usize {
    let value = vec![b'a'; 100_000];
    let make = || {
        let fields = Fields::new();
        fields.append("x-large", &value).ok().map(|()| fields)
    };
    (0..count).filter_map(|_| make()).collect::<Vec<_>>().len()
}

fn open_files(count: usize) -> usize {
    let files: Vec<_> = (0..count)
        .map_while(|_| std::fs::File::open("/files/file").ok())
        .collect();
    files.len()
}

fn keep_methods(count: usize) -> usize {
    let method = Method::Other("A".repeat(1 << 20));
    let make = || {
        let (_, trailers) = wit_future::new(|| Ok(None));
        let (request, _) = Request::new(Fields::new(), None, trailers, None);
        request.set_method(&method).ok().map(|()| request)
    };
    (0..count).filter_map(|_| make()).collect::<Vec<_>>().len()
}

async fn print_lines(count: usize) -> String {
    let (mut writer, reader) = wit_stream::new();
    let printed = wasip3::cli::stdout::write_via_stream(reader);
    let left = writer.write_all(vec![b'\n'; count]).await;
    drop(writer);
    let _ = printed.await;
    format!("printed all but {}", left.len())
}

fn draw(count: usize) -> usize {
    let draw = |_| wasip3::random::random::get_random_bytes(64 << 20).len();
    (0..count).map(draw).max().unwrap_or(0)
}
