//! `fetch`: the requests of a handler, and the redirects that they follow.

use std::cell::RefCell;
use std::rc::Rc;

use waypost::http::{Uri, header};
use waypost::url::{Position, Url};
use waypost::{Request, Response, test};

use crate::input::Fields;

/// The statuses of redirects, in the order in which the test network sends them.
const STATUSES: [u16; 5] = [307, 302, 301, 308, 303];

/// The headers that contain the secret of the first request.
const SECRETS: [&str; 2] = ["authorization", "cookie"];

/// The first request and twenty redirects.
const MOST_REQUESTS: usize = 21;

/// The base URL of requests to the app itself.
const SELF: &str = "http://self.invalid";

/// Checks `fetch`. Fields: the URL, then the locations of the redirects.
pub fn fetch(data: &[u8]) {
    let mut fields = Fields::of(data);
    let url = fields.text().to_owned();
    let locations: Vec<_> = fields.texts().map(str::to_owned).collect();
    let asked = Rc::new(RefCell::new(Vec::new()));
    let network = {
        let (asked, locations) = (asked.clone(), locations.clone());
        move |request: Request| {
            let response = answer(&locations, asked.borrow().len());
            asked.borrow_mut().push(Asked::of(&request));
            async { response }
        }
    };
    let sent = test::with_network(network, || {
        let fetch = waypost::fetch(&url).method("POST").body("b");
        let fetch = SECRETS
            .iter()
            .fold(fetch, |fetch, name| fetch.header(*name, "s"));
        test::block_on(fetch.send())
    });
    let asked = asked.take();
    assert!(sent.is_err() || !asked.is_empty());
    assert!(asked.len() <= MOST_REQUESTS);
    assert_follows(&url, &locations, &asked);
}

/// A request that the test network received.
struct Asked {
    target: Uri,
    has_secret: bool,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            target: request.uri().clone(),
            has_secret: SECRETS.iter().any(|name| request.header(name).is_some()),
        }
    }
}

fn answer(locations: &[String], index: usize) -> Response {
    let Some(location) = locations.get(index) else {
        return Response::new("the end");
    };
    let response = Response::new(()).with_status(STATUSES[index % STATUSES.len()]);
    match location.parse::<header::HeaderValue>() {
        Ok(location) => response.with_header(header::LOCATION, location),
        Err(_) => response,
    }
}

/// Checks that each request goes to the URL of the URL standard, and that secrets stay with their origin.
fn assert_follows(url: &str, locations: &[String], asked: &[Asked]) {
    let mut expected = match url.starts_with('/') {
        true => Url::parse(SELF).unwrap().join(url).ok(),
        false => Url::parse(url).ok(),
    };
    let mut at_home = true;
    for (index, asked) in asked.iter().enumerate() {
        let expected_url = expected.take().expect("a request has a valid URL");
        let target = asked.target.to_string();
        assert!(
            target.bytes().all(|byte| byte.is_ascii_graphic()),
            "{target}"
        );
        let found = match asked.target.authority() {
            Some(_) => Url::parse(&target).unwrap(),
            None => Url::parse(&format!("{SELF}{target}")).unwrap(),
        };
        assert_eq!(found.origin(), expected_url.origin());
        assert_eq!(path_and_query(&found), path_and_query(&expected_url));
        assert!(at_home || !asked.has_secret, "{target} gets the secret");
        if let Some(location) = locations.get(index) {
            expected = expected_url.join(location).ok();
            let stays = expected
                .as_ref()
                .is_some_and(|next| next.origin() == expected_url.origin());
            at_home &= stays;
        }
    }
}

fn path_and_query(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}
