//! The response cache for operators: what it holds, and revalidation from outside.
//!
//! Responses are JSON, without bodies, cookies and values of request headers. Only programs may ask: a request with an `Origin`
//! comes from a page in a browser, and is refused, so that no page can revalidate anything on the operator's machine.

use super::not_allowed;
use crate::app::App;
use crate::app::cache::ResponseCache;
use crate::app::cache::listing::{Filter, ListedEntry};
use crate::app::cache::revalidate::{Applied, no_route};
use crate::observe::untrusted::shown;
use crate::request::body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::sync::Arc;
use wasmtime_wasi_http::WasiBody;
use waypost_cache::revalidation::MAX_REVALIDATIONS;
use waypost_cache::subject::SubjectError;
use waypost_cache::{Revalidation, Verdict};

/// Path of the list of stored responses. One of them has its id as a last segment.
pub(super) const CACHE: &str = "/.well-known/waypost/cache";

/// The last segment of the path that revalidates.
const REVALIDATE: &str = "revalidate";

/// The largest body of a request, in bytes: as many names as a response may revalidate fit.
const MAX_BODY: usize = 64 << 10;

/// How many stored responses are listed, unless the request says how many.
const DEFAULT_LIMIT: usize = 100;

/// How many stored responses are listed at most.
const MAX_LIMIT: usize = 1000;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a request is refused.
type Refusal = (StatusCode, String);

/// Answers a request, whose path is below [`CACHE`] by `rest`.
pub(super) async fn answer<B>(app: &App, request: Request<B>, rest: &str) -> Response<WasiBody>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let is_read = super::is_read(request.method());
    match rest {
        REVALIDATE if request.method() != Method::POST => return not_allowed("POST"),
        REVALIDATE => {}
        _ if !is_read => return not_allowed("GET, HEAD"),
        _ => {}
    }
    let answered = match (rest, cache_for(app, request.headers())) {
        (_, Err(refusal)) => Err(refusal),
        (REVALIDATE, Ok(cache)) => revalidate(cache, request).await,
        ("", Ok(cache)) => list(app, cache, request.uri().query().unwrap_or_default()).await,
        (id, Ok(cache)) => show(app, cache, id).await,
    };
    match answered {
        Ok(value) => json(StatusCode::OK, &value),
        Err((status, reason)) => json(status, &json!({ "error": reason })),
    }
}

/// Returns the cache, if the app has one and no page in a browser asks.
fn cache_for<'a>(app: &'a App, headers: &HeaderMap) -> Result<&'a Arc<ResponseCache>, Refusal> {
    if headers.contains_key(ORIGIN) {
        let reason = "a page in a browser may not ask; use `cargo waypost cache` or `curl`";
        return Err((StatusCode::FORBIDDEN, reason.to_owned()));
    }
    app.cache.as_ref().ok_or_else(|| {
        let reason = "this host has no response cache: it imitates another one";
        (StatusCode::NOT_FOUND, reason.to_owned())
    })
}

async fn list(app: &App, cache: &Arc<ResponseCache>, query: &str) -> Result<Value, Refusal> {
    let filter = filter_of(query)?;
    let searched = Arc::clone(cache);
    let listing = search(move || searched.list(&filter)).await?;
    let entries = listing.entries.iter().map(|entry| outline(app, entry));
    let report = cache.report();
    Ok(json!({
        "entries": entries.map(Value::Object).collect::<Vec<_>>(),
        "matching": listing.matching,
        "stored": report.entries,
        "bytes": report.bytes,
        "capacity": report.capacity,
        "development": cache.is_off(),
    }))
}

async fn show(app: &App, cache: &Arc<ResponseCache>, id: &str) -> Result<Value, Refusal> {
    let (searched, wanted) = (Arc::clone(cache), id.to_owned());
    let found = search(move || searched.find(&wanted)).await?;
    let entry = found.ok_or_else(|| {
        let reason = "no stored response has this id; it may have made room for another one";
        (StatusCode::NOT_FOUND, reason.to_owned())
    })?;
    let mut value = outline(app, &entry);
    let mut add = |name: &str, more: Value| value.insert(name.to_owned(), more);
    add(
        "origin",
        format!("{}://{}", entry.parts.scheme, entry.parts.authority).into(),
    );
    add("component", entry.parts.component.clone().into());
    add("expire", entry.life.expire().as_secs().into());
    add("memory", entry.weight.into());
    add("vary", entry.parts.headers.clone().into());
    let headers = entry.headers();
    let headers = headers.map(|(name, value)| (name.to_owned(), value.into()));
    add("headers", Value::Object(headers.collect()));
    Ok(Value::Object(value))
}

