//! [`Scope`]: what a value that is being made depends on.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

use waypost_cache::Life;
use waypost_cache::tag::{TagError, add_tags};

use super::Entry;

thread_local! {
    /// The scope of the future that is polled now.
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// A value that is being made: it gets the tags of the cached values that it is made of, and the shortest of their lives.
#[derive(Clone)]
pub(crate) struct Scope(Rc<State>);

struct State {
    tags: RefCell<Vec<String>>,
    life: Cell<Life>,
    error: Cell<Option<TagError>>,
    /// The value of which this one becomes a part.
    outer: Option<Scope>,
}

impl Scope {
    /// Begins to make a value.
    pub(crate) fn new(entry: &Entry) -> Self {
        Self(Rc::new(State {
            tags: RefCell::new(entry.tags.clone()),
            life: Cell::new(entry.life),
            error: Cell::default(),
            outer: CURRENT.with_borrow(Clone::clone),
        }))
    }

    /// Runs the work that makes the value. What it awaits belongs to it, and nothing else that runs meanwhile.
    pub(crate) async fn run<W: Future>(&self, work: W) -> W::Output {
        let mut work = pin!(work);
        poll_fn(|cx| {
            let outer = CURRENT.replace(Some(self.clone()));
            let poll = work.as_mut().poll(cx);
            CURRENT.set(outer);
            poll
        })
        .await
    }

    /// Ends the scope. Returns the tags and the life of the value, which are also those of the outer one.
    ///
    /// # Errors
    ///
    /// If there are too many tags, so that not all of them could revalidate the value.
    pub(crate) fn finish(&self) -> Result<(Vec<String>, Life), TagError> {
        let tags = self.0.tags.borrow().clone();
        if let Some(outer) = &self.0.outer {
            outer.add(&tags, self.0.life.get());
        }
        match self.0.error.get() {
            Some(error) => Err(error),
            None => Ok((tags, self.0.life.get())),
        }
    }

    fn add(&self, tags: &[String], life: Life) {
        let added = add_tags(&mut self.0.tags.borrow_mut(), tags.iter().cloned());
        if let Err(error) = added {
            self.0.error.set(Some(error));
        }
        self.0.life.set(self.0.life.get().shorter(life));
    }
}

/// Returns whether a value is being made, which must not be made of stale ones.
pub(crate) fn is_active() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// Adds the tags and the life of a value to the one that is made of it, if any.
pub(crate) fn note(tags: &[String], life: Life) {
    let current = CURRENT.with_borrow(Clone::clone);
    if let Some(scope) = current {
        scope.add(tags, life);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join;

    use super::*;
    use crate::test::block_on;
    use crate::time::sleep;

    fn entry(tag: &str, seconds: u64) -> Entry {
        Entry {
            key: Vec::new(),
            tags: vec![tag.to_owned()],
            life: Life::new(Some(Duration::from_secs(seconds)), None).unwrap(),
        }
    }

    async fn make(tag: &'static str, seconds: u64, pause: u64) -> (Vec<String>, u64) {
        let scope = Scope::new(&entry(tag, seconds));
        let inner = async {
            sleep(Duration::from_millis(pause)).await;
            note(&[format!("of-{tag}")], entry("", 50).life);
        };
        scope.run(inner).await;
        let (tags, life) = scope.finish().unwrap();
        (tags, life.revalidate().unwrap().as_secs())
    }

    #[test]
    fn values_that_are_made_at_once_are_kept_apart() {
        let outer = Scope::new(&entry("outer", 90));
        let both = outer.run(join(make("a", 60, 4), make("b", 40, 1)));
        let (a, b) = block_on(both);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(a, (names(&["a", "of-a"]), 50));
        assert_eq!(b, (names(&["b", "of-b"]), 40));
        let (mut tags, life) = outer.finish().unwrap();
        tags.sort();
        assert_eq!(tags, names(&["a", "b", "of-a", "of-b", "outer"]));
        assert_eq!(life.revalidate(), Some(Duration::from_secs(40)));
        assert!(!is_active());
    }

    #[test]
    fn a_value_with_too_many_tags_is_not_cached() {
        let scope = Scope::new(&entry("a", 60));
        let many: Vec<_> = (0..128).map(|number| number.to_string()).collect();
        block_on(scope.run(async { note(&many, entry("", 60).life) }));
        assert_eq!(scope.finish(), Err(TagError::TooMany));
    }
}
