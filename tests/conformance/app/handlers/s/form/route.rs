//! `/s/form`: a form with a file.

use waypost::form::{File, FormData};
use waypost::Response;

async fn get() -> Response {
    Response::new(
        FormData::new()
            .with("a", "1")
            .with_file("b", File::new("f.txt", "text/plain", "xyz")),
    )
}

waypost::export!(get);
