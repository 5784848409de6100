//! `/rss.xml`: a response that is neither a page nor JSON.

use waypost::Response;

const FEED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
  <channel>
    <title>Waypost</title>
    <link>https://example.com/blog</link>
    <description>Routes as WebAssembly components</description>
  </channel>
</rss>
"#;

async fn get() -> Response {
    Response::new(FEED).with_header("content-type", "text/xml; charset=utf-8")
}

waypost::export!(get);
