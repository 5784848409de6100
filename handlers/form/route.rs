//! `/form`: a form with a file.

use waypost::Json;
use waypost::form::FormData;

#[derive(serde::Serialize)]
struct Reply {
    name: Option<String>,
    email: Option<String>,
    picture: Option<Picture>,
}

#[derive(serde::Serialize)]
struct Picture {
    name: String,
    bytes: usize,
}

async fn post(form: FormData) -> Json<Reply> {
    let text = |name| form.get(name).map(str::to_owned);
    let picture = form.file("picture");
    Json(Reply {
        name: text("name"),
        email: text("email"),
        picture: picture.map(|p| Picture {
            name: p.name.clone(),
            bytes: p.content.len(),
        }),
    })
}

waypost::export!(post);
