//! The arguments of `export!`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Result, Token, parse_quote};

use crate::cache::Cache;

/// The methods: the names of their functions, and the variants of `Verb`.
const METHODS: [(&str, &str); 7] = [
    ("get", "Get"),
    ("head", "Head"),
    ("post", "Post"),
    ("put", "Put"),
    ("patch", "Patch"),
    ("delete", "Delete"),
    ("options", "Options"),
];

/// The arguments of `export!`: an optional pattern, then the methods, then an optional cache policy.
pub struct Export {
    pub pattern: Option<LitStr>,
    pub methods: Vec<Method>,
    pub cache: Option<Cache>,
}

/// A method with the function that implements it.
pub struct Method {
    /// The variant of `Verb`, with the span of the method in the source.
    pub verb: Ident,
    /// A path to a function, or a closure.
    pub function: Expr,
}

impl Parse for Export {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let pattern: Option<LitStr> = input.parse()?;
        if pattern.is_some() {
            input.parse::<Token![:]>()?;
        }
        let named = named(input)?;
        let cache = cache(input)?;
        let (any, mut methods) = (any(&named)?, explicit(&named)?);
        if let Some(any) = any {
            let others = others(&methods, any);
            // The cache answers HEAD with the response to GET.
            let others = others.filter(|other| cache.is_none() || other.verb != "Head");
            let others: Vec<_> = others.collect();
            methods.extend(others);
        }
        refuse_repeated(&methods)?;
        if let Some(cache) = &cache
            && methods.iter().all(|method| method.verb != "Get")
        {
            let message = "only responses to GET are cached: list `get` or `any`, or remove this";
            return Err(Error::new(cache.span(), message));
        }
        Ok(Self {
            pattern,
            methods,
            cache,
        })
    }
}

/// Parses the methods, up to a `;` or the end.
fn named(input: ParseStream<'_>) -> Result<Punctuated<Named, Token![,]>> {
    let mut named = Punctuated::new();
    let is_at_end = || input.is_empty() || input.peek(Token![;]);
    while !is_at_end() {
        named.push_value(input.parse()?);
        if !is_at_end() {
            named.push_punct(input.parse()?);
        }
    }
    Ok(named)
}

/// Parses the cache policy after the `;`, if there is one.
fn cache(input: ParseStream<'_>) -> Result<Option<Cache>> {
    match input.parse::<Option<Token![;]>>()? {
        Some(_) if !input.is_empty() => Ok(Some(input.parse()?)),
        _ => Ok(None),
    }
}

/// A name with its function: a method, or `any` for all methods that are not listed.
struct Named {
    name: Ident,
    function: Expr,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        let function = match input.parse::<Option<Token![=]>>()? {
            Some(_) => input.parse()?,
            None => parse_quote!(#name),
        };
        Ok(Self { name, function })
    }
}

fn any(named: &Punctuated<Named, Token![,]>) -> Result<Option<&Named>> {
    let mut any = named.iter().filter(|named| named.name == "any");
    match (any.next(), any.next()) {
        (_, Some(again)) => Err(Error::new(again.name.span(), "`any` is named twice")),
        (any, None) => Ok(any),
    }
}

fn explicit(named: &Punctuated<Named, Token![,]>) -> Result<Vec<Method>> {
    let explicit = named.iter().filter(|named| named.name != "any");
    explicit
        .map(|Named { name, function }| {
            let verb = Ident::new(verb(name)?, name.span());
            Ok(Method {
                verb,
                function: function.clone(),
            })
        })
        .collect()
}

/// Returns the methods that are not listed, with the function of `any`.
fn others(methods: &[Method], any: &Named) -> impl Iterator<Item = Method> {
    let others = METHODS
        .iter()
        .filter(|(_, verb)| methods.iter().all(|method| method.verb != verb));
    others.map(|(_, verb)| Method {
        verb: Ident::new(verb, any.name.span()),
        function: any.function.clone(),
    })
}

impl Method {
    /// Returns whether responses to this method are cached if the route has a policy.
    pub fn is_cached(&self) -> bool {
        self.verb == "Get" || self.verb == "Head"
    }

    /// Returns the name, as in a request line.
    pub fn name(&self) -> String {
        self.verb.to_string().to_uppercase()
    }
}

fn verb(name: &Ident) -> Result<&'static str> {
    let text = name.to_string();
    if let Some((_, verb)) = METHODS.iter().find(|(method, _)| *method == text) {
        return Ok(verb);
    }
    let lower = text.to_lowercase();
    let near = METHODS
        .iter()
        .find(|(method, _)| *method == lower || edit_of_one(method, &lower));
    let hint = match near {
        Some((method, _)) => format!("did you mean `{method}`?"),
        None => {
            let names: Vec<_> = METHODS
                .iter()
                .map(|(method, _)| format!("`{method}`"))
                .collect();
            format!("a route may implement {}", names.join(", "))
        }
    };
    Err(Error::new(
        name.span(),
        format!("`{text}` is not a method of a route: {hint}"),
    ))
}

/// Returns whether two texts differ by one inserted, removed or changed letter, or by two swapped letters.
fn edit_of_one(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same_start = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[same_start..], &other[same_start..]);
    let after = |bytes: &[u8], count: usize| bytes.get(count..).map(<[u8]>::to_vec);
    after(one, 1).is_some_and(|rest| rest == other)
        || after(other, 1).is_some_and(|rest| rest == one)
        || after(one, 1).is_some() && after(one, 1) == after(other, 1)
        || matches!((one, other), ([a, b, x @ ..], [c, d, y @ ..]) if a == d && b == c && x == y)
}

fn refuse_repeated(methods: &[Method]) -> Result<()> {
    for (index, method) in methods.iter().enumerate() {
        if methods[..index]
            .iter()
            .any(|earlier| earlier.verb == method.verb)
        {
            let message = format!("`{}` is named twice", method.name().to_lowercase());
            return Err(Error::new(method.verb.span(), message));
        }
    }
    Ok(())
}
