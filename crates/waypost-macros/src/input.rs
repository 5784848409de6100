//! What stands between the parentheses of `export!`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Path, Result, Token};

/// The methods, by the names of their functions and as `Verb` spells them.
const METHODS: [(&str, &str); 7] = [
    ("get", "Get"),
    ("head", "Head"),
    ("post", "Post"),
    ("put", "Put"),
    ("patch", "Patch"),
    ("delete", "Delete"),
    ("options", "Options"),
];

/// The input of `export!`: an optional pattern, then the methods.
pub struct Export {
    pub pattern: Option<LitStr>,
    pub methods: Vec<Method>,
}

/// A method with the function that implements it.
pub struct Method {
    /// The name of the variant of `Verb`, with the place of the method in the source.
    pub verb: Ident,
    pub function: Path,
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

/// A name with the function that it stands for: a method, or `any` for all that are not named.
struct Named {
    name: Ident,
    function: Path,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        let function = match input.parse::<Option<Token![=]>>()? {
            Some(_) => input.parse()?,
            None => name.clone().into(),
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

/// The methods that are not named, with the function of `any`.
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
    /// Returns the name as a request line has it.
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
        format!("`{text}` is no method of a route: {hint}"),
    ))
}

/// Tells whether one text becomes the other by one letter more, less or changed, or two swapped.
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
