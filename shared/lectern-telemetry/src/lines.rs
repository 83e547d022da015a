//! Where what is measured is written as lines of a log and not kept: on Lambda, whose processes are stopped and started.
//!
//! A line has room for so many values, its dimensions are paid for one by one, and it says what was seen since the one before.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

struct Lines {
    /// Most values that may wait.
    most: usize,
    waiting: AtomicUsize,
    write: fn(),
}

static LINES: OnceLock<Lines> = OnceLock::new();

/// Says that lines are written: labels that are no dimensions are left out from now on, a gauge is a sample, and `write` is
/// called when `most` samples wait. Call it once, before anything is measured.
pub fn begin(most: usize, write: fn()) {
    let _ = LINES.set(Lines { most, waiting: AtomicUsize::new(0), write });
}

/// Whether lines are written.
pub(crate) fn are_written() -> bool {
    LINES.get().is_some()
}

/// Counts a sample.
pub(crate) fn sampled() {
    let Some(lines) = LINES.get() else { return };
    if lines.waiting.fetch_add(1, Ordering::Relaxed) + 1 >= lines.most {
        write();
    }
}

/// Writes what waits, where lines are written.
pub fn write() {
    if let Some(lines) = LINES.get() {
        lines.waiting.store(0, Ordering::Relaxed);
        (lines.write)();
    }
}
