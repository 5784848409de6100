//! `/webhook`: accepts only signed messages. The sender puts the HMAC-SHA-256 of the raw body, in hex,
//! into `x-signature`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use waypost::{Error, Request, Result};

async fn post(req: Request) -> Result<&'static str> {
    let signature = req.header("x-signature").unwrap_or_default();
    let secret = std::env::var("WEBHOOK_SECRET")?;
    if !is_signed(&secret, &req.bytes().await?, signature)? {
        return Err(Error::new(401, "the signature does not match the body"));
    }
    Ok("Success!")
}

fn is_signed(secret: &str, body: &[u8], signature: &str) -> Result<bool> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(body);
    // `verify_slice` takes as long for a wrong signature as for a right one.
    Ok(hex::decode(signature).is_ok_and(|signature| mac.verify_slice(&signature).is_ok()))
}

waypost::export!(post);
