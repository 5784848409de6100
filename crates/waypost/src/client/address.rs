//! The address of a fetch: a URL, or a path of the app itself.

use http::Uri;
use url::{ParseError, Url};

use super::FetchError;

/// The placeholder origin of the app itself, so that the URL standard's parser can read its paths.
const SELF: &str = "http://self.invalid";

/// The address of a fetch: an `http` or `https` URL, or a path of the app itself.
pub(super) struct Address {
    url: Url,
    /// Whether it is a path, which the app itself answers.
    is_own: bool,
}

impl Address {
    /// Parses a URL or a path.
    pub(super) fn parse(text: &str) -> Result<Self, FetchError> {
        let fault = |error: ParseError| FetchError::Request(format!("`{text}`: {error}"));
        if !text.starts_with('/') {
            let url = Url::parse(text).map_err(fault)?;
            return Self { url, is_own: false }.checked();
        }
        let own = Url::parse(SELF).map_err(fault)?;
        let url = own.join(text).map_err(fault)?;
        if url.origin() != own.origin() {
            // `//host` is relative to the scheme of a base URL, and there is none.
            return Err(fault(ParseError::RelativeUrlWithoutBase));
        }
        Ok(Self { url, is_own: true })
    }

    /// Resolves a `Location` against this address. The result is in the app itself only if this address is and the
    /// location does not leave its origin.
    pub(super) fn join(&self, location: &str) -> Result<Self, FetchError> {
        let fault = |error| FetchError::Request(format!("`{location}`: {error}"));
        let url = self.url.join(location).map_err(fault)?;
        let is_own = self.is_own && url.origin() == self.url.origin();
        Self { url, is_own }.checked()
    }

    /// Returns whether both have the same origin, so that credentials may be sent on.
    pub(super) fn has_origin_of(&self, other: &Self) -> bool {
        self.is_own == other.is_own && self.url.origin() == other.url.origin()
    }

    /// Returns the request target.
    pub(super) fn target(&self) -> Result<Uri, FetchError> {
        let mut url = self.url.clone();
        url.set_fragment(None);
        let target = match self.is_own {
            true => &url[url::Position::BeforePath..],
            false => url.as_str(),
        };
        let fault = |error| FetchError::Request(format!("`{target}`: {error}"));
        target.parse().map_err(fault)
    }

    fn checked(self) -> Result<Self, FetchError> {
        let has_user = !self.url.username().is_empty() || self.url.password().is_some();
        if has_user && !self.is_own {
            // As in the Fetch standard, section 5.4 "Request class". The text would show the password.
            let why = "a URL must not contain credentials; set the header `authorization`";
            return Err(FetchError::Request(why.to_owned()));
        }
        match self.url.scheme() {
            "http" | "https" => Ok(self),
            _ => Err(FetchError::Request(format!(
                "`{}`: only http and https can be fetched",
                self.url
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        for (from, location, target) in [
            ("/a?b#c", None, "/a?b"),
            ("/a b/\u{e9}", None, "/a%20b/%C3%A9"),
            ("/a", Some("b"), "/b"),
            ("/a", Some("/.//b"), "//b"),
            ("/a", Some("//u@self.invalid/b"), "/b"),
            ("/a", Some("//b.example/"), "http://b.example/"),
            (
                "http://b.example/a",
                Some("//self.invalid/"),
                "http://self.invalid/",
            ),
        ] {
            let address = Address::parse(from).unwrap();
            let address = match location {
                Some(location) => address.join(location).unwrap(),
                None => address,
            };
            assert_eq!(address.target().unwrap().to_string(), target);
        }
    }

    #[test]
    fn invalid_addresses() {
        for text in [
            "",
            "a",
            "//b.example/",
            "/\\b.example/",
            "ftp://b.example/",
            "http://",
            "http://user:word@b.example/",
            "https://user@b.example/",
            "http://:word@b.example/",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        let address = Address::parse("/").unwrap();
        assert!(address.join("mailto:a@b.example").is_err());
        let refused = address.join("//user:word@b.example/").err().unwrap();
        assert!(!refused.to_string().contains("word"), "{refused}");
    }
}
