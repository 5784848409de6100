use waypost::{Context, Request};

#[derive(serde::Deserialize)]
struct Params {
    id: String,
}

async fn get(_req: Request, ctx: Context<Params>) -> String {
    ctx.params.id
}

waypost::export!("/shop/[tag]/[item-id]": get);

fn main() {}
