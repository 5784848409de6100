//! The search params of a URL, like `URLSearchParams`.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::Body;
use crate::error::RequestError;

/// The search params of a URL: pairs of names and values, in order, like
/// [`URLSearchParams`](https://url.spec.whatwg.org/#interface-urlsearchparams).
///
/// They are parsed as
/// [`application/x-www-form-urlencoded`](https://url.spec.whatwg.org/#urlencoded-parsing): `+` is a space, a malformed
/// escape is kept as it is, invalid UTF-8 becomes U+FFFD.
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

    /// Returns the first value of a name, or `None` if there is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Returns all values of a name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns whether there is a value of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets the value of a name: the first value is replaced, all others of the name are removed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use waypost::Request;
    /// let mut params = Request::get("/search?tag=a&page=1&tag=b").search_params();
    /// params.set("page", "2").delete("tag").append("tag", "c d");
    /// assert_eq!(params.to_string(), "page=2&tag=c+d");
    /// ```
    pub fn set(&mut self, name: impl AsRef<str>, value: impl Into<String>) -> &mut Self {
        let name = name.as_ref();
        let Some(first) = self.0.iter().position(|(known, _)| known == name) else {
            return self.append(name, value);
        };
        self.0[first].1 = value.into();
        let mut index = 0;
        self.0.retain(|(known, _)| {
            index += 1;
            index <= first + 1 || known != name
        });
        self
    }

    /// Adds a value after all others.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// Removes all values of a name.
    pub fn delete(&mut self, name: impl AsRef<str>) -> &mut Self {
        self.0.retain(|(known, _)| known != name.as_ref());
        self
    }

    /// Returns the pairs of names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Deserializes the params into a `T`, field by field. A `Vec` takes all values of its name.
    ///
    /// # Errors
    ///
    /// [`RequestError::Query`] if a field is missing or invalid, [`RequestError::UnsupportedType`] if text can't become a
    /// `T`.
    pub fn into_typed<T: DeserializeOwned>(self) -> Result<T, RequestError> {
        crate::extract::de::from_pairs(self.0)
            .map_err(|error| RequestError::of_type::<T>(error, RequestError::Query))
    }
}

/// The params as a query without the `?`: `application/x-www-form-urlencoded`.
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

    #[test]
    fn search_params_can_be_changed() {
        let mut params = Request::get("/q?a=1&b=2&a=3&c=4&a=5").search_params();
        params.set("a", "x").set("d", "6").append("b", "é");
        assert_eq!(params.to_string(), "a=x&b=2&c=4&d=6&b=%C3%A9");
        params.delete("b").delete("none");
        assert_eq!(params.to_string(), "a=x&c=4&d=6");
    }
}
