//! The `export!` macro of `waypost`.
//!
//! It runs in the compiler and reads the file system: the pattern of a route is the folder of its crate. The grammar
//! of folder names is in `waypost-routing`.

mod cache;
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
/// The macro also defines `route::Route`, the whole route, for `waypost::test::call`.
#[proc_macro]
pub fn export(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as input::Export);
    expand::expand(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
