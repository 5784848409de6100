//! `/e/return-object`: a handler that does not return a response. It compiles only with a dynamic type.

use std::any::Any;

use waypost::{Response, Result};

async fn get() -> Result {
    let reply: Box<dyn Any> = Box::new(Object { a: 1 });
    let response = reply.downcast::<Response>();
    Ok(*response.map_err(|_| anyhow::anyhow!("the handler returned no response"))?)
}

struct Object {
    #[expect(dead_code, reason = "nobody reads it")]
    a: u32,
}

waypost::export!(get);
