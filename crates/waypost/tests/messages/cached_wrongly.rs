//! Functions whose values can't be cached.

use waypost::Result;

#[waypost::cached(life = "hours")]
fn not_async(id: u32) -> Result<u32> {
    Ok(id)
}

#[waypost::cached(life = "hour")]
async fn unknown_life(id: u32) -> Result<u32> {
    Ok(id)
}

#[waypost::cached(tags = ["author-{name}", "a}", ""])]
async fn bad_tags(id: u32) -> Result<u32> {
    Ok(id)
}

#[waypost::cached(revalidate = 0, ttl = 60)]
async fn unknown_field(id: u32) -> Result<u32> {
    Ok(id)
}

#[waypost::cached(revalidate = "2m", expire = "1m")]
async fn wrong_times(id: u32) -> Result<u32> {
    Ok(id)
}

#[waypost::cached]
async fn references(name: &str, ids: &[u32]) -> Result<usize> {
    Ok(name.len() + ids.len())
}

#[waypost::cached]
async fn generic<T: ToString>(id: T, name: impl ToString) -> Result<String> {
    Ok(id.to_string() + &name.to_string())
}

#[waypost::cached]
async fn without_names((a, b): (u32, u32)) -> Result<u32> {
    Ok(a + b)
}

#[waypost::cached]
async fn nothing(id: u32) {
    drop(id);
}

#[waypost::cached(tags = ["author-{name}"])]
async fn unknown_argument(id: u32) -> Result<u32> {
    Ok(id)
}

fn main() {}
