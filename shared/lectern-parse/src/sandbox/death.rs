//! From a child's exit status to what its document's writer is told.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use crate::{ParseError, ParseLimits, sandbox::worker::panicked};

/// Numbers of signals, the same on Linux and macOS.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
/// What the standard library writes before it aborts.
const ALLOCATION_FAILED: &[u8] = b"memory allocation of";
const STACK_OVERFLOWED: &[u8] = b"overflowed its stack";

/// Returns why the child ended. Its standard error is only searched, never passed on.
pub(super) fn cause_of_death(
    status: ExitStatus,
    stderr: &[u8],
    bytes: &[u8],
    name: &str,
    limits: &ParseLimits,
) -> ParseError {
    let says = |wanted: &[u8]| stderr.windows(wanted.len()).any(|window| window == wanted);
    match status.signal() {
        Some(SIGXCPU) => {
            let allowed_ms = limits.cpu_time.as_millis().try_into().unwrap_or(u64::MAX);
            ParseError::Timeout { allowed_ms }
        }
        // The kernel's out-of-memory killer; the parent itself kills only what it no longer asks.
        Some(SIGKILL) => ParseError::Memory { allowed: limits.memory_bytes },
        Some(SIGABRT) if says(ALLOCATION_FAILED) => {
            ParseError::Memory { allowed: limits.memory_bytes }
        }
        Some(SIGABRT) if says(STACK_OVERFLOWED) => panicked(bytes, name),
        Some(signal) => ParseError::Crashed { how: format!("signal {signal}") },
        None => ParseError::Crashed {
            how: format!("exit status {}", status.code().unwrap_or_default()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_a_code() {
        let limits = ParseLimits::default();
        let code = |raw: i32, stderr: &[u8]| {
            cause_of_death(ExitStatus::from_raw(raw), stderr, b"x", "x.txt", &limits).code()
        };
        assert_eq!(code(SIGXCPU, b""), "timeout");
        assert_eq!(code(SIGKILL, b""), "memory");
        assert_eq!(code(SIGABRT, b"memory allocation of 5 bytes failed"), "memory");
        assert_eq!(code(SIGABRT, b"thread 'x' has overflowed its stack"), "malformed");
        assert_eq!(code(SIGABRT, b""), "crashed");
        assert_eq!(code(11, b""), "crashed");
        assert_eq!(code(2 << 8, b""), "crashed");
    }
}
