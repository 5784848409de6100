//! File-based routing: folders are patterns, patterns match paths, and one order decides among
//! them.
//!
//! The router, the handlers, the tools and the tests all use this crate, so that all of them read a
//! path in the same way. The crate does no I/O and has no dependencies. This page is the
//! specification.
//!
//! # Patterns
//!
//! The path of a folder below `handlers/` is a [`Pattern`]. Each folder adds one segment, or none:
//!
//! | folder | segment | matches |
//! | --- | --- | --- |
//! | `items` | static | the segment that decodes to `items`, case-sensitively |
//! | `[slug]` | param | any one segment |
//! | `[...rest]` | catch-all, last only | all remaining segments, at least one |
//! | `[[...rest]]` | optional catch-all, last only | all remaining segments, or none |
//! | `(group)`, `@slot` | none | |
//! | `_private` | an error: neither the folder nor anything below it is a route ([`PatternError::Private`]) | |
//!
//! Brackets are special only around a whole name: `post-[id]`, `[id].json` and `[a` are static. In a
//! static name valid percent-escapes are decoded once, so `%5Fprivate` is the segment `_private`.
//! The name of a param is a Rust identifier or kebab-case. Two names in one pattern may not differ
//! only in `-` and `_`. Names are compared in Unicode NFC. The feature `nfc` normalises them; tools
//! that read folders enable it.
//!
//! ```
//! use waypost_routing::{Pattern, PatternError, Segment};
//!
//! let pattern = Pattern::parse("(shop)/a%20b/[slug]")?;
//! assert_eq!(pattern.segments()[0], Segment::Static("a b".into()));
//! assert_eq!(pattern.to_string(), "/a b/[slug]");
//!
//! let error = Pattern::parse("items/[[slug]]").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "`[[slug]]` would be an optional param, which does not exist; \
//!      use `[slug]` for one segment or `[[...slug]]` for any number"
//! );
//! # Ok::<(), PatternError>(())
//! ```
//!
//! # Paths
//!
//! [`Path::resolve`] normalises the path of a request for matching. It may also return a redirect
//! (308) or an error (400):
//!
//! ```
//! use waypost_routing::{Path, PathError, Resolved};
//!
//! let redirect = |to: &str| Ok(Resolved::Redirect(to.to_owned()));
//! assert_eq!(Path::resolve("/a//b\\c/"), redirect("/a/b/c/")); // Single slashes first,
//! assert_eq!(Path::resolve("/a/../b/c/"), redirect("/b/c")); // then no dots, no last slash.
//! assert_eq!(Path::resolve("/a%00"), Err(PathError::Nul));
//!
//! let Resolved::Path(path) = Path::resolve("/r/%2e%2E/a%2Fb/%2541")? else { unreachable!() };
//! assert!(path.segments().eq(["a/b", "%41"])); // Split, then decoded once.
//! # Ok::<(), PathError>(())
//! ```
//!
//! # Precedence
//!
//! If several patterns match a path, the smallest one answers. `Ord` for [`Pattern`] compares them
//! segment by segment from the left: the folder's own route comes first, then static, param,
//! catch-all, optional catch-all. Neither the order of insertion nor the length of a pattern matters.
//! If a branch has no route for the rest of the path, the search goes back and tries the next one.
//!
//! ```
//! use waypost_routing::{Path, Pattern, Resolved, RouteTable};
//!
//! let folders = ["shop/[...rest]", "shop/[id]", "shop/new", "shop/new/[step]", "shop/[id]/edit"];
//! let table = RouteTable::new(folders.map(|folder| (Pattern::parse(folder).unwrap(), folder)))?;
//! let find = |raw| match Path::resolve(raw) {
//!     Ok(Resolved::Path(path)) => table.find(&path).map(|found| *found.value),
//!     _ => None,
//! };
//! assert_eq!(find("/shop/new"), Some("shop/new"));
//! assert_eq!(find("/shop/old"), Some("shop/[id]"));
//! assert_eq!(find("/shop/new/edit"), Some("shop/new/[step]"));
//! assert_eq!(find("/shop/new/edit/2"), Some("shop/[...rest]")); // Back out of `new` and `[id]`.
//! assert_eq!(find("/shop"), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Conflicts
//!
//! [`RouteTable::new`] fails with all [`Conflicts`] at once if two routes
//!
//! - have the same pattern, because groups and slots add no segment: `(a)/x` and `(b)/x`;
//! - match the same paths with different param names: `[a]` and `[b]`;
//! - name the same segment differently: `x/[a]/one` and `x/[b]/two`;
//! - are a folder's own route and the optional catch-all in it: `x` and `x/[[...a]]`;
//! - are a catch-all and an optional catch-all in the same folder.
//!
//! ```
//! use waypost_routing::{Pattern, RouteTable};
//!
//! let folders = ["x/[a]/one", "x/[b]/two", "(g)/y", "y"];
//! let routes = folders.map(|folder| (Pattern::parse(folder).unwrap(), folder));
//! let conflicts = RouteTable::new(routes).unwrap_err();
//! assert_eq!(
//!     conflicts.to_string(),
//!     "`/x/[a]/one` (`x/[a]/one`) and `/x/[b]/two` (`x/[b]/two`) name the same segment `[a]` and \
//!      `[b]`; use the same name in both\n\
//!      `(g)/y` and `y` both have the pattern `/y`; keep one of them, or rename a folder \
//!      that is neither a group nor a slot"
//! );
//! ```
//!
//! # Sources
//!
//! The rules are those of [Next's route
//! handlers](https://nextjs.org/docs/app/api-reference/file-conventions/route), with three
//! differences. Static segments match the decoded path. A path that does not decode is an error
//! whether or not a route matches. All conflicts are found when the table is built.
#![forbid(unsafe_code)]

mod conflict;
mod error;
mod escape;
mod params;
mod path;
mod pattern;
mod segment;
mod table;
mod trie;

pub use conflict::{Conflict, ConflictKind, Conflicts};
pub use error::PatternError;
pub use params::{ParamValue, Params};
pub use path::{Path, PathError, Resolved};
pub use pattern::Pattern;
pub use segment::{ParamName, Segment};
pub use table::{Match, RouteTable};
