use waypost::{Context, Request};

struct Params {
    slug: String,
}

async fn get(_req: Request, ctx: Context<Params>) -> String {
    ctx.params.slug
}

waypost::export!("/items/[slug]": get);

fn main() {}
