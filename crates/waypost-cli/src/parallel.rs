//! Runs the same work on many items on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` for each item, and returns the results in the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        // Threads take one item at a time, because some take far longer than others.
        while let Some((index, item)) = at(items, next.fetch_add(1, Ordering::Relaxed)) {
            done.push((index, work(item)));
        }
        done
    };
    let mut results = thread::scope(|scope| {
        let threads: Vec<_> = (1..cores.min(items.len()))
            .map(|_| scope.spawn(take))
            .collect();
        let mut results = take();
        for thread in threads {
            let theirs = thread.join();
            results.extend(theirs.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn at<T>(items: &[T], index: usize) -> Option<(usize, &T)> {
    Some((index, items.get(index)?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_order() {
        let items: Vec<u64> = (0..1_000).collect();
        let doubled = super::map(&items, |item| {
            if item % 97 == 0 {
                std::thread::yield_now();
            }
            item * 2
        });
        assert_eq!(
            doubled,
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        assert_eq!(super::map(&[] as &[u8], |_| ()), []);
    }
}
