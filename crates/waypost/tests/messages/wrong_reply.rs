use waypost::{Request, Result};

struct Item;

async fn get(_req: Request) -> Item {
    Item
}

async fn post(_req: Request) -> Result<Item> {
    Ok(Item)
}

waypost::export!("/items": get, post);

fn main() {}
