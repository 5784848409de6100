//! The argument `cache(…)` of `export!`: how responses to GET are cached. `waypost-cache` has the rules.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprLit, ExprUnary, Ident, Lit, Result, Token, parenthesized};
use waypost_cache::life::MAX_LIFE;
use waypost_cache::policy::{Draft, PolicyError, expected};
use waypost_cache::{Life, Policy};
use waypost_routing::Pattern;

/// The names of the fields.
const FIELDS: [&str; 6] = ["revalidate", "expire", "life", "tags", "query", "vary"];

/// The cache policy as it is written.
pub struct Cache {
    pub name: Ident,
    pub fields: Punctuated<Field, Token![,]>,
}

/// A field of a policy.
pub struct Field {
    pub name: Ident,
    value: Expr,
}

/// A policy that was checked, with its form in the description of the component.
pub struct Checked {
    pub policy: Policy,
    pub json: String,
}

impl Parse for Cache {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        if name != "cache" {
            let message = format!("`{name}` is not known here: only `cache(..)` may follow `;`");
            return Err(Error::new(name.span(), message));
        }
        let content;
        parenthesized!(content in input);
        let fields = Punctuated::parse_terminated(&content)?;
        Ok(Self { name, fields })
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        Ok(Self { name, value })
    }
}

impl Cache {
    /// Returns the place of the word `cache`.
    pub fn span(&self) -> Span {
        self.name.span()
    }

    /// Checks the policy of a route with this pattern.
    ///
    /// The app may have profiles of its own in `waypost.toml`, so the build checks the name of a profile that is not
    /// built in.
    ///
    /// # Errors
    ///
    /// Returns all errors at once, each at its place.
    pub fn check(&self, pattern: &Pattern) -> Result<Checked> {
        let draft = self.draft()?;
        let own = draft.life.iter().filter(|name| !name.is_empty());
        let own = own.filter(|name| Life::profile(name).is_none());
        let own = own.filter_map(|name| Some((name.clone(), longest_life()?)));
        let own: Vec<_> = own.collect();
        let policy = self.check_with(&own, |policy| policy.check_pattern(pattern))?;
        Ok(Checked {
            policy,
            json: draft.to_json(),
        })
    }

    /// Checks the fields with these profiles besides the built-in ones, and then the whole policy.
    ///
    /// # Errors
    ///
    /// Returns all errors at once, each at its place.
    pub fn check_with(
        &self,
        profiles: &[(String, Life)],
        check: impl FnOnce(&Policy) -> std::result::Result<(), Vec<PolicyError>>,
    ) -> Result<Policy> {
        let policy = self.draft()?.check(profiles);
        let policy = policy.and_then(|policy| check(&policy).map(|()| policy));
        policy.map_err(|errors| {
            let errors = errors.iter().map(|error| self.at_its_place(error));
            combined(errors).unwrap_or_else(|| Error::new(self.span(), "invalid policy"))
        })
    }

