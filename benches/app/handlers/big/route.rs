//! `/big`: a response of 1 MB.

use waypost::body::Bytes;
use waypost::Body;

static BODY: [u8; 1 << 20] = [b'b'; 1 << 20];

async fn get() -> Body {
    Bytes::from_static(&BODY).into()
}

waypost::export!(get);
