//! Work that runs after the response was sent.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::extract::{Exchange, FromRequest};
use crate::run::origin::{Origin, log_error};
use crate::{Error, Result};

pub(crate) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Work that runs after the response was sent, like Next's
/// [`after`](https://nextjs.org/docs/app/api-reference/functions/after): logging, metrics, cleaning up.
///
/// It starts when the last byte of the response was sent or the client disconnected, also after a redirect or an
/// error. All futures start at once, in the order in which they were added. It is too late to set a cookie then.
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
    /// The request, for the log. `None` in tests.
    origin: Option<Origin>,
    /// Whether the response was sent.
    started: bool,
}

impl After {
    /// Creates an empty list of work that follows this request.
    pub(crate) fn new(origin: Origin) -> Self {
        Self(Rc::new(RefCell::new(Todo {
            origin: Some(origin),
            ..Todo::default()
        })))
    }

    /// Adds a future. If it returns an error, the error is logged. It may add more work, which starts at once.
    pub fn run<W>(&self, work: W)
    where
        W: Future<Output: Outcome> + 'static,
    {
        let origin = self.0.borrow().origin.clone();
        let mut work: Work = Box::pin(async move {
            if let Some(error) = work.await.into_error() {
                let error = format_args!("after the response: {error}");
                log_error(error, origin.as_ref());
            }
        });
        let started = self.0.borrow().started;
        let done = started
            && work
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready();
        if !done {
            // `all` polls it again, with a real waker.
            self.0.borrow_mut().work.push(work);
        }
    }

    /// Returns a future that runs all work, or `None` if there is none.
    pub(crate) fn into_work(self) -> Option<Work> {
        let is_empty = self.0.borrow().work.is_empty();
        (!is_empty).then(|| Box::pin(self.all()) as Work)
    }

    /// Returns a future that runs all work after `sending`, which may add work.
    #[cfg(all(target_arch = "wasm32", target_env = "p2"))]
    pub(crate) fn after(self, sending: Work) -> Work {
        Box::pin(async move {
            sending.await;
            if let Some(work) = self.into_work() {
                work.await;
            }
        })
    }

    /// Runs all work, including work that is added meanwhile.
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

/// The output of work: `()`, or a [`Result`] whose error is logged. Only these two types implement it, so that `?` in
/// an `async` block needs no type annotation.
#[diagnostic::on_unimplemented(
    message = "work after the response can't return `{Self}`",
    label = "neither `()` nor `waypost::Result<()>`",
    note = "end it with `;`, or with `Ok(())` if it uses `?`"
)]
pub trait Outcome {
    /// Returns the error, if there is one.
    fn into_error(self) -> Option<Error>;
}

impl Outcome for () {
    fn into_error(self) -> Option<Error> {
        None
    }
}

impl Outcome for Result<()> {
    fn into_error(self) -> Option<Error> {
        self.err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::block_on;

    #[test]
    fn all_work_runs_in_order_and_may_add_more() {
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
        block_on(after.into_work().unwrap());
        assert_eq!(*log.borrow(), ["inner", "outer", "second"]);
    }
}
