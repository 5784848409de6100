//! Typed values out of text: the params of a path and the pairs of a query or form, through serde.
//!
//! Both are lists of names with one or several texts. A field takes its text as a `String`, a
//! number, a `bool`, a `char` or a unit enum; a `Vec` takes all the texts of its name; an `Option`
//! may be missing. A field `kebab_name` also answers to the name `kebab-name`.

use std::collections::HashMap;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use waypost_routing::{ParamValue, Params};

/// What a name holds: the texts that were given for it.
#[derive(Clone, Copy)]
pub(crate) enum Texts<'a> {
    One(&'a str),
    Many(&'a [String]),
}

/// Makes a `T` out of the params of a path.
pub(crate) fn from_params<T: DeserializeOwned>(params: &Params) -> Result<T, Error> {
    let entries = params.iter().map(|(name, value)| {
        let texts = match value {
            ParamValue::One(text) => Texts::One(text),
            ParamValue::Many(texts) => Texts::Many(texts),
        };
        (name, texts)
    });
    T::deserialize(Entries(entries.collect()))
}

/// Makes a `T` out of pairs: the values of a repeated name are gathered.
pub(crate) fn from_pairs<T: DeserializeOwned>(
    pairs: impl IntoIterator<Item = (String, String)>,
) -> Result<T, Error> {
    let mut gathered: Vec<(String, Vec<String>)> = Vec::new();
    // Looking through all names for each pair would let a form of a few MiB take hours.
    let mut places = HashMap::new();
    for (name, value) in pairs {
        let place = *places.entry(name.clone()).or_insert(gathered.len());
        match gathered.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => gathered.push((name, vec![value])),
        }
    }
    let entries = gathered
        .iter()
        .map(|(name, values)| (name.as_str(), Texts::Many(values)));
    T::deserialize(Entries(entries.collect()))
}

/// Why text could not become the type that was asked for.
#[derive(Debug)]
pub(crate) struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Entries<'a>(Vec<(&'a str, Texts<'a>)>);

impl<'de> Deserializer<'de> for Entries<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = self
            .0
            .into_iter()
            .map(|(name, texts)| (name, Value { name, texts }));
        visitor.visit_map(MapDeserializer::new(entries))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let entries = self.0.into_iter().map(|(name, texts)| {
            let known = fields.iter().find(|field| field.replace('_', "-") == name);
            (known.copied().unwrap_or(name), Value { name, texts })
        });
        visitor.visit_map(MapDeserializer::new(entries))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Value<'a> {
    name: &'a str,
    texts: Texts<'a>,
}

impl<'a> Value<'a> {
    fn one(&self) -> Result<&'a str, Error> {
        match self.texts {
            Texts::One(text) => Ok(text),
            Texts::Many([text]) => Ok(text),
            Texts::Many(texts) => Err(Error(format!(
                "`{}` was given {} times, but one value is expected",
                self.name,
                texts.len()
            ))),
        }
    }
}

impl<'de> IntoDeserializer<'de, Error> for Value<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident => $visit:ident: $type:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let text = self.one()?;
            let value = text.parse::<$type>().map_err(|_| {
                Error(format!("`{}` is `{text}`, which is no `{}`", self.name, stringify!($type)))
            })?;
            visitor.$visit(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    parsed! {
        deserialize_bool => visit_bool: bool,
        deserialize_i8 => visit_i8: i8,
        deserialize_i16 => visit_i16: i16,
        deserialize_i32 => visit_i32: i32,
        deserialize_i64 => visit_i64: i64,
        deserialize_i128 => visit_i128: i128,
        deserialize_u8 => visit_u8: u8,
        deserialize_u16 => visit_u16: u16,
        deserialize_u32 => visit_u32: u32,
        deserialize_u64 => visit_u64: u64,
        deserialize_u128 => visit_u128: u128,
        deserialize_f32 => visit_f32: f32,
        deserialize_f64 => visit_f64: f64,
        deserialize_char => visit_char: char,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.texts {
            Texts::One(text) => visitor.visit_str(text),
            Texts::Many(_) => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.one()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.one()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let name = self.name;
        let value = |text| Value {
            name,
            texts: Texts::One(text),
        };
        match self.texts {
            Texts::One(text) => visitor.visit_seq(SeqDeserializer::new([value(text)].into_iter())),
            Texts::Many(texts) => {
                let texts = texts.iter().map(|text| value(text));
                visitor.visit_seq(SeqDeserializer::new(texts))
            }
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.one()?.into_deserializer())
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct tuple_struct map struct identifier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn many_names_take_no_more_than_one_pass() {
        // By comparing all names with each other this would take a minute.
        let pairs = (0..200_000).map(|number| (number.to_string(), String::new()));
        let found: HashMap<String, Vec<String>> = from_pairs(pairs).unwrap();
        assert_eq!(found.len(), 200_000);
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Search {
        query: String,
        page: Option<u32>,
        #[serde(default)]
        tag: Vec<String>,
        sort_by: Option<Sort>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Sort {
        Name,
        Price,
    }

    #[test]
    fn typed_fields() {
        let search: Search = from_pairs(pairs(
            "query=hello&page=2&tag=a&tag=b&sort-by=price&other=x",
        ))
        .unwrap();
        assert_eq!(
            search,
            Search {
                query: "hello".into(),
                page: Some(2),
                tag: vec!["a".into(), "b".into()],
                sort_by: Some(Sort::Price),
            }
        );
        let search: Search = from_pairs(pairs("query=")).unwrap();
        assert_eq!(
            (search.query.as_str(), search.page, search.tag.len()),
            ("", None, 0)
        );
    }

    #[test]
    fn faults_name_the_field() {
        for (query, message) in [
            ("page=1", "missing field `query`"),
            ("query=a&page=x", "`page` is `x`, which is no `u32`"),
            (
                "query=a&query=b",
                "`query` was given 2 times, but one value is expected",
            ),
        ] {
            assert_eq!(
                from_pairs::<Search>(pairs(query)).unwrap_err().to_string(),
                message
            );
        }
    }
}
