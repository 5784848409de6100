//! `/c/static-notype`: cached bytes without a type.

async fn get() -> &'static [u8] {
    &[0x01, 0x02, 0x03]
}

waypost::export!(get; cache());
