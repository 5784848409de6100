//! Revalidation of cached responses: [`Cache`].

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use waypost_cache::Revalidation;
use waypost_cache::revalidation::{MAX_INTERNAL_HEADER, MAX_REVALIDATIONS};
use waypost_cache::subject::SubjectError;

use crate::data::client::revalidate;
pub use crate::data::options::CacheOptions;
use crate::extract::{Exchange, FromRequest, Shared};
use crate::{Response, Result, sys};

/// The cache of the host, for revalidation after a change of data, like Next's
/// [`revalidateTag`](https://nextjs.org/docs/app/api-reference/functions/revalidateTag) and
/// [`revalidatePath`](https://nextjs.org/docs/app/api-reference/functions/revalidatePath). An argument of handlers.
///
/// Change the data first, then revalidate. The host applies the revalidations before the client gets the response, which
/// may have any status. They are lost only if the handler panics, or has no response in time. In [`After`](crate::After),
/// and while a stream is sent, each is sent to the host at once.
///
/// A response that is *stale* is still served until a new one is stored. One that is *expired* is not served again: the next
/// request waits for a new one.
///
/// On a host without a cache they do nothing.
///
/// # Examples
///
/// ```
/// use waypost::{Cache, Context, Request, Result, test};
///
/// #[derive(serde::Deserialize)]
/// struct Post {
///     slug: String,
/// }
///
/// async fn get(ctx: Context<Post>) -> String {
///     format!("the post {}", ctx.params.slug)
/// }
///
/// async fn put(ctx: Context<Post>, cache: Cache) -> Result<()> {
///     // Save the post here.
///     cache.expire_tag(format!("post-{}", ctx.params.slug))?;
///     cache.revalidate_tag("posts")?;
///     Ok(())
/// }
///
/// waypost::export!("/posts/[slug]": get, put; cache(revalidate = "1h", tags = ["posts", "post-{slug}"]));
///
/// # fn main() {
/// let response = test::call::<route::Route>(Request::build("PUT".parse().unwrap(), "/posts/tea", ""));
/// assert_eq!(response.revalidated(), ["tag:post-tea (expired)", "tag:posts (stale)"]);
/// # }
/// ```
#[derive(Clone)]
pub struct Cache(Rc<State>);

struct State {
    /// The value of the header.
    header: RefCell<String>,
    count: Cell<usize>,
    /// Whether the caller of the component applies revalidations.
    is_applied: bool,
    /// Whether the head of the response was sent.
    is_sent: Cell<bool>,
}

impl Cache {
    /// Creates a cache, for tests that call a handler directly.
    #[expect(
        clippy::new_without_default,
        reason = "handlers receive their cache, and a default would suggest otherwise"
    )]
    pub fn new() -> Self {
        Self::for_caller(true)
    }

    /// Creates the cache of a request whose caller applies revalidations or not.
    pub(crate) fn for_caller(is_applied: bool) -> Self {
        Self(Rc::new(State {
            header: RefCell::default(),
            count: Cell::default(),
            is_applied,
            is_sent: Cell::default(),
        }))
    }

    /// Makes the responses with a tag stale, like `revalidateTag(tag, "max")`.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the tag is empty or longer than 256 characters, after the 128th revalidation of a response, and
    /// once the head of the response was sent, on a host that can't take it any more.
    pub fn revalidate_tag(&self, tag: impl AsRef<str>) -> Result<(), CacheError> {
        self.add(Revalidation::revalidate_tag(tag.as_ref()))
    }

    /// Expires the responses with a tag, like `updateTag(tag)`.
    ///
    /// # Errors
    ///
    /// Like [`Cache::revalidate_tag`].
    pub fn expire_tag(&self, tag: impl AsRef<str>) -> Result<(), CacheError> {
        self.add(Revalidation::expire_tag(tag.as_ref()))
    }

    /// Makes the responses with a tag stale now, and expires those that are left after a time, like
    /// `revalidateTag(tag, { expire: seconds })`.
    ///
    /// # Errors
    ///
    /// Like [`Cache::revalidate_tag`].
    ///
    /// # Examples
    ///
    /// ```
    /// let cache = waypost::Cache::new();
    /// cache.expire_tag_in("posts", 300)?;
    /// assert_eq!(cache.revalidated(), ["tag:posts (stale, expires in 300 s)"]);
    /// # Ok::<(), waypost::cache::CacheError>(())
    /// ```
    pub fn expire_tag_in(
        &self,
        tag: impl AsRef<str>,
        time: impl Seconds,
    ) -> Result<(), CacheError> {
        let time = Duration::from_secs(time.seconds());
        let revalidation = Revalidation::revalidate_tag(tag.as_ref());
        self.add(revalidation.map(|revalidation| revalidation.expire_in(time)))
    }

    /// Expires the responses of a path, with any search params and headers, like `revalidatePath(path)`.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the text is not a path or has a query; otherwise like [`Cache::revalidate_tag`].
    ///
    /// # Examples
    ///
    /// ```
    /// let cache = waypost::Cache::new();
    /// cache.revalidate_path("/posts/tea")?;
    /// assert!(cache.revalidate_path("posts").is_err());
    /// # Ok::<(), waypost::cache::CacheError>(())
    /// ```
    pub fn revalidate_path(&self, path: impl AsRef<str>) -> Result<(), CacheError> {
        self.add(Revalidation::revalidate_path(path.as_ref()))
    }

    /// Expires the responses of a path and of all paths below it, like `revalidatePath(path, "layout")`. `/` stands for
    /// all paths.
    ///
    /// # Errors
    ///
    /// Like [`Cache::revalidate_path`].
    pub fn revalidate_below(&self, path: impl AsRef<str>) -> Result<(), CacheError> {
        self.add(Revalidation::revalidate_below(path.as_ref()))
    }

    /// Expires the responses of a route, given by its pattern: `/posts/[slug]`. Like `revalidatePath(pattern, "page")`.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the text is not a pattern; otherwise like [`Cache::revalidate_tag`].
    pub fn revalidate_route(&self, pattern: impl AsRef<str>) -> Result<(), CacheError> {
        self.add(Revalidation::revalidate_route(pattern.as_ref()))
    }

    /// Returns what was revalidated, in order, for tests: `tag:posts (stale)`, `path:/posts/tea (expired)`.
    pub fn revalidated(&self) -> Vec<String> {
        shown(&self.0.header.borrow())
    }

    /// Adds the revalidations to the response, and refuses further ones.
    pub(crate) fn finish(&self, response: &mut Response) {
        self.0.is_sent.set(true);
        let header = self.0.header.borrow();
        if !header.is_empty() {
            response.set_revalidations(header.clone());
        }
    }

    fn add(&self, revalidation: Result<Revalidation, SubjectError>) -> Result<(), CacheError> {
        let revalidation = revalidation.map_err(|error| CacheError(error.to_string()))?;
        let too_many = |_| CacheError::too_many();
        let item = Revalidation::write(&[revalidation]).map_err(too_many)?;
        let state = &*self.0;
        if !state.is_applied {
            warn_once();
            return Ok(());
        }
        if state.is_sent.get() {
            return send_late(item);
        }
        let mut header = state.header.borrow_mut();
        if header.split(',').any(|known| known == item) {
            return Ok(());
        }
        let is_full = state.count.get() == MAX_REVALIDATIONS
            || header.len() + 1 + item.len() > MAX_INTERNAL_HEADER;
        if is_full {
            return Err(CacheError::too_many());
        }
        if !header.is_empty() {
            header.push(',');
        }
        header.push_str(&item);
        state.count.set(state.count.get() + 1);
        Ok(())
    }
}

