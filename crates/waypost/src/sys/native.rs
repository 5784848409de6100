//! Any target that is no WASI: tests.

use std::time::Duration;

use futures::channel::oneshot;

/// Waits on a thread of its own: handlers under test need no runtime.
pub(crate) async fn sleep(duration: Duration) {
    let (done, waiting) = oneshot::channel();
    std::thread::spawn(move || {
        std::thread::sleep(duration);
        // The handler may be gone by now.
        let _ = done.send(());
    });
    // The thread always sends.
    let _ = waiting.await;
}
