//! The arguments of `export!`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Result, Token, parse_quote};

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

/// The arguments of `export!`: an optional pattern, then the methods.
pub struct Export {
    pub pattern: Option<LitStr>,
    pub methods: Vec<Method>,
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
        let named = Punctuated::<Named, Token![,]>::parse_terminated(input)?;
        let (any, mut methods) = (any(&named)?, explicit(&named)?);
        if let Some(any) = any {
            methods.extend(others(&methods, any));
        }
        refuse_repeated(&methods)?;
        Ok(Self { pattern, methods })
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
fn others(methods: &[Method], any: &Named) -> Vec<Method> {
    let others = METHODS
        .iter()
        .filter(|(_, verb)| methods.iter().all(|method| method.verb != verb));
    others
        .map(|(_, verb)| Method {
            verb: Ident::new(verb, any.name.span()),
            function: any.function.clone(),
        })
        .collect()
}

impl Method {
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
