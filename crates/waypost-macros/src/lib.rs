//! The `export!` macro of `waypost`.
//!
//! It runs inside the compiler, so it may look at the file system: a route's pattern is the folder
//! of its crate. The grammar of folders is `waypost-routing`'s alone.

mod expand;
mod folder;
mod input;

use proc_macro::TokenStream;

/// Makes a component of a route file: `waypost::export!(get, post);` names the methods that the
/// file implements.
///
/// Each name is that of an `async fn` in the file, in lower case: `get`, `head`, `post`, `put`,
/// `patch`, `delete`, `options`. A function of another name or place is `get = path::to::function`.
/// `any`, or `any = function`, stands for all methods that are not named.
///
/// HEAD is answered by `get` and OPTIONS from the list of methods, unless the file has functions of
/// its own for them; any other method is a 405 with `Allow`.
///
/// The pattern of the route is the folder of its crate below `handlers/`. Elsewhere, in a test or
/// in documentation, it is named first: `waypost::export!("/items/[slug]": get);`.
///
/// The macro also defines `route::Route`, the route as a whole, for `waypost::test::call`.
#[proc_macro]
pub fn export(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as input::Export);
    expand::expand(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
