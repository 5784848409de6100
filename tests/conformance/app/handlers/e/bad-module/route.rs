//! `/e/bad-module`: a static whose initialisation fails.

use std::sync::LazyLock;

use waypost::Response;

static SETTINGS: LazyLock<String> = LazyLock::new(|| panic!("the settings are broken"));

async fn get() -> Response {
    Response::new(SETTINGS.as_str())
}

waypost::export!(get);
