//! Bounds recursion by the stack that it really uses, and gives deep recursion a large stack of its own.

use std::panic::resume_unwind;

/// What recursion may use of the caller's stack: threads of the standard library have 2 MiB.
const SMALL: usize = 256 << 10;

/// The stack of a thread made by [`grow`]. Pages that are never touched cost nothing.
const LARGE: usize = 512 << 20;

/// What [`grow`] leaves for functions that do not check.
const RESERVE: usize = 2 << 20;

/// How far down the stack recursion may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard {
    base: usize,
    room: usize,
}

impl Guard {
    /// Allows as much recursion from here as any thread has room for.
    pub(super) fn small() -> Self {
        Guard { base: here(), room: SMALL }
    }

    pub(super) fn has_room(&self) -> bool {
        self.base.abs_diff(here()) < self.room
    }

    /// Whether this is the guard of a large stack, which does not grow further.
    pub(super) fn is_large(&self) -> bool {
        self.room > SMALL
    }
}

#[inline(never)]
fn here() -> usize {
    let local = 0u8;
    std::hint::black_box(std::ptr::from_ref(&local)).addr()
}

/// Runs a function on a thread with a large stack and waits for it; `None` where the system gives no such thread.
pub(super) fn grow<R: Send>(run: impl FnOnce(Guard) -> R + Send) -> Option<R> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(LARGE);
        let thread = builder.spawn_scoped(scope, || run(Guard { base: here(), room: LARGE - RESERVE }));
        match thread.ok()?.join() {
            Ok(result) => Some(result),
            Err(panic) => resume_unwind(panic),
        }
    })
}
