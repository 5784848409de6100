//! Work that nobody waits for, on targets on which nothing runs after the response of itself: it runs behind the
//! [`After`](crate::After) work.

use std::cell::RefCell;

use crate::run::after::Work;

thread_local! {
    static WORK: RefCell<Vec<Work>> = const { RefCell::new(Vec::new()) };
}

/// Adds work.
pub(crate) fn spawn(work: Work) {
    // Work that is left at the end of a thread may add more.
    let _ = WORK.try_with(|all| all.borrow_mut().push(work));
}

/// Runs all work, including work that is added meanwhile.
pub(crate) async fn finish() {
    while let Some(work) = WORK.with_borrow_mut(Vec::pop) {
        work.await;
    }
}
