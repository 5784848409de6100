//! What `export!` accepts, and what the whole route answers.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;

use waypost::extract::Params;
use waypost::{Context, Json, Request, Result, cookies::Cookies, redirect, test};

mod named {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Tags {
        r#type: String,
        item_id: u32,
        rest: Option<Vec<String>>,
    }

    async fn get(_req: Request, ctx: Context<Tags>) -> String {
        format!(
            "{} {} {:?}",
            ctx.params.r#type, ctx.params.item_id, ctx.params.rest
        )
    }

    waypost::export!("/shop/[type]/[item-id]/[[...rest]]": get);
}

mod untyped {
    use super::*;

    async fn get(ctx: Context) -> Json<Params> {
        Json(ctx.params)
    }

    async fn put(ctx: Context<HashMap<String, String>>) -> String {
        ctx.params["slug"].clone()
    }

    async fn post(_req: Request) -> Result {
        Err(redirect("/target"))
    }

    async fn visit(cookies: Cookies) -> Result {
        cookies.set(("a", "1"))?;
        Err(waypost::not_found())
    }

    waypost::export!("/items/[slug]": get, put, post, patch = self::visit);
}

mod failing {
    use super::*;

    async fn delete(cookies: Cookies) -> Result {
        cookies.set(("a", "1"))?;
        Err(std::io::Error::other("broken").into())
    }

    waypost::export!("/failing": delete);
}

mod any {
    use super::*;

    async fn get(req: Request) -> String {
        format!("own {}", req.method())
    }

    async fn any(req: Request) -> String {
        format!("any {}", req.method())
    }

    waypost::export!("/any": any, get);
}

mod none {
    waypost::export!("/none":);
}

mod catch_all {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Blog {
        slug: Vec<String>,
    }

    async fn get(Context { params, .. }: Context<Blog>) -> String {
        params.slug.join(" + ")
    }

    waypost::export!("/blog/[...slug]": get);
}

fn send<R: waypost::__private::Route>(method: &str, target: &str) -> (u16, String) {
    let method = waypost::http::Method::from_bytes(method.as_bytes()).unwrap();
    let response = test::call::<R>(Request::build(method, target, ()));
    (response.status().as_u16(), test::text(response))
}

mod closures {
    use waypost::Context;
    use waypost::http::Method;

    #[derive(serde::Deserialize)]
    struct Params {
        id: u32,
    }

    waypost::export!(
        "/closures/[id]":
        get = async |ctx: Context<Params>| ctx.params.id.to_string(),
        any = async |method: Method| method.to_string(),
    );
}

#[test]
fn params_are_typed_and_decoded() {
    let get = |target| send::<named::route::Route>("GET", target);
    assert_eq!(get("/shop/a%2Fb/7"), (200, "a/b 7 None".to_owned()));
    assert_eq!(
        get("/shop/a/7/x/y%20z"),
        (200, "a 7 Some([\"x\", \"y z\"])".to_owned())
    );
    let (status, text) = get("/shop/a/seven");
    assert_eq!(status, 400);
    assert_eq!(
        text,
        "the path is not as expected: `item-id` is `seven`, which is not a valid `u32`"
    );
    assert_eq!(
        send::<catch_all::route::Route>("GET", "/blog/1/2").1,
        "1 + 2"
    );
}

#[test]
fn params_by_name() {
    let send = send::<untyped::route::Route>;
    assert_eq!(send("GET", "/items/a%2520").1, r#"{"slug":"a%20"}"#);
    assert_eq!(send("PUT", "/items/b").1, "b");
}

#[test]
fn methods() {
    let call = |method: &str| {
        let method = waypost::http::Method::from_bytes(method.as_bytes()).unwrap();
        test::call::<untyped::route::Route>(Request::build(method, "/items/a", ()))
    };
    assert_eq!(call("HEAD").status(), 200);
    assert_eq!(call("HEAD").headers()["content-length"], "12");
    assert_eq!(test::text(call("HEAD")), "");
    assert_eq!(call("OPTIONS").status(), 204);
    for method in ["DELETE", "TRACE", "get", "BREW"] {
        assert_eq!(call(method).status(), 405, "{method}");
        assert_eq!(
            call(method).headers()["allow"],
            "GET, HEAD, OPTIONS, PATCH, POST, PUT"
        );
    }
    assert_eq!(call("POST").status(), 307);
    assert_eq!(call("POST").headers()["location"], "/target");
}

#[test]
fn functions_may_be_closures() {
    assert_eq!(
        send::<closures::route::Route>("GET", "/closures/7"),
        (200, "7".to_owned())
    );
    assert_eq!(
        send::<closures::route::Route>("PUT", "/closures/7"),
        (200, "PUT".to_owned())
    );
}

#[test]
fn any_stands_for_all_other_methods() {
    for (method, text) in [
        ("GET", "own GET"),
        ("DELETE", "any DELETE"),
        ("OPTIONS", "any OPTIONS"),
    ] {
        assert_eq!(
            send::<any::route::Route>(method, "/any"),
            (200, text.to_owned())
        );
    }
    assert_eq!(send::<none::route::Route>("GET", "/none").0, 405);
    assert_eq!(send::<none::route::Route>("OPTIONS", "/none").0, 204);
}

#[test]
fn cookies_survive_not_found() {
    let request = Request::build(waypost::http::Method::PATCH, "/items/a", ());
    let response = test::call::<untyped::route::Route>(request);
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["set-cookie"], "a=1; Path=/");
}

#[test]
fn a_handler_that_fails_sets_no_cookies() {
    // A panic loses them, so an error does too.
    let request = Request::build(waypost::http::Method::DELETE, "/failing", ());
    let response = test::call::<failing::route::Route>(request);
    assert_eq!(response.status(), 500);
    assert!(!response.headers().contains_key("set-cookie"));
}

#[test]
fn a_handler_that_fails_names_its_request() {
    let failed = |id: Option<&str>| {
        let mut request = Request::build(waypost::http::Method::DELETE, "/failing", ());
        if let Some(id) = id {
            request = request.with_header("x-request-id", id);
        }
        let response = test::call::<failing::route::Route>(request);
        assert_eq!(response.status(), 500);
        let id = response.headers().get("x-request-id");
        id.map(|id| id.to_str().unwrap().to_owned())
    };
    assert_eq!(failed(Some("9e44")).as_deref(), Some("9e44"));
    assert_eq!(failed(None), None);
    // It would forge what the log says.
    assert_eq!(failed(Some("1, route /admin)")), None);
}

#[test]
fn a_handler_normalises_paths_by_itself() {
    let call = |target| test::call::<untyped::route::Route>(Request::get(target));
    assert_eq!(
        call("/items/a/?b=%20").headers()["location"],
        "/items/a?b=%20"
    );
    assert_eq!(call("/items/%ZZ").status(), 400);
    assert_eq!(call("/other").status(), 404);
}
