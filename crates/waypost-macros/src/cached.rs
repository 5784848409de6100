//! The attribute `cached`: a function whose values the host keeps.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Error, FnArg, ItemFn, Pat, PatType, Result, ReturnType, Type};
use waypost_cache::tag::{Piece, pieces};
use waypost_cache::{Life, Policy};

use crate::cache::{Cache, combined};

/// The names of the fields.
const FIELDS: [&str; 4] = ["life", "revalidate", "expire", "tags"];

/// The largest number of arguments: serde writes tuples of so many.
const MAX_ARGUMENTS: usize = 16;

/// The fields of the attribute.
pub struct Cached(Cache);

impl Parse for Cached {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = Ident::new("cached", Span::call_site());
        let fields = Punctuated::parse_terminated(input)?;
        Ok(Self(Cache { name, fields }))
    }
}

/// An argument of the function.
struct Argument<'a> {
    name: &'a Ident,
    of: &'a PatType,
}

/// Expands the attribute.
///
/// # Errors
///
/// Returns all faults at once, each at its place.
pub fn expand(Cached(cache): &Cached, function: &ItemFn) -> Result<TokenStream> {
    let mut errors: Vec<_> = faults(function).collect();
    let arguments = arguments(function, &mut errors);
    let policy = checked(cache).map_err(|error| errors.push(error)).ok();
    let tags = policy.iter().flat_map(Policy::tags);
    let tags: Vec<_> = tags
        .filter_map(|tag| {
            let span = cache.span_of_item("tags", tag);
            let template = template(tag, span, function, &arguments);
            template.map_err(|error| errors.push(error)).ok()
        })
        .collect();
    match (combined(errors), policy) {
        (Some(error), _) => Err(error),
        (None, Some(policy)) => Ok(expanded(function, &arguments, policy.life(), &tags)),
        (None, None) => Ok(quote!(#function)),
    }
}

/// Checks the fields. The times of a profile have to be known here, so only the built-in ones can be named.
fn checked(cache: &Cache) -> Result<Policy> {
    let others = cache.fields.iter().map(|field| &field.name);
    let others = others.filter(|name| !FIELDS.iter().any(|field| *name == field));
    let others = others.map(|name| {
        let fields: Vec<_> = FIELDS.iter().map(|field| format!("`{field}`")).collect();
        let message = format!(
            "`{name}` is not a field of `cached`: write {}",
            fields.join(", ")
        );
        Error::new(name.span(), message)
    });
    match combined(others) {
        Some(error) => Err(error),
        None => cache.check_with(&[], |_| Ok(())),
    }
}

/// Returns what is wrong with the function itself.
fn faults(function: &ItemFn) -> impl Iterator<Item = Error> {
    let signature = &function.sig;
    let not_async = signature.asyncness.is_none().then(|| {
        let message = "a cached function must be an `async fn`: write `async` before `fn`";
        Error::new(signature.fn_token.span, message)
    });
    let generic = (!signature.generics.params.is_empty()).then(|| {
        let message = "a cached function can't be generic: the key of its values has no types";
        Error::new(signature.generics.span(), message)
    });
    let nothing = matches!(signature.output, ReturnType::Default).then(|| {
        let message = "a cached function must return a value";
        Error::new(signature.ident.span(), message)
    });
    let many = (signature.inputs.len() > MAX_ARGUMENTS).then(|| {
        let message = format!("a cached function has at most {MAX_ARGUMENTS} arguments");
        Error::new(signature.inputs.span(), message)
    });
    [not_async, generic, nothing, many].into_iter().flatten()
}

fn arguments<'a>(function: &'a ItemFn, errors: &mut Vec<Error>) -> Vec<Argument<'a>> {
    let inputs = function.sig.inputs.iter();
    let arguments = inputs.map(argument);
    arguments
        .filter_map(|argument| argument.map_err(|error| errors.push(error)).ok())
        .collect()
}

