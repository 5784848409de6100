//! A serde deserializer for the params of a path and for the pairs of a query or form.
//!
//! Both are lists of names with one or several texts. A struct or map takes them by name, a sequence takes them in
//! order: as pairs of name and value, and for a path also as plain values. A route with a single param also accepts a
//! type for that value alone.
//!
//! A field takes its text as a `String`, a number, a `bool`, a `char` or a unit enum; a `Vec` takes all texts of its
//! name; an `Option` may be missing. A field `kebab_name` also accepts the name `kebab-name`.
//!
//! A type that no text can become, such as a nested struct, is a mistake of the handler and not of the client:
//! [`Error::Type`].

mod entries;
mod error;
mod reading;
mod value;

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use waypost_routing::{ParamValue, Params};

use entries::{Entries, Origin};
pub(crate) use error::Error;
use reading::Readings;

/// A name with its texts.
struct Entry<'a> {
    name: &'a str,
    texts: Vec<&'a str>,
    /// Whether it is a catch-all param, whose texts are a list even if there is only one.
    is_list: bool,
}

/// Deserializes the params of a path.
pub(crate) fn from_params<T: DeserializeOwned>(params: &Params) -> Result<T, Error> {
    let entries = params.iter().map(|(name, value)| match value {
        ParamValue::One(text) => Entry {
            name,
            texts: vec![text],
            is_list: false,
        },
        ParamValue::Many(texts) => Entry {
            name,
            texts: texts.iter().map(String::as_str).collect(),
            is_list: true,
        },
    });
    let entries: Vec<_> = entries.collect();
    let deserialized = reading::first_that_fits(|readings| {
        let origin = Origin::Path;
        T::deserialize(Entries::new(&entries, origin, readings))
    });
    deserialized.map_err(|error| match (error, entries.as_slice()) {
        // The names of the params are those of the folders: the client can't leave one out.
        (error @ Error::Missing(_), _) => Error::Type(error.to_string()),
        (error @ Error::Input { .. }, [entry]) => error.of_field(entry.name, &entry.texts),
        (error, _) => error,
    })
}

