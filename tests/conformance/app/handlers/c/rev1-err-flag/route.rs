//! `/c/rev1-err-flag`: the flag of `/c/rev1-err`.

use waypost::http::StatusCode;
use waypost::Result;

async fn post(text: String) -> Result<StatusCode> {
    flag::set(text == "on").await?;
    Ok(StatusCode::NO_CONTENT)
}

waypost::export!(post);