/// Looks at all stored responses, outside the tasks that serve requests.
async fn search<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let found = tokio::task::spawn_blocking(work).await;
    found.map_err(|_| {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        (status, "the host is stopping".to_owned())
    })
}

/// Reads which stored responses are wanted.
fn filter_of(query: &str) -> Result<Filter, Refusal> {
    let mut filter = Filter {
        limit: DEFAULT_LIMIT,
        ..Filter::default()
    };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "prefix" => filter.prefix = value.into_owned(),
            "tag" => filter.tag = Some(value.into_owned()),
            "limit" => match value.parse() {
                Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => filter.limit = limit,
                _ => return Err(wrong(format!("`limit` is a number from 1 to {MAX_LIMIT}"))),
            },
            _ => {
                return Err(wrong(format!(
                    "there is no `{name}`, but `prefix`, `tag` and `limit`"
                )));
            }
        }
    }
    Ok(filter)
}

/// Describes a stored response in a list.
fn outline(app: &App, entry: &ListedEntry) -> Map<String, Value> {
    let component = app.components.get(entry.parts.component.as_str());
    let route = component.map(|component| component.config.labels.route.as_str());
    let state = match entry.verdict {
        Verdict::Fresh => "fresh",
        Verdict::Stale => "stale",
        Verdict::Gone => "expired",
    };
    let value = json!({
        "id": entry.id,
        "path": entry.parts.path,
        "query": entry.parts.query,
        "route": route,
        "status": entry.status.as_u16(),
        "state": state,
        "age": entry.age.as_secs(),
        "revalidate": entry.life.revalidate().map(|time| time.as_secs()),
        "size": entry.body,
        "hits": entry.hits,
        "tags": entry.tags,
    });
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

async fn revalidate<B>(cache: &Arc<ResponseCache>, request: Request<B>) -> Result<Value, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // A page in a browser that sends this type asks first whether it may, and gets no permission.
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let reason = "the request needs `content-type: application/json`";
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, reason.to_owned()));
    }
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => {
            let reason = format!("the body is larger than {MAX_BODY} bytes");
            (StatusCode::PAYLOAD_TOO_LARGE, reason)
        }
        false => wrong("the body broke off".to_owned()),
    })?;
    let revalidations = parse(&body.to_bytes())?;
    let unknown = revalidations
        .iter()
        .map(|revalidation| &revalidation.subject);
    let unknown = unknown.filter(|subject| !cache.is_of_a_route(subject));
    let warnings: Vec<_> = unknown.map(no_route).collect();
    let applied_by = Arc::clone(cache);
    let applied = search(move || applied_by.apply(revalidations)).await?;
    let each = applied.iter().map(
        |Applied {
             revalidation,
             entries,
         }| {
            let what = revalidation.to_string();
            tracing::info!(entries, "an operator revalidated {}", shown(&what));
            json!({ "what": what, "entries": entries })
        },
    );
    Ok(json!({ "revalidated": each.collect::<Vec<_>>(), "warnings": warnings }))
}