    fn draft(&self) -> Result<Draft> {
        let mut draft = Draft::default();
        let mut errors = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            let name = field.name.to_string();
            let earlier = self.fields.iter().take(index);
            if earlier.filter(|other| other.name == name).count() > 0 {
                let message = format!("`{name}` is named twice");
                errors.push(Error::new(field.name.span(), message));
            }
            let read = match name.as_str() {
                "life" => field.text("life").map(|text| draft.life = Some(text)),
                "revalidate" => field
                    .text("revalidate")
                    .map(|text| draft.revalidate = Some(text)),
                "expire" => field.text("expire").map(|text| draft.expire = Some(text)),
                "tags" => field.list("tags").map(|list| draft.tags = list),
                "query" => field.list("query").map(|list| draft.query = list),
                "vary" => field.list("vary").map(|list| draft.vary = list),
                _ => Err(unknown(&field.name)),
            };
            errors.extend(read.err());
        }
        match combined(errors) {
            Some(error) => Err(error),
            None => Ok(draft),
        }
    }

    /// Returns an error at the place that it is about.
    fn at_its_place(&self, error: &PolicyError) -> Error {
        use PolicyError as E;
        let span = match error {
            E::UnknownLife { .. } => self.span_of("life"),
            E::ExpireBeforeRevalidate { .. } => self
                .field("expire")
                .map_or_else(|| self.span_of("revalidate"), |field| field.value.span()),
            E::TooLong { field, value, .. }
            | E::Repeated { field, value }
            | E::ControlCharacter { field, value } => self.span_of_item(field, value),
            E::EmptyItem { field } => self.span_of_item(field, ""),
            E::Braces { tag } | E::UnknownParam { tag, .. } => self.span_of_item("tags", tag),
            E::AllOfQuery => self.span_of_item("query", "*"),
            E::NotAHeader { name } | E::RefusedHeader { name, .. } => {
                self.span_of_item("vary", name)
            }
            E::WrongType { field, .. }
            | E::NotATime { field, .. }
            | E::ZeroTime { field }
            | E::NotWholeSeconds { field }
            | E::TooLongTime { field }
            | E::TooMany { field, .. } => self.span_of(field),
            _ => self.span(),
        };
        Error::new(span, error)
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the place of the value of a field, or of the whole policy if the field is not written.
    fn span_of(&self, name: &str) -> Span {
        self.field(name)
            .map_or_else(|| self.span(), |field| field.value.span())
    }

    /// Returns the place of an item of a list, the last one if it is repeated, or of the list.
    pub fn span_of_item(&self, name: &str, item: &str) -> Span {
        let list = match self.field(name).map(|field| &field.value) {
            Some(Expr::Array(list)) => list,
            _ => return self.span_of(name),
        };
        // The names of headers are compared in lower case.
        let is_item = |value: &&Expr| {
            literal(value).is_some_and(|text| text == item || text.to_lowercase() == item)
        };
        list.elems
            .iter()
            .rfind(is_item)
            .map_or_else(|| list.span(), |value| value.span())
    }
}

impl Field {
    /// Returns a name or a time.
    fn text(&self, name: &'static str) -> Result<String> {
        let is_life = name == "life";
        match &self.value {
            Expr::Lit(ExprLit { lit, .. }) => match lit {
                Lit::Str(text) => Ok(text.value()),
                // `60`, and also `1m` without quotes.
                Lit::Int(number) if !is_life => {
                    Ok(format!("{}{}", number.base10_digits(), number.suffix()))
                }
                // As in Next.
                Lit::Bool(value) if name == "revalidate" && !value.value => Ok(NEVER.to_owned()),
                _ => Err(wrong_type(name, &self.value)),
            },
            Expr::Path(path) if name == "revalidate" && path.path.is_ident(NEVER) => {
                Ok(NEVER.to_owned())
            }
            other => Err(wrong_type(name, other)),
        }
    }

    fn list(&self, name: &'static str) -> Result<Vec<String>> {
        let Expr::Array(list) = &self.value else {
            return Err(wrong_type(name, &self.value));
        };
        let items = list.elems.iter().map(|value| {
            let error = || {
                let found = "a list of other values";
                policy_error(name, found, value.span())
            };
            literal(value).ok_or_else(error)
        });
        items.collect()
    }
}

/// The `revalidate` of a response that age does not make stale.
const NEVER: &str = "never";

fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

fn wrong_type(field: &'static str, value: &Expr) -> Error {
    let found = match value {
        Expr::Array(_) => "a list",
        Expr::Unary(ExprUnary {
            op: syn::UnOp::Neg(_),
            ..
        }) => "a negative or fractional number",
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(_) => "a text",
            Lit::Int(_) => "a number",
            Lit::Float(_) => "a negative or fractional number",
            Lit::Bool(_) => "a boolean",
            _ => "another literal",
        },
        _ => "not a literal",
    };
    policy_error(field, found, value.span())
}

fn policy_error(field: &'static str, found: &'static str, span: Span) -> Error {
    let expected = expected(field);
    let error = PolicyError::WrongType {
        field,
        found,
        expected,
    };
    Error::new(span, error)
}

fn unknown(name: &Ident) -> Error {
    let fields: Vec<_> = FIELDS.iter().map(|field| format!("`{field}`")).collect();
    let message = format!(
        "`{name}` is not a field of `cache`: write {}",
        fields.join(", ")
    );
    Error::new(name.span(), message)
}

/// Returns a stand-in for a profile of the app, with which any times are consistent.
fn longest_life() -> Option<Life> {
    Life::new(None, Some(MAX_LIFE)).ok()
}

/// Combines errors, so that all of them are shown. Returns `None` if there are none.
pub fn combined(errors: impl IntoIterator<Item = Error>) -> Option<Error> {
    errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    })
}
