//! The deserializer of all entries: a struct or map, a sequence, or the value of a single param.

use serde::de::value::{MapAccessDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::reading::Readings;
use super::value::Value;
use super::{Entry, Error};

/// All names with their texts.
#[derive(Clone, Copy)]
pub(super) struct Entries<'a> {
    entries: &'a [Entry<'a>],
    origin: Origin<'a>,
    readings: &'a Readings,
}

/// Where the entries come from.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// The params of a path, which also have an order.
    Path,
    /// A query or form, with these pairs.
    Pairs(&'a [(String, String)]),
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        entries: &'a [Entry<'a>],
        origin: Origin<'a>,
        readings: &'a Readings,
    ) -> Self {
        Self {
            entries,
            origin,
            readings,
        }
    }

    /// Returns the value of a path with a single param.
    fn single(&self) -> Result<Value<'a>, Error> {
        match (self.origin, self.entries) {
            (Origin::Path, [entry]) => Ok(Value::new(entry, self.readings)),
            (Origin::Path, entries) => Err(Error::Type(format!(
                "the path has {} params: use a struct with a field for each",
                entries.len()
            ))),
            (Origin::Pairs(_), _) => Err(Error::Type(
                "a query or form has names: use a struct with a field for each".to_owned(),
            )),
        }
    }

    fn fields(self, names: &'static [&'static str]) -> Fields<'a> {
        Fields {
            rest: self.entries.iter(),
            current: None,
            names,
            readings: self.readings,
        }
    }

    fn is_catch_all(&self) -> bool {
        self.single().is_ok_and(|value| value.is_list())
    }
}

/// Methods for a single value.
macro_rules! single {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.single()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Entries<'_> {
    type Error = Error;

    single! {
        deserialize_bool deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.fields(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self.fields(fields))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.entries.is_empty() {
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

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_catch_all() {
            return self.single()?.deserialize_seq(visitor);
        }
        match self.origin {
            Origin::Path => {
                let items = self.entries.iter().map(|entry| Item {
                    name: entry.name,
                    value: Value::new(entry, self.readings),
                    readings: self.readings,
                    can_be_plain: true,
                });
                visitor.visit_seq(Items(items))
            }
            Origin::Pairs(pairs) => {
                let texts: Vec<_> = pairs.iter().map(|(_, value)| value.as_str()).collect();
                let items = pairs.iter().zip(&texts).map(|((name, _), text)| Item {
                    name,
                    value: Value::of_text(name, text, self.readings),
                    readings: self.readings,
                    can_be_plain: false,
                });
                visitor.visit_seq(Items(items))
            }
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    /// A path with a single param is the name of a variant; otherwise the first name is, and its value the content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if let Ok(value) = self.single() {
            return value.deserialize_enum(name, variants, visitor);
        }
        if self.entries.is_empty() {
            let expected = variants.join("`, `");
            return Err(Error::named(format!("one of `{expected}` is missing")));
        }
        let fields = MapAccessDeserializer::new(self.fields(variants));
        fields.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! { map identifier ignored_any }
}

/// The entries as the fields of a struct or map.
struct Fields<'a> {
    rest: std::slice::Iter<'a, Entry<'a>>,
    current: Option<&'a Entry<'a>>,
    /// The names of the struct's fields, which `-` in a name may stand for `_` in.
    names: &'static [&'static str],
    readings: &'a Readings,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.current = self.rest.next();
        let Some(Entry { name, .. }) = self.current else {
            return Ok(None);
        };
        let known = |field: &&&str| field.len() == name.len() && field.replace('_', "-") == *name;
        let name = *self.names.iter().find(known).unwrap_or(name);
        let key = Value::of_text("name", &name, self.readings);
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(entry) = self.current.take() else {
            return Err(Error::Type("a value was read before its name".to_owned()));
        };
        Value::new(entry, self.readings).named(|value| seed.deserialize(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A name as a key: text, unless the key's type is another.
struct Key<'a>(Value<'a>);

/// Methods that are those of the text.
macro_rules! of_the_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.0.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Error;

    of_the_text! {
        deserialize_bool deserialize_char
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_str(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// An entry as an item of a sequence: a pair of name and value, or for a path the value alone.
struct Item<'a> {
    name: &'a str,
    value: Value<'a>,
    readings: &'a Readings,
    can_be_plain: bool,
}

impl<'a> Item<'a> {
    fn plain(self) -> Result<Value<'a>, Error> {
        match self.can_be_plain {
            true => Ok(self.value),
            false => Err(Error::Type(
                "an item of a query or form is a pair of name and value".to_owned(),
            )),
        }
    }
}

/// The entries as the elements of a sequence.
struct Items<I>(I);

impl<'de, 'a, I: Iterator<Item = Item<'a>>> SeqAccess<'de> for Items<I> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(item) = self.0.next() else {
            return Ok(None);
        };
        item.value.named(|_| seed.deserialize(item)).map(Some)
    }
}

/// Methods for a plain value.
macro_rules! plain {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.plain()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Item<'_> {
    type Error = Error;

    plain! {
        deserialize_any deserialize_bool deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_option deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        if len != 2 {
            return self.plain()?.deserialize_tuple(len, visitor);
        }
        let name = self.name;
        let pair = [Value::of_text("name", &name, self.readings), self.value];
        visitor.visit_seq(SeqDeserializer::new(pair.into_iter()))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.plain()?.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.plain()?.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.plain()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}
