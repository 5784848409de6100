//! The search params of a URL, as `URLSearchParams` has them.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{Body, RequestError};

/// The search params of a URL: pairs in the order in which they were sent.
///
/// They are read as the URL standard reads
/// [`application/x-www-form-urlencoded`](https://url.spec.whatwg.org/#urlencoded-parsing): `+` is a
/// space, a malformed escape stays as it is, invalid UTF-8 becomes U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchParams(Vec<(String, String)>);

impl SearchParams {
    pub(crate) fn parse(query: &str) -> Self {
        Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// Returns the first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Returns all values of a name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Tells whether there is a value of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the pairs of names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Makes a `T` of the params, field by field. A `Vec` takes all values of its name.
    ///
    /// # Errors
    ///
    /// [`RequestError::Query`] where a field is missing or has the wrong form.
    pub fn into_typed<T: DeserializeOwned>(self) -> Result<T, RequestError> {
        crate::de::from_pairs(self.0).map_err(|error| RequestError::Query(error.to_string()))
    }
}

/// The pairs as a query: `application/x-www-form-urlencoded`, without the `?`.
impl fmt::Display for SearchParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        f.write_str(&query.extend_pairs(self.iter()).finish())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for SearchParams {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl From<SearchParams> for Body {
    fn from(params: SearchParams) -> Self {
        let media_type = "application/x-www-form-urlencoded;charset=UTF-8";
        Body::from(params.to_string()).of_type(media_type)
    }
}

impl IntoIterator for SearchParams {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use crate::Request;

    #[test]
    fn search_params_follow_the_url_standard() {
        let params = Request::get("/q?a=2&b=x+y%20z&a=1&&c&d=%ZZ&e=%FF").search_params();
        let pairs: Vec<_> = params.iter().collect();
        let expected = [
            ("a", "2"),
            ("b", "x y z"),
            ("a", "1"),
            ("c", ""),
            ("d", "%ZZ"),
            ("e", "\u{fffd}"),
        ];
        assert_eq!(pairs, expected);
        assert_eq!(params.get_all("a").collect::<Vec<_>>(), ["2", "1"]);
        assert!(params.has("c") && !params.has("f"));
    }
}
