//! [`Router`]: chooses the handler of a request.

use std::collections::BTreeSet;
use std::fmt;

use http::header::ACCEPT;
use http::uri::PathAndQuery;
use waypost_routing::{Path, Pattern, Resolved, RouteTable};

use crate::cors::across_origins;
use crate::{Answer, Fields};

/// The routes of an app, and the decision for each request.
///
/// It is parsed from the table that `waypost build` writes, with a line for each route:
///
/// ```
/// use waypost_router::{Decision, Router};
///
/// let router = Router::parse("items-slug GET,POST /items/[slug]")?;
/// let Decision::Forward(handler) = router.route("GET", "/items/a", None) else { panic!() };
/// assert_eq!(handler.component(), "items-slug");
/// # Ok::<(), waypost_router::RoutesError>(())
/// ```
pub struct Router {
    table: RouteTable<Destination>,
    /// The methods of all routes, for `OPTIONS *`.
    methods: String,
}

/// A handler that can receive requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    component: String,
}

impl Destination {
    /// Returns the id of the handler's component.
    pub fn component(&self) -> &str {
        &self.component
    }

    /// Returns the internal authority of the handler, on Spin and on Waypost's host.
    pub fn authority(&self) -> String {
        format!("{}.spin.internal", self.component)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.component)
    }
}

/// The decision about a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision<'r> {
    /// Forward the request to this handler, with its path and query unchanged.
    Forward(&'r Destination),
    /// Send this response.
    Answer(Answer),
}

impl Router {
    /// Parses the table that `waypost build` writes.
    ///
    /// Each line has the component's id, its methods separated by commas (`-` for none, `?` for unknown), and its
    /// pattern. Empty lines and lines that begin with `#` are ignored.
    ///
    /// # Errors
    ///
    /// [`RoutesError`] if a line is invalid, or if routes conflict.
    pub fn parse(routes: &str) -> Result<Self, RoutesError> {
        let mut all = Vec::new();
        let mut methods = BTreeSet::from(["OPTIONS".to_owned()]);
        for entry in entries(routes) {
            let (entry, verbs) = entry.map_err(RoutesError)?;
            all.push(entry);
            methods.extend(verbs);
        }
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        let table = RouteTable::new(all).map_err(|error| RoutesError(error.to_string()))?;
        let methods = methods.into_iter().collect::<Vec<_>>().join(", ");
        Ok(Self { table, methods })
    }

    /// Iterates over the handlers.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        self.table.iter().map(|(_, destination)| destination)
    }

    /// Decides about a request by its method, its target (path and query) and its `Accept` header.
    ///
    /// The method matters only for the target `*`.
    pub fn route(&self, method: &str, target: &str, accept: Option<&str>) -> Decision<'_> {
        if target == "*" && method == "OPTIONS" {
            return Decision::Answer(Answer::options(&self.methods));
        }
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let is_ascii = query
            .unwrap_or_default()
            .bytes()
            .all(|byte| byte.is_ascii_graphic());
        if !is_ascii {
            return Decision::Answer(Answer::bad_request(BAD_QUERY));
        }
        // Some hosts pass on targets that are not valid in a URL, but a handler may not accept them.
        if !is_plain(target) && target.parse::<PathAndQuery>().is_err() {
            return Decision::Answer(Answer::bad_request(BAD_TARGET));
        }
        let answer = match Path::resolve(path) {
            Ok(Resolved::Path(path)) => match self.table.find(&path) {
                Some(found) => return Decision::Forward(found.value),
                None => Answer::not_found(accept),
            },
            Ok(Resolved::Redirect(path)) => Answer::redirect(path, query),
            Err(error) => Answer::bad_request(&error.to_string()),
        };
        Decision::Answer(answer)
    }
}

impl Router {
    /// Finds the handler of a request by its method, its target and its headers.
    ///
    /// # Errors
    ///
    /// The response, if the router sends it itself.
    pub fn destination(
        &self,
        method: &str,
        target: &str,
        headers: &impl Fields,
    ) -> Result<&Destination, Answer> {
        match self.route(method, target, headers.text(&ACCEPT)) {
            Decision::Forward(destination) => Ok(destination),
            Decision::Answer(answer) if answer.is_redirect() => {
                Err(across_origins(answer, method, headers))
            }
            Decision::Answer(answer) => Err(answer),
        }
    }
}