/// Deserializes pairs of names and values. The values of a repeated name are collected.
pub(crate) fn from_pairs<T: DeserializeOwned>(
    pairs: impl IntoIterator<Item = (String, String)>,
) -> Result<T, Error> {
    let pairs: Vec<_> = pairs.into_iter().collect();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    // Searching all names for each pair would take hours for a form of a few MiB.
    let mut indices = HashMap::new();
    for (name, value) in &pairs {
        let index = *indices.entry(name.as_str()).or_insert(entries.len());
        match entries.get_mut(index) {
            Some(entry) => entry.texts.push(value),
            None => entries.push(Entry {
                name,
                texts: vec![value],
                is_list: false,
            }),
        }
    }
    reading::first_that_fits(|readings: &Readings| {
        let origin = Origin::Pairs(&pairs);
        T::deserialize(Entries::new(&entries, origin, readings))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn many_names_take_one_pass() {
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
    fn errors_name_the_field() {
        for (query, message) in [
            ("page=1", "missing field `query`"),
            (
                "query=a&page=x",
                "`page` is `x`, which is not a valid `u32`",
            ),
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

    fn query<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
        from_pairs(pairs(query))
    }

    fn path<T: DeserializeOwned>(pattern: &str, path: &str) -> Result<T, Error> {
        let pattern = waypost_routing::Pattern::parse(pattern).unwrap();
        let Ok(waypost_routing::Resolved::Path(path)) = waypost_routing::Path::resolve(path) else {
            panic!("`{path}` is not normalised")
        };
        from_params(&pattern.matches(&path).unwrap())
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Page {
        page: u32,
        #[serde(default)]
        exact: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Flat {
        q: String,
        #[serde(flatten)]
        page: Page,
        #[serde(flatten)]
        rest: HashMap<String, String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct FlatList {
        #[serde(flatten)]
        tags: Tags,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Tags {
        tag: Vec<String>,
        page: u8,
    }

    #[test]
    fn flattened_structs() {
        let flat: Flat = query("q=12&page=2&exact=true&other=7").unwrap();
        assert_eq!(
            (flat.q.as_str(), flat.page.page, flat.page.exact),
            ("12", 2, true)
        );
        let list: FlatList = query("tag=1&page=3&x=a&y=b").unwrap();
        assert_eq!((list.tags.tag, list.tags.page), (vec!["1".to_owned()], 3));
        let list: FlatList = query("tag=a&page=3&tag=2").unwrap();
        assert_eq!(list.tags.tag, ["a", "2"]);
        let error = query::<Flat>("q=a&page=x").unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{error}");
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        Price { max: u32 },
        Name { text: String },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum Untagged {
        Number { id: u32 },
        Text { id: String },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum External {
        All,
        Max(u32),
    }

    #[test]
    fn enums() {
        assert_eq!(
            query::<Tagged>("kind=price&max=7").unwrap(),
            Tagged::Price { max: 7 }
        );
        let text = "7".to_owned();
        assert_eq!(
            query::<Tagged>("kind=name&text=7").unwrap(),
            Tagged::Name { text }
        );
        let id = "x".to_owned();
        assert_eq!(query::<Untagged>("id=x").unwrap(), Untagged::Text { id });
        assert_eq!(query::<External>("all=").unwrap(), External::All);
        assert_eq!(query::<External>("max=9").unwrap(), External::Max(9));
        assert_eq!(path::<Sort>("/[a]", "/price").unwrap(), Sort::Price);
        for text in ["", "min=9", "max=x"] {
            let error = query::<External>(text).unwrap_err();
            assert!(matches!(error, Error::Input { .. }), "{error}");
        }
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Id(u32);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Two(String, Id);

    #[test]
    fn sequences_and_single_values() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all: Vec<(String, String)> = query("b=2&a=1&b=3").unwrap();
        assert_eq!(all, [pair("b", "2"), pair("a", "1"), pair("b", "3")]);
        let numbers: HashMap<u8, Id> = query("1=2&3=4").unwrap();
        assert_eq!((&numbers[&1], &numbers[&3]), (&Id(2), &Id(4)));
        let (low, high): (u8, u8) = query::<HashMap<String, (u8, u8)>>("a=1&a=2").unwrap()["a"];
        assert_eq!((low, high), (1, 2));

        assert_eq!(path::<u32>("/[id]", "/7").unwrap(), 7);
        assert_eq!(path::<Id>("/[id]", "/7").unwrap(), Id(7));
        assert_eq!(
            path::<(String, u32)>("/[a]/[b]", "/x/7").unwrap(),
            ("x".to_owned(), 7)
        );
        assert_eq!(
            path::<Two>("/[a]/[b]", "/x/7").unwrap(),
            Two("x".to_owned(), Id(7))
        );
        assert_eq!(path::<Vec<u8>>("/[...all]", "/1/2").unwrap(), [1, 2]);
        assert_eq!(path::<Vec<u8>>("/[...all]", "/1").unwrap(), [1]);
        let named: Vec<(String, String)> = path("/[a]/[b]", "/x/7").unwrap();
        assert_eq!(named, [pair("a", "x"), pair("b", "7")]);
        let (first, rest): (u8, Vec<String>) = path("/[a]/[...b]", "/1/x/y").unwrap();
        assert_eq!((first, rest.join(" ")), (1, "x y".to_owned()));
        query::<()>("a=1").unwrap();
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never deserialized")]
    struct Nested {
        page: Page,
    }

    #[test]
    fn types_that_no_text_can_become_are_not_the_clients_mistake() {
        let errors = [
            query::<u32>("a=1").map(drop).unwrap_err(),
            query::<Vec<String>>("a=1").map(drop).unwrap_err(),
            query::<Nested>("page=1").map(drop).unwrap_err(),
            query::<HashMap<String, HashMap<String, String>>>("a=1")
                .map(drop)
                .unwrap_err(),
            path::<u32>("/[a]/[b]", "/1/2").map(drop).unwrap_err(),
            path::<Page>("/[a]", "/1").map(drop).unwrap_err(),
            path::<HashMap<String, String>>("/[...a]", "/1/2")
                .map(drop)
                .unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Type(_)), "{error:?}");
        }
    }

    /// A type with an error message of its own, such as `Uuid`.
    #[derive(Debug)]
    struct Even;

    impl<'de> Deserialize<'de> for Even {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let number = u32::deserialize(deserializer)?;
            let odd = || serde::de::Error::custom("an odd number");
            (number % 2 == 0).then_some(Self).ok_or_else(odd)
        }
    }

    #[test]
    fn an_error_of_any_type_names_the_field() {
        let error = query::<HashMap<String, Even>>("a=2&b=3").unwrap_err();
        assert_eq!(error.to_string(), "`b` is `3`: an odd number");
        let error = path::<Even>("/[id]", "/3").unwrap_err();
        assert_eq!(error.to_string(), "`id` is `3`: an odd number");
        let error = path::<(Even, Even)>("/[a]/[b]", "/2/3").unwrap_err();
        assert_eq!(error.to_string(), "`b` is `3`: an odd number");
        let error = query::<Search>("query=a&sort-by=age").unwrap_err();
        let expected = "`sort_by` is `age`: unknown variant `age`, expected `name` or `price`";
        assert_eq!(error.to_string().replace("sort-by", "sort_by"), expected);
    }
}