/// Reads the header of revalidations for people.
pub(crate) fn shown(header: &str) -> Vec<String> {
    let items = Revalidation::parse(header);
    let text = |item: Result<Revalidation, _>| item.ok().map(|item| item.to_string());
    items.filter_map(text).collect()
}

/// Sends a revalidation by itself, once the head of the response was sent.
fn send_late(item: String) -> Result<(), CacheError> {
    if !sys::has_data_cache() {
        return Err(CacheError::too_late());
    }
    sys::spawn(Box::pin(revalidate(item)));
    Ok(())
}

/// Logs that revalidations do nothing, once for each instance of the component.
fn warn_once() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        sys::warn("nothing is revalidated, because this host has no cache");
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for Cache {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.cache())
    }
}

#[diagnostic::do_not_recommend]
impl Shared for Cache {}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({})", self.0.header.borrow())
    }
}

/// Why something can't be revalidated. As the error of a handler it is a 500.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheError(String);

impl CacheError {
    fn too_many() -> Self {
        Self(format!(
            "a response can revalidate at most {MAX_REVALIDATIONS} tags and paths: revalidate what is above them"
        ))
    }

    fn too_late() -> Self {
        Self("the response was already sent: nothing can be revalidated any more".to_owned())
    }
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CacheError {}

/// A time in seconds: a number, or a [`Duration`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use waypost::cache::Seconds;
///
/// assert_eq!(60.seconds(), Duration::from_secs(60).seconds());
/// ```
pub trait Seconds {
    /// Returns the whole seconds.
    fn seconds(self) -> u64;
}

impl Seconds for u64 {
    fn seconds(self) -> u64 {
        self
    }
}

impl Seconds for Duration {
    fn seconds(self) -> u64 {
        self.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revalidations_have_bounds() {
        let cache = Cache::new();
        let long = "ü".repeat(256);
        assert!(cache.expire_tag(&long).is_ok() && cache.expire_tag(&long).is_ok());
        assert_eq!(cache.revalidated().len(), 1);
        assert!(cache.expire_tag("a".repeat(257)).is_err());
        for number in 1..MAX_REVALIDATIONS {
            let tag = format!("{}{number}", "ü".repeat(250));
            if cache.revalidate_tag(tag).is_err() {
                break;
            }
        }
        assert!(cache.0.header.borrow().len() <= MAX_INTERNAL_HEADER);
        assert!(cache.revalidated().len() < MAX_REVALIDATIONS);
        let many = Cache::new();
        for number in 0..MAX_REVALIDATIONS {
            many.revalidate_tag(number.to_string()).unwrap();
        }
        assert_eq!(many.revalidate_path("/"), Err(CacheError::too_many()));
        assert_eq!(many.revalidate_tag("5"), Ok(()));
        many.finish(&mut Response::new(""));
        assert_eq!(many.revalidate_tag("5"), Err(CacheError::too_late()));
    }
}
