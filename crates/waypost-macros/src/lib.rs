//! The `export!` macro and the `cached` attribute of `waypost`.
//!
//! `export!` runs in the compiler and reads the file system: the pattern of a route is the folder of its crate. The grammar
//! of folder names is in `waypost-routing`.

mod cache;
mod cached;
mod expand;
mod folder;
mod input;

use proc_macro::TokenStream;

/// Turns a route file into a component: `waypost::export!(get, post);` lists the methods that the file implements.
///
/// Each name is that of an `async fn` in the file, in lower case: `get`, `head`, `post`, `put`, `patch`, `delete`,
/// `options`. For a function with another name or in another module, write `get = path::to::function`; a closure
/// works too: `get = async || "hello"`. `any`, or `any = function`, stands for all methods that are not listed.
///
/// HEAD is answered by `get` and OPTIONS from the list of methods, unless the file implements them. Any other method
/// is a 405 with `Allow`.
///
/// The pattern of the route is the folder of its crate below `handlers/`. In a test or in documentation, write the
/// pattern first: `waypost::export!("/items/[slug]": get);`.
///
/// # Caching
///
/// `waypost::export!(get, put; cache(revalidate = "1m", tags = ["posts"]));` caches the responses to GET and HEAD for all
/// clients. All fields may be left out:
///
/// | field | value |
/// | --- | --- |
/// | `revalidate` | when a response is stale: it is served while a new one is made. `never`, the default, or `false` leaves that to `waypost::Cache` |
/// | `expire` | when a response is not served any more; a year by default |
/// | `life` | a profile with both times: `seconds`, `minutes`, `hours`, `days`, `weeks`, `max`, `default`, or one of `waypost.toml` |
/// | `tags` | names by which responses are revalidated, with the params of the path: `"post-{slug}"` |
/// | `query` | the search params that the handler sees |
/// | `vary` | the request headers that the handler sees |
///
/// A time is a number of seconds, or a text with a unit: `"90s"`, `"1m"`, `"2h"`, `"1d"`. The names of your own profiles
/// are checked when the app is built.
///
/// The handler sees of a request only what all clients share: the URL with the search params in `query`, and the headers
/// in `vary`. Its arguments have to be `waypost::extract::Shared`, and it can't set cookies. It answers HEAD too, which
/// `any` does not stand for on such a route. The other methods run as always.
///
/// # Tests
///
/// The macro also defines `route::Route`, the whole route, for `waypost::test::call`.
#[proc_macro]
pub fn export(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as input::Export);
    expand::expand(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Keeps the values of an `async fn` in the data cache of the host: `#[waypost::cached(life = "hours", tags = ["authors"])]`.
///
/// The arguments are the key, with the function itself and the version of the component, so no other route and no other build
/// sees the values. They have to be owned values that serde can write, and what the function returns a value that serde can
/// write and read. If it is written as a `Result`, only `Ok` is kept, and the error has to be `Display` for the log.
///
/// All fields may be left out; then a value is kept for a year, or until it is revalidated:
///
/// | field | value |
/// | --- | --- |
/// | `life` | a built-in profile with both times: `seconds`, `minutes`, `hours`, `days`, `weeks`, `max`, `default` |
/// | `revalidate` | when a value is stale: it is returned once more, and the function runs after the response. `never` leaves that to `waypost::Cache` |
/// | `expire` | when a value is not returned any more; a year by default |
/// | `tags` | names by which values are revalidated, with arguments that are `Display`: `"author-{id}"` |
///
/// Times are written as in `export!`. A value that is made of other cached values has their tags too, and the shortest of their
/// times; the same holds for the response of a cached route. What a cached route or value is made of is never stale.
///
/// The function runs each time on a host without a data cache, and in draft mode. Requests that need the same value at the same
/// time wait for the one that makes it.
#[proc_macro_attribute]
pub fn cached(fields: TokenStream, function: TokenStream) -> TokenStream {
    let fields = syn::parse_macro_input!(fields as cached::Cached);
    let function = syn::parse_macro_input!(function as syn::ItemFn);
    cached::expand(&fields, &function)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