/// Returns `true` if a target is short and has only common characters, so that it need not be parsed to know that it is
/// valid.
fn is_plain(target: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~%?=&+".contains(&byte);
    target.len() < 1 << 12 && target.starts_with('/') && target.bytes().all(plain)
}

const BAD_QUERY: &str = "the query has a character that must be percent-encoded";

const BAD_TARGET: &str =
    "path and query are too long or have a character that must be percent-encoded";

/// The table of routes is invalid. `waypost build` writes it, so build again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutesError(String);

impl fmt::Display for RoutesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the table of routes is invalid: {}; run `waypost build`",
            self.0
        )
    }
}

impl std::error::Error for RoutesError {}

pub(crate) type Entry = (Pattern, Destination);

/// Iterates over the entries of a table, each with its methods. An error names the line.
pub(crate) fn entries(routes: &str) -> impl Iterator<Item = Result<(Entry, Vec<String>), String>> {
    let lines = routes.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(index, line)| parse_line(line).map_err(|why| format!("line {}: {why}", index + 1)))
}

fn parse_line(line: &str) -> Result<(Entry, Vec<String>), String> {
    let mut parts = line.splitn(3, ' ');
    let (Some(component), Some(methods), Some(pattern)) =
        (parts.next(), parts.next(), parts.next())
    else {
        return Err(format!(
            "`{line}` does not have a component id, methods and a pattern"
        ));
    };
    let pattern = Pattern::parse(pattern).map_err(|error| error.to_string())?;
    let methods = methods
        .split(',')
        .filter(|method| !["-", "?"].contains(method))
        .map(str::to_owned)
        .collect();
    Ok((
        (
            pattern,
            Destination {
                component: component.to_owned(),
            },
        ),
        methods,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        Router::parse(
            "# made by a build\n\nroot GET /\nitems-slug PUT,GET /items/[slug]\nold ? /old\n",
        )
        .unwrap()
    }

    fn answer(method: &str, target: &str) -> Answer {
        match router().route(method, target, None) {
            Decision::Answer(answer) => answer,
            Decision::Forward(handler) => panic!("{target} goes to {handler}"),
        }
    }

    #[test]
    fn requests_go_to_their_handlers_whatever_the_method() {
        let router = router();
        for (method, target, component) in [
            ("GET", "/", "root"),
            ("BREW", "/?a=/items/x", "root"),
            ("DELETE", "/items/a%2Fb?c", "items-slug"),
            ("OPTIONS", "/items/a#frag", "items-slug"),
            ("OPTIONS", "/old", "old"),
        ] {
            let expected = Destination {
                component: component.to_owned(),
            };
            let decision = router.route(method, target, None);
            assert_eq!(decision, Decision::Forward(&expected), "{target}");
        }
    }

    #[test]
    fn the_router_answers_other_requests_itself() {
        assert_eq!(answer("GET", "/other").status, 404);
        assert_eq!(answer("GET", "/%ZZ").status, 400);
        assert_eq!(answer("GET", "*").status, 400);
        assert_eq!(answer("GET", "/?a=✓").status, 400);
        assert_eq!(answer("GET", "/items/`").status, 400);
        assert_eq!(answer("GET", "/items/<a>").status, 400);
        let long = format!("/items/{}", "a".repeat(1 << 16));
        assert_eq!(answer("GET", &long).status, 400);
        let redirect = answer("POST", "//items//a?b=%20");
        assert_eq!(redirect.status, 308);
        assert_eq!(redirect.header("location"), Some("/items/a?b=%20"));
        let options = answer("OPTIONS", "*");
        assert_eq!(options.status, 204);
        assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS, PUT"));
    }

    #[test]
    fn an_invalid_table_is_an_error() {
        for (routes, message) in [
            (
                "root GET",
                "line 1: `root GET` does not have a component id, methods and a pattern",
            ),
            ("\na GET /[", ""),
            ("a GET /[x]\nb GET /[y]", "`/["),
        ] {
            let result = Router::parse(routes);
            match (message, result) {
                ("", result) => assert!(result.is_ok(), "{routes}"),
                (message, Err(error)) => assert!(error.to_string().contains(message), "{error}"),
                (_, Ok(_)) => panic!("{routes} was accepted"),
            }
        }
    }
}
