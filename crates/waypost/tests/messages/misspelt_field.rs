use waypost::{Context, Request};

#[derive(serde::Deserialize)]
struct Params {
    slugg: String,
}

async fn get(_req: Request, ctx: Context<Params>) -> String {
    ctx.params.slugg
}

waypost::export!("/items/[slug]": get);

fn main() {}
