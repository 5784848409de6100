//! Query parameters: the same as in the URL standard, by name and as a type.

use serde::Deserialize;
use waypost::error::RequestError;
use waypost::request::SearchParams;
use waypost::{Request, url};

use crate::input::{Fields, pairs};

/// Checks `SearchParams`. Fields: a query, then names and values to write.
pub fn query(data: &[u8]) {
    let mut fields = Fields::of(data);
    read(fields.text());
    written(&pairs(fields.texts()));
}

fn read(query: &str) {
    let target = format!("/?{query}");
    if target.parse::<waypost::http::Uri>().is_err() {
        return;
    }
    let request = Request::get(&target);
    let sent = request.uri().query().unwrap_or_default();
    let expected: SearchParams = url::form_urlencoded::parse(sent.as_bytes()).collect();
    let params = request.search_params();
    assert_eq!(params, expected);
    assert_finds_by_name(&params);
    assert_agrees_with_a_type(&request);
}

fn written(pairs: &[(&str, &str)]) {
    let params: SearchParams = pairs.iter().copied().collect();
    let query = params.to_string();
    assert!(query.bytes().all(|byte| byte.is_ascii_graphic()), "{query}");
    assert_eq!(Request::get(&format!("/?{query}")).search_params(), params);
}

fn assert_finds_by_name(params: &SearchParams) {
    for (name, _) in params.iter() {
        let values: Vec<_> = params.get_all(name).collect();
        let expected = params.iter().filter(|(known, _)| *known == name);
        assert!(expected.map(|(_, value)| value).eq(values.iter().copied()));
        assert_eq!(params.get(name), values.first().copied());
        assert!(params.has(name));
    }
}

/// A type with a field of each kind.
#[derive(Debug, Deserialize)]
struct Search {
    a: Option<String>,
    b: Option<u8>,
    #[serde(default)]
    c: Vec<char>,
    d: Option<bool>,
    e_f: Option<f64>,
    g: Option<Sort>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Up,
    Down,
}

fn assert_agrees_with_a_type(request: &Request) {
    let params = request.search_params();
    let search: Search = match params.clone().into_typed() {
        Ok(search) => search,
        Err(error) => return assert!(matches!(error, RequestError::Query(_))),
    };
    assert_eq!(search.a.as_deref(), params.get("a"));
    assert_eq!(search.b, request.query("b").unwrap());
    assert!(search.c.len() == params.get_all("c").count());
    assert_eq!(search.d, request.query("d").unwrap());
    let e_f = params.get("e-f").or_else(|| params.get("e_f"));
    assert_eq!(search.e_f.is_some(), e_f.is_some());
    let sort = params.get("g").map(|text| match text {
        "up" => Sort::Up,
        _ => Sort::Down,
    });
    assert_eq!(search.g, sort);
}
