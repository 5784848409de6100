//! Prints what its query says: to stdout, to stderr, without a line end, very much of it, or as bytes in hexadecimal.
//! `/draft` answers the secret of draft mode.

use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::http_into_wasi_response;

struct Print;
wasip3::http::service::export!(Print);

impl wasip3::exports::http::handler::Guest for Print {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let (path, text) = target.split_once('?').unwrap_or((&target, ""));
        let mut answer = String::new();
        match path {
            "/draft" => answer = std::env::var("WAYPOST_DRAFT_SECRET").unwrap_or_default(),
            "/out" => println!("{text}"),
            "/err" => eprintln!("{text}"),
            "/hex" => println!("{}", decoded(text)),
            "/flood" => (0..100_000).for_each(|line| println!("{text} {line}")),
            _ => print!("{text}"),
        }
        std::io::Write::flush(&mut std::io::stdout()).expect("the host takes all");
        http_into_wasi_response(http::Response::new(answer))
    }
}

fn decoded(hex: &str) -> String {
    let digits: Vec<u8> = hex.chars().filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let bytes = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
    String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
}
