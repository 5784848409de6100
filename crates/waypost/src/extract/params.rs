//! The params of a path, by name.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use waypost_routing::ParamValue;

use crate::error::RequestError;

/// The params of a path by name, for handlers without a params type of their own.
///
/// # Examples
///
/// ```
/// use waypost::{Context, Request};
///
/// async fn get(_req: Request, ctx: Context) -> String {
///     ctx.params.get("slug").unwrap_or_default().to_owned()
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, ParamValue)>);

impl Params {
    /// Returns the value of a `[param]`, or the first segment of a catch-all; `None` if there is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).first().map(String::as_str)
    }

    /// Returns the segments of a catch-all, or the single value of a `[param]`; an empty slice if there is none.
    pub fn get_all(&self, name: &str) -> &[String] {
        match self.0.iter().find(|(known, _)| known == name) {
            Some((_, ParamValue::One(text))) => std::slice::from_ref(text),
            Some((_, ParamValue::Many(texts))) => texts,
            None => &[],
        }
    }

    /// Returns the names and their values, in the order of the path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(name, _)| (name.as_str(), self.get_all(name)))
    }

    /// Returns whether the path has no params.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl serde::Serialize for Params {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Plain(value))))
    }
}

struct Plain<'a>(&'a ParamValue);

impl serde::Serialize for Plain<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ParamValue::One(text) => serializer.serialize_str(text),
            ParamValue::Many(texts) => serializer.collect_seq(texts),
        }
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = Params;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names with values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params, A::Error> {
        let mut params = Params::default();
        while let Some((name, Owned(value))) = map.next_entry()? {
            params.0.push((name, value));
        }
        Ok(params)
    }
}

struct Owned(ParamValue);

impl<'de> Deserialize<'de> for Owned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OwnedVisitor)
    }
}

struct OwnedVisitor;

impl<'de> Visitor<'de> for OwnedVisitor {
    type Value = Owned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Owned, E> {
        Ok(Owned(ParamValue::One(text.to_owned())))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Owned, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = seq.next_element()? {
            texts.push(text);
        }
        Ok(Owned(ParamValue::Many(texts)))
    }
}

/// Deserializes the params into the type that a handler asks for.
pub(crate) fn typed<P: DeserializeOwned>(
    params: &waypost_routing::Params,
) -> Result<P, RequestError> {
    super::de::from_params(params)
        .map_err(|error| RequestError::of_type::<P>(error, RequestError::Params))
}
