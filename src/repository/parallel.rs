//! Work on several items at a time.

use super::error::Result;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Transfers at a time.
pub(super) const TRANSFERS: usize = 4;

/// Does work on all items, so many at a time; the first error in their order counts.
pub(super) fn parallel<T: Sync, R: Send>(
    most: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if items.len() <= 1 || most <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, Result<R>)> = std::thread::scope(|scope| {
        let run = || {
            let mut mine = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(at) else { return mine };
                mine.push((at, work(item)));
            }
        };
        let threads: Vec<_> = (1..most.min(items.len())).map(|_| scope.spawn(run)).collect();
        let mut results = run();
        for thread in threads {
            results.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// How many threads have a core of their own.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
