//! Dispatch: router and handlers agree on which handler answers a path, and with which params.

use serde_json::Value;
use waypost::extract::Params;
use waypost::http::Uri;
use waypost::{Context, Json, Request, Response, test};
use waypost_router::{Answer, Decision, Router};
use waypost_routing::{ParamValue, Path, Pattern, Resolved, RouteTable};

use crate::input::Fields;

/// Answers with the params of the path.
async fn get(context: Context) -> Json<Params> {
    Json(context.params)
}

macro_rules! routes {
    ($($id:ident => $pattern:literal),* $(,)?) => {
        $(mod $id {
            use super::get;

            waypost::export!($pattern: get);
        })*

        /// The component of each route, its pattern, and a function that calls it.
        const ROUTES: &[(&str, &str, fn(Request) -> Response)] =
            &[$((stringify!($id), $pattern, test::call::<$id::route::Route>)),*];
    };
}

routes! {
    root => "/",
    about => "/about",
    item => "/items/[slug]",
    new => "/items/new",
    edit => "/items/[slug]/edit",
    rest => "/items/[slug]/[...rest]",
    docs => "/docs/[[...page]]",
    spaced => "/a b/%2F",
    any => "/[any]",
    all => "/[any]/[...all]",
}

/// Compares the decision of the router with the response of each handler. Fields: the target.
pub fn dispatch(data: &[u8]) {
    let target = Fields::of(data).text();
    let Some(uri) = target
        .parse::<Uri>()
        .ok()
        .filter(|_| target.starts_with('/'))
    else {
        return;
    };
    let lines = ROUTES
        .iter()
        .map(|(id, pattern, _)| format!("{id} GET {pattern}\n"));
    let router = Router::parse(&lines.collect::<String>()).unwrap();
    let sent = uri.to_string();
    match router.route("GET", &sent, None) {
        Decision::Forward(destination) => {
            assert_answers(destination.component(), &sent, uri.path())
        }
        Decision::Answer(answer) => ROUTES.iter().for_each(|(_, _, call)| {
            assert_answers_alike(&call(Request::get(&sent)), &answer, &sent);
        }),
    }
}

/// Checks that the chosen handler answers with the table's params, and that it precedes all others that answer.
fn assert_answers(component: &str, target: &str, path: &str) {
    let Ok(Resolved::Path(path)) = Path::resolve(path) else {
        panic!("`{target}` was forwarded")
    };
    let patterns = ROUTES
        .iter()
        .map(|(id, pattern, _)| (Pattern::parse(pattern).unwrap(), *id));
    let table = RouteTable::new(patterns).unwrap();
    let chosen = table.find(&path).expect("the router found a route");
    assert_eq!(*chosen.value, component);
    for (id, pattern, call) in ROUTES {
        let response = call(Request::get(target));
        let pattern = Pattern::parse(pattern).unwrap();
        let Some(params) = pattern.matches(&path) else {
            assert_eq!(response.status(), 404, "{id} on {target}");
            continue;
        };
        assert!(pattern >= *chosen.pattern, "{id} on {target}");
        assert_eq!(response.status(), 200, "{id} on {target}");
        let found: Value = serde_json::from_str(&test::text(response)).unwrap();
        assert_eq!(found, json(&params), "{id} on {target}");
    }
}

fn json(params: &waypost_routing::Params) -> Value {
    let entries = params.iter().map(|(name, value)| match value {
        ParamValue::One(text) => (name.to_owned(), text.as_str().into()),
        ParamValue::Many(texts) => (name.to_owned(), texts.as_slice().into()),
    });
    Value::Object(entries.collect())
}

/// Checks that a handler without a router responds like the router, except to a query that is not ASCII.
fn assert_answers_alike(response: &Response, answer: &Answer, target: &str) {
    if target.is_ascii() {
        let location = response.headers().get("location");
        let location = location.map(|location| location.to_str().unwrap());
        assert_eq!(location, answer.header("location"), "{target}");
        assert_eq!(response.status(), answer.status, "{target}");
    } else {
        assert_eq!(answer.status, 400, "{target}");
        assert!(response.status().as_u16() < 500, "{target}");
    }
}