/// Parses what is to be revalidated:
/// `{"tags": [..], "paths": [..], "below": [..], "routes": [..], "expire": false}`.
fn parse(body: &[u8]) -> Result<Vec<Revalidation>, Refusal> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| wrong(format!("the body is not valid JSON: {error}")))?;
    let Value::Object(fields) = value else {
        return Err(wrong("the body is not an object".to_owned()));
    };
    let is_hard = match fields.get("expire") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(expire)) => *expire,
        Some(_) => return Err(wrong("`expire` is `true` or `false`".to_owned())),
    };
    let mut revalidations = Vec::new();
    for (name, value) in &fields {
        let new: fn(&str) -> Result<Revalidation, SubjectError> = match name.as_str() {
            "tags" if is_hard => Revalidation::expire_tag,
            "tags" => Revalidation::revalidate_tag,
            "paths" => Revalidation::revalidate_path,
            "below" => Revalidation::revalidate_below,
            "routes" => Revalidation::revalidate_route,
            "expire" => continue,
            _ => {
                return Err(wrong(format!(
                    "there is no `{name}`, but `tags`, `paths`, `below`, `routes` and `expire`"
                )));
            }
        };
        let items = value.as_array().into_iter().flatten().map(Value::as_str);
        let items: Option<Vec<_>> = items.collect();
        let items = items.filter(|_| value.is_array());
        let items = items.ok_or_else(|| wrong(format!("`{name}` is a list of texts")))?;
        for item in items {
            revalidations.push(new(item).map_err(|error| wrong(error.to_string()))?);
        }
    }
    match revalidations.len() {
        0 => Err(wrong(
            "nothing is named: write `tags`, `paths`, `below` or `routes`".to_owned(),
        )),
        1..=MAX_REVALIDATIONS => Ok(revalidations),
        _ => Err(wrong(format!(
            "more than {MAX_REVALIDATIONS} names are revalidated at once; revalidate what is above them"
        ))),
    }
}

fn wrong(reason: String) -> Refusal {
    (StatusCode::BAD_REQUEST, reason)
}

fn json(status: StatusCode, value: &Value) -> Response<WasiBody> {
    let mut response = Response::new(body::full(format!("{value}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_revalidations() {
        let texts = |body: &str| -> Result<Vec<String>, String> {
            let parsed = parse(body.as_bytes()).map_err(|(status, reason)| {
                assert_eq!(status, StatusCode::BAD_REQUEST);
                reason
            })?;
            Ok(parsed.iter().map(ToString::to_string).collect())
        };
        let all = r#"{"tags":["a"],"paths":["/b/"],"below":["/"],"routes":["/c/[d]"]}"#;
        let expected = [
            "below:/ (expired)",
            "path:/b (expired)",
            "route:/c/[d] (expired)",
            "tag:a (stale)",
        ];
        assert_eq!(
            texts(all).map(|mut texts| {
                texts.sort();
                texts
            }),
            Ok(expected.map(str::to_owned).into())
        );
        // The order of the keys does not matter.
        for body in [
            r#"{"tags":["a"],"expire":true}"#,
            r#"{"expire":true,"tags":["a"]}"#,
        ] {
            assert_eq!(texts(body), Ok(vec!["tag:a (expired)".to_owned()]));
        }
        let many = format!("{{\"tags\":{:?}}}", vec!["a"; 129]);
        for (body, reason) in [
            ("", "not valid JSON"),
            ("[]", "not an object"),
            ("{}", "nothing is named"),
            (r#"{"tags":[],"expire":true}"#, "nothing is named"),
            (r#"{"tags":"a"}"#, "`tags` is a list of texts"),
            (r#"{"tags":[1]}"#, "`tags` is a list of texts"),
            (r#"{"tags":[""]}"#, "a tag is empty"),
            (r#"{"tag":["a"]}"#, "there is no `tag`"),
            (
                r#"{"tags":["a"],"expire":1}"#,
                "`expire` is `true` or `false`",
            ),
            (r#"{"paths":["a"]}"#, "is not a path"),
            (r#"{"paths":["/a?b=1"]}"#, "has a query"),
            (r#"{"routes":["/[...a]/b"]}"#, "is not a route"),
            (&many, "more than 128 names"),
        ] {
            let error = texts(body).expect_err(body);
            assert!(error.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn filters_are_checked() {
        let filter = filter_of("prefix=%2Fblog&tag=a+b&limit=7").expect("it is valid");
        assert_eq!(
            (filter.prefix.as_str(), filter.tag.as_deref(), filter.limit),
            ("/blog", Some("a b"), 7)
        );
        assert_eq!(filter_of("").expect("it is valid").limit, DEFAULT_LIMIT);
        for query in ["limit=0", "limit=1001", "limit=x", "start=/"] {
            assert!(filter_of(query).is_err(), "{query}");
        }
    }
}
