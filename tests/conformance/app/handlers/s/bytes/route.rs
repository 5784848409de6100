//! `/s/bytes`: bytes.

async fn get() -> &'static [u8] {
    &[0x00, 0x01, 0x02, 0xfd, 0xfe, 0xff]
}

waypost::export!(get);