fn argument(input: &FnArg) -> Result<Argument<'_>> {
    let of = match input {
        FnArg::Typed(of) => of,
        FnArg::Receiver(receiver) => {
            let message = "a method can't be cached: its key would not contain `self`";
            return Err(Error::new(receiver.span(), message));
        }
    };
    let Pat::Ident(pattern) = &*of.pat else {
        let message = "an argument of a cached function needs a name";
        return Err(Error::new(of.pat.span(), message));
    };
    match &*of.ty {
        Type::Reference(_) => {
            let message = "an argument of a cached function can't be a reference, because a stale value is refreshed after \
                the response: take a `String`, a `Vec` or another owned value";
            Err(Error::new(of.ty.span(), message))
        }
        Type::ImplTrait(_) => {
            let message = "a cached function can't be generic: the key of its values has no types";
            Err(Error::new(of.ty.span(), message))
        }
        _ => Ok(Argument {
            name: &pattern.ident,
            of,
        }),
    }
}

/// Generates the tag of a template, in which `{name}` is an argument.
fn template(
    tag: &str,
    span: Span,
    function: &ItemFn,
    arguments: &[Argument<'_>],
) -> Result<TokenStream> {
    let mut format = String::new();
    let mut values = Vec::new();
    for piece in pieces(tag).unwrap_or_default() {
        match piece {
            Piece::Text(text) => format.push_str(text),
            Piece::Param(name) => {
                let found = arguments.iter().find(|argument| argument.name == name);
                let Some(argument) = found else {
                    let function = &function.sig.ident;
                    let message = format!(
                        "`{{{name}}}` in the tag `{tag}` is not an argument of `{function}`"
                    );
                    return Err(Error::new(span, message));
                };
                format.push_str("{}");
                values.push(argument.name);
            }
        }
    }
    Ok(quote_spanned!(span=> ::std::format!(#format #(, #values)*)))
}

fn expanded(
    function: &ItemFn,
    arguments: &[Argument<'_>],
    life: Life,
    tags: &[TokenStream],
) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let (name, inputs, output) = (&sig.ident, &sig.inputs, &sig.output);
    let names: Vec<_> = arguments.iter().map(|argument| argument.name).collect();
    let types = arguments.iter().map(|argument| &argument.of.ty);
    let key = match names.is_empty() {
        true => quote!(&[(); 0]),
        false => quote!(&(#(&#names,)*)),
    };
    let checks = names
        .iter()
        .map(|name| quote_spanned!(name.span()=> ::waypost::__private::check_key(&#name);));
    let revalidate = life.revalidate().map_or(0, |time| time.as_secs());
    let expire = life.expire().as_secs();
    let value = match is_result(output) {
        true => quote!(::waypost::__private::get_or(entry, make(#(#names),*)).await),
        false => quote! {
            let made = make(#(#names),*);
            let made = async move { ::core::result::Result::Ok::<_, ::core::convert::Infallible>(made.await) };
            match ::waypost::__private::get_or(entry, made).await {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(never) => match never {},
            }
        },
    };
    quote! {
        #(#attrs)*
        #vis async fn #name(#(#names: #types),*) #output {
            async fn make(#inputs) #output #block
            #(#checks)*
            static FUNCTION: ::waypost::__private::CachedFunction = ::waypost::__private::CachedFunction {
                name: ::core::concat!(
                    ::core::module_path!(), "::", ::core::stringify!(#name),
                    "@", ::core::line!(), ":", ::core::column!()
                ),
                revalidate: #revalidate,
                expire: #expire,
            };
            let entry = FUNCTION.entry(#key, ::std::vec![#(#tags),*]);
            #value
        }
    }
}

/// Returns whether a type is written as a `Result`, of which only `Ok` is kept.
fn is_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Type(_, of) => match &**of {
            Type::Path(path) => path
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Result"),
            _ => false,
        },
        ReturnType::Default => false,
    }
}
