//! Work that goes on once the response is out.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::{Exchange, FromRequest, Result, sys};

pub(crate) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Takes work that goes on once the response is out, as Next's
/// [`after`](https://nextjs.org/docs/app/api-reference/functions/after): logging, counting, tidying up.
///
/// It runs when the last byte of the response was handed over, or the client went away; also after a
/// redirect or an error. All of it starts at once, in the order in which it was given. A cookie
/// can't be set by then.
///
/// # Examples
///
/// ```
/// use waypost::{After, fetch};
///
/// async fn post(after: After) -> &'static str {
///     after.run(async {
///         fetch("https://log.example.com/").method("POST").body("an order").await?;
///         Ok(())
///     });
///     "done"
/// }
/// ```
#[derive(Clone, Default)]
pub struct After(Rc<RefCell<Todo>>);

#[derive(Default)]
struct Todo {
    work: Vec<Work>,
    /// Whether the response is out.
    started: bool,
}

impl After {
    /// Adds work. If it ends with an error, that is logged. Work may add more work, which starts at
    /// once.
    pub fn run<W>(&self, work: W)
    where
        W: Future<Output: Outcome> + 'static,
    {
        let mut work: Work = Box::pin(async move { work.await.report() });
        let started = self.0.borrow().started;
        let done = started
            && work
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready();
        if !done {
            // Whoever finishes the rest polls it again, with a waker that counts.
            self.0.borrow_mut().work.push(work);
        }
    }

    /// Does all of it, and what it adds.
    async fn all(self) {
        self.0.borrow_mut().started = true;
        let mut running = FuturesUnordered::new();
        poll_fn(|cx| {
            loop {
                running.extend(std::mem::take(&mut self.0.borrow_mut().work));
                let poll = running.poll_next_unpin(cx);
                let added = !self.0.borrow().work.is_empty();
                match poll {
                    Poll::Pending if !added => return Poll::Pending,
                    Poll::Ready(None) if !added => return Poll::Ready(()),
                    _ => {}
                }
            }
        })
        .await;
    }
}

/// Work that an exchange may have. Behind it is the code that it needs: a component whose handler never asks for any
/// holds none of it.
pub(crate) trait Finish {
    /// Returns what takes work.
    fn after(&self) -> After;

    /// Returns what does all of the work, and what it adds; `None` where there is nothing to do.
    fn finish(self: Box<Self>) -> Option<Work>;

    /// Returns what does it after the body is out.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    fn behind(self: Box<Self>, sending: Work) -> Work;
}

impl Finish for After {
    fn after(&self) -> After {
        self.clone()
    }

    fn finish(self: Box<Self>) -> Option<Work> {
        let is_empty = self.0.borrow().work.is_empty();
        (!is_empty).then(|| Box::pin(self.all()) as Work)
    }

    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    fn behind(self: Box<Self>, sending: Work) -> Work {
        Box::pin(async move {
            sending.await;
            if let Some(work) = self.finish() {
                work.await;
            }
        })
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for After {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        Ok(exchange.after())
    }
}

impl fmt::Debug for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "After({} to do)", self.0.borrow().work.len())
    }
}

/// How work may end: with nothing, or with a [`Result`] whose error is logged. There are no others, so that
/// `?` in an `async` block needs no type.
#[diagnostic::on_unimplemented(
    message = "work for after the response can't end with `{Self}`",
    label = "neither `()` nor `waypost::Result<()>`",
    note = "end it with `;`, or with `Ok(())` where it uses `?`"
)]
pub trait Outcome {
    /// Logs the error, if it is one.
    fn report(self);
}

impl Outcome for () {
    fn report(self) {}
}

impl Outcome for Result<()> {
    fn report(self) {
        if let Err(error) = self {
            sys::log(&format!("after the response: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;

    #[test]
    fn all_of_it_runs_in_order_and_may_add_more() {
        let log = Rc::new(RefCell::new(Vec::new()));
        let note = |text: &'static str| {
            let log = Rc::clone(&log);
            async move { log.borrow_mut().push(text) }
        };
        let after = After::default();
        let (again, inner, outer) = (after.clone(), note("inner"), note("outer"));
        after.run(async move {
            again.run(inner);
            outer.await;
        });
        after.run(note("second"));
        after.run(async {
            Err(std::fmt::Error)?;
            Ok(())
        });
        block_on(Box::new(after).finish().unwrap());
        assert_eq!(*log.borrow(), ["inner", "outer", "second"]);
    }
}
