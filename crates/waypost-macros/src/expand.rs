//! The code that `export!` expands to.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, Result};
use waypost_routing::{ParamName, Pattern, Segment};

use crate::cache::Checked;
use crate::folder;
use crate::input::{Export, Method};

/// Expands `export!`.
pub fn expand(input: &Export) -> Result<TokenStream> {
    let pattern = pattern(input)?;
    let text = pattern.to_string();
    let segments = pattern.segments().iter().map(segment);
    let matches = matches(&pattern);
    let verbs: Vec<_> = input.methods.iter().map(|method| &method.verb).collect();
    let cache = input.cache.as_ref();
    let cache = cache.map(|cache| cache.check(&pattern)).transpose()?;
    let calls = calls(&input.methods, cache.is_some());
    let sealed = cache.as_ref().map(sealed);
    let checks = input.methods.iter().map(|method| check(method, &pattern));
    let description = description(&text, &input.methods, cache.as_ref());
    Ok(quote! {
        /// The whole route.
        #[allow(dead_code, unreachable_pub)]
        pub(crate) mod route {
            use super::*;
            use ::waypost::__private as waypost_private;

            /// The route that the component exports. Tests call it through `waypost::test::call`.
            pub struct Route;

            impl waypost_private::Route for Route {
                const VERBS: &'static [waypost_private::Verb] =
                    &[#(waypost_private::Verb::#verbs),*];

                const PATTERN: &'static str = #text;

                fn pattern() -> &'static waypost_private::Pattern {
                    static SEGMENTS: &[waypost_private::Segment] = &[#(#segments),*];
                    static PATTERN: waypost_private::Pattern =
                        waypost_private::Pattern::from_checked(SEGMENTS);
                    &PATTERN
                }

                #matches

                async fn call(
                    verb: waypost_private::Verb,
                    exchange: &mut ::waypost::extract::Exchange,
                ) -> ::waypost::Response {
                    #calls
                }
            }

            #sealed

            #(#checks)*

            #description

            ::waypost::__export_component!(Route);
        }
    })
}

/// Generates the matching of a path. A pattern without params needs no code for params.
fn matches(pattern: &Pattern) -> TokenStream {
    if pattern.params().next().is_some() {
        return TokenStream::new();
    }
    quote! {
        fn matches(
            path: &waypost_private::Path,
        ) -> ::core::option::Option<waypost_private::Params> {
            Self::pattern().accepts(path).then_some(waypost_private::Params::NONE)
        }
    }
}

/// Returns the pattern of the folder, or the one in the macro's arguments.
fn pattern(input: &Export) -> Result<Pattern> {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let of_folder = folder::pattern(manifest_dir.as_ref())
        .map_err(|message| Error::new(Span::call_site(), message))?;
    let Some(literal) = &input.pattern else {
        return of_folder.ok_or_else(|| Error::new(Span::call_site(), NOT_IN_AN_APP));
    };
    let named = Pattern::parse(&literal.value())
        .map_err(|error| Error::new(literal.span(), error.to_string()))?;
    match of_folder {
        Some(of_folder) if of_folder != named => Err(Error::new(
            literal.span(),
            format!("the folder of this route is `{of_folder}`: leave the pattern out"),
        )),
        _ => Ok(named),
    }
}

/// Generates a segment of the pattern, which is parsed here and not in the component.
fn segment(segment: &Segment) -> TokenStream {
    let name = |name: &ParamName| {
        let name = name.as_str();
        quote!(waypost_private::ParamName::from_checked(#name))
    };
    let (kind, content) = match segment {
        Segment::Static(text) => ("Static", quote!(::std::borrow::Cow::Borrowed(#text))),
        Segment::Param(param) => ("Param", name(param)),
        Segment::CatchAll(param) => ("CatchAll", name(param)),
        Segment::OptionalCatchAll(param) => ("OptionalCatchAll", name(param)),
    };
    let kind = format_ident!("{kind}");
    quote!(waypost_private::Segment::#kind(#content))
}

const NOT_IN_AN_APP: &str = "this crate is not below the `handlers` folder of an app (a folder with \
    `spin.toml` and `handlers`): move it there, or name the pattern, \
    `waypost::export!(\"/items/[slug]\": get);`";

/// Generates the calls of the functions. A route is called only with a verb that it implements, so the last function
/// needs no condition.
fn calls(methods: &[Method], is_cached: bool) -> TokenStream {
    let Some((last, others)) = methods.split_last() else {
        return quote!(::core::unreachable!(
            "a route is called only with a verb that it implements"
        ));
    };
    let others = others.iter().map(|method| {
        let (verb, call) = (&method.verb, call(method, is_cached));
        quote_spanned!(verb.span()=> if verb == waypost_private::Verb::#verb { return #call; })
    });
    let last = call(last, is_cached);
    quote! {
        #(#others)*
        let _ = verb;
        #last
    }
}

fn call(method: &Method, is_cached: bool) -> TokenStream {
    let Method { verb, function } = method;
    match is_cached && method.is_cached() {
        true => quote_spanned! {verb.span()=>
            waypost_private::run_cached(
                #function, exchange, &SEALED, waypost_private::Verb::#verb
            ).await
        },
        false => quote_spanned!(verb.span()=> waypost_private::run(#function, exchange).await),
    }
}

/// Generates what a cached handler sees of a request.
fn sealed(cache: &Checked) -> TokenStream {
    let (query, vary) = (cache.policy.query(), cache.policy.vary());
    quote! {
        static SEALED: waypost_private::Sealed = waypost_private::Sealed {
            query: &[#(#query),*],
            headers: &[#(#vary),*],
        };
    }
}

/// Generates code that compiles only if the params type of a handler has a field for each segment. It is never run.
fn check(method: &Method, pattern: &Pattern) -> TokenStream {
    let Method { verb, function } = method;
    let span = verb.span();
    let names: Vec<_> = pattern
        .params()
        .map(|name| field(&name.to_string().replace('-', "_"), span))
        .collect();
    let check = format_ident!("check_params_of_{}", verb.to_string().to_lowercase());
    quote_spanned! {span=>
        #[allow(unused_variables)]
        fn #check() {
            #[allow(non_snake_case)]
            struct Segments { #(#names: ()),* }
            #[allow(unused_imports)]
            use waypost_private::{WithFields as _, WithoutContext as _};
            let probe = waypost_private::probe::<_, _, Segments>(&#function);
            #(let _ = &(&(&probe).context()).fields().#names;)*
        }
    }
}

/// Returns the name of a field, as a raw identifier if it is a keyword. Errors point to the method, but the
/// identifier counts as the macro's, so that the compiler does not suggest to replace the method by another name.
fn field(name: &str, span: Span) -> syn::Ident {
    let span = Span::call_site().located_at(span);
    match syn::parse_str::<syn::Ident>(name) {
        Ok(_) => syn::Ident::new(name, span),
        Err(_) => syn::Ident::new_raw(name, span),
    }
}

/// Generates the custom section `waypost:route`, which describes the component to tools: a JSON object with `pattern`,
/// `methods` and, if the route has a policy, `cache`.
fn description(pattern: &str, methods: &[Method], cache: Option<&Checked>) -> TokenStream {
    let names: Vec<_> = methods
        .iter()
        .map(|method| format!("\"{}\"", method.name()))
        .collect();
    let cache = cache.map(|cache| format!(",\"cache\":{}", cache.json));
    let json = format!(
        "{{\"pattern\":{},\"methods\":[{}]{}}}",
        quoted(pattern),
        names.join(","),
        cache.unwrap_or_default()
    );
    let length = json.len();
    let bytes = Literal::byte_string(json.as_bytes());
    quote! {
        #[cfg(target_arch = "wasm32")]
        #[used]
        #[unsafe(link_section = "waypost:route")]
        static DESCRIPTION: [u8; #length] = *#bytes;
    }
}

/// Returns a JSON string. A pattern contains no control characters, because they are percent-encoded.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
