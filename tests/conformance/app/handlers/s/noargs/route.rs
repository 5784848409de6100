//! `/s/noargs`: an empty 200.

async fn get() {}

waypost::export!(get);
