//! The deserializer of a value: the texts of one name.

use serde::de::value::SeqDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};

use super::reading::{Reading, Readings};
use super::{Entry, Error};

/// The texts of one name.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    name: &'a str,
    texts: &'a [&'a str],
    is_list: bool,
    readings: ReadAs<'a>,
}

/// How a text is read if its type is not known.
#[derive(Clone, Copy)]
enum ReadAs<'a> {
    Next(&'a Readings),
    Fixed(Reading),
}

impl<'a> Value<'a> {
    pub(super) fn new(entry: &'a Entry<'a>, readings: &'a Readings) -> Self {
        Self {
            name: entry.name,
            texts: &entry.texts,
            is_list: entry.is_list,
            readings: ReadAs::Next(readings),
        }
    }

    /// Creates a value of a single text.
    pub(super) fn of_text(name: &'a str, text: &'a &'a str, readings: &'a Readings) -> Self {
        Self {
            name,
            texts: std::slice::from_ref(text),
            is_list: false,
            readings: ReadAs::Next(readings),
        }
    }

    /// Returns whether it is a list even if there is only one text.
    pub(super) fn is_list(&self) -> bool {
        self.is_list
    }

    /// Deserializes, with an error that contains the name.
    pub(super) fn named<T>(
        self,
        deserialize: impl FnOnce(Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        deserialize(self).map_err(|error| error.of_field(self.name, self.texts))
    }

    fn one(&self) -> Result<&'a str, Error> {
        match self.texts {
            [text] => Ok(text),
            _ if self.is_list => Err(Error::Type(
                "a catch-all has several segments: use a `Vec`".to_owned(),
            )),
            texts => Err(Error::named(format!(
                "`{}` was given {} times, but one value is expected",
                self.name,
                texts.len()
            ))),
        }
    }

    fn element(self, text: &'a &'a str, reading: Reading) -> Self {
        let readings = match self.readings {
            ReadAs::Next(readings) => ReadAs::Next(readings),
            ReadAs::Fixed(_) => ReadAs::Fixed(reading),
        };
        Self {
            texts: std::slice::from_ref(text),
            is_list: false,
            readings,
            ..self
        }
    }

    fn sequence<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        reading: Reading,
    ) -> Result<V::Value, Error> {
        let elements = self.texts.iter().map(|text| self.element(text, reading));
        visitor.visit_seq(SeqDeserializer::new(elements))
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
                let expected = stringify!($type);
                Error::named(format!("`{}` is `{text}`, which is not a valid `{expected}`", self.name))
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
        let is_one = self.texts.len() == 1 && !self.is_list;
        let can_be_scalar = self.texts.iter().all(|text| Scalar::of(text).is_some());
        let reading = match self.readings {
            ReadAs::Next(readings) => readings.next(can_be_scalar, is_one),
            ReadAs::Fixed(reading) => reading,
        };
        if !is_one || reading.is_list {
            let fixed = Reading {
                is_list: false,
                ..reading
            };
            let readings = ReadAs::Fixed(fixed);
            return Self { readings, ..self }.sequence(visitor, fixed);
        }
        let text = self.one()?;
        match Scalar::of(text).filter(|_| reading.is_scalar) {
            Some(Scalar::Bool(value)) => visitor.visit_bool(value),
            Some(Scalar::Unsigned(value)) => visitor.visit_u64(value),
            Some(Scalar::Signed(value)) => visitor.visit_i64(value),
            Some(Scalar::Float(value)) => visitor.visit_f64(value),
            None => visitor.visit_str(text),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.one()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.one()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.one()?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bytes(self.one()?.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bytes(self.one()?.as_bytes())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
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

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.sequence(visitor, Reading::default())
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

    fn deserialize_map<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::Type("text can't become a map".to_owned()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        let why = format!("text can't become the struct `{name}`");
        Err(Error::Type(why))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.one()?.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// A text that is a number or a `bool`.
enum Scalar {
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

impl Scalar {
    fn of(text: &str) -> Option<Self> {
        if let Ok(value) = text.parse() {
            return Some(Self::Bool(value));
        }
        if let Ok(value) = text.parse() {
            return Some(Self::Unsigned(value));
        }
        if let Ok(value) = text.parse() {
            return Some(Self::Signed(value));
        }
        text.parse().ok().map(Self::Float)
    }
}
