//! `/axum/[[...rest]]`: an axum router that handles all paths below a folder.

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use waypost::{Request, Result, tower};

fn app() -> Router {
    let routes = Router::new()
        .route("/", get(async || "Hello from axum!"))
        .route("/hello/{name}", get(hello))
        .route("/sorted", post(sorted));
    Router::new().nest("/axum", routes)
}

async fn hello(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

async fn sorted(Json(mut names): Json<Vec<String>>) -> Json<Vec<String>> {
    names.sort();
    Json(names)
}

async fn any(req: Request) -> Result {
    tower::serve(app(), req).await
}

waypost::export!(any);

#[cfg(test)]
mod tests {
    use super::*;
    use waypost::test;

    #[test]
    fn axum_routes_by_the_whole_path() {
        for (path, text) in [
            ("/axum", "Hello from axum!"),
            ("/axum/hello/Ada%20L", "Hello, Ada L!"),
        ] {
            let response = test::call::<route::Route>(Request::get(path));
            assert_eq!(test::text(response), text);
        }
        for (path, status) in [("/axum/none", 404), ("/axum/sorted", 405)] {
            let response = test::call::<route::Route>(Request::get(path));
            assert_eq!(response.status(), status);
        }
    }

    #[test]
    fn json_comes_back_sorted() {
        let names = Request::post("/axum/sorted", r#"["b","a"]"#)
            .with_header("content-type", "application/json");
        let response = test::call::<route::Route>(names);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(test::text(response), r#"["a","b"]"#);
    }
}
