//! The same work on several things at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What `work` gives for each of `items`, in their order. At most `threads` at once, the first items first.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            done.push((index, work(item)));
        }
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads = 0..threads.min(items.len());
        let threads: Vec<_> = threads.map(|_| scope.spawn(some)).collect();
        let results = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("it does not panic"));
        results.collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn keeps_the_order() {
        let items: Vec<_> = (0..100).collect();
        for threads in [1, 2, 7, 200] {
            assert_eq!(each(&items, threads, |item| item * 2)[99], 198);
        }
        assert!(each(&[] as &[i32], 3, |item| *item).is_empty());
    }
}
