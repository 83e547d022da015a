//! What one document may cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bounds of one parse. Everything a document can blow up is listed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseLimits {
    /// Largest input in bytes; default 50 MB. Beyond: `too_large`.
    pub max_bytes: u64,
    /// Most pages, slides or sheets; default 5,000. Beyond: `too_many_pages`.
    pub max_pages: u32,
    /// Most bytes the entries of a container may expand to together; default 200 MB. Beyond:
    /// `expansion`. PDF streams are expanded inside the library and bounded by `memory_bytes`.
    pub max_expanded_bytes: u64,
    /// Most blocks; default 500,000. Beyond: `too_large`.
    pub max_blocks: u32,
    /// Most bytes of extracted text; default 50 MB. Beyond: `too_large`.
    pub max_text_bytes: u64,
    /// Wall clock from request to answer, kept by the parent; default 60 s. Beyond: `timeout`.
    pub wall_time: Duration,
    /// Processor time, kept by the kernel, rounded up to seconds; default 50 s. Beyond: `timeout`.
    pub cpu_time: Duration,
    /// Address space of the child; default 1 GiB, at most [`ParseLimits::MEMORY_CEILING`].
    /// Beyond: `memory`.
    pub memory_bytes: u64,
}

impl ParseLimits {
    /// Address space a child allows itself before it has read what the request asks for.
    pub const MEMORY_CEILING: u64 = 4 << 30;
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self {
            max_bytes: 50_000_000,
            max_pages: 5_000,
            max_expanded_bytes: 200_000_000,
            max_blocks: 500_000,
            max_text_bytes: 50_000_000,
            wall_time: Duration::from_secs(60),
            cpu_time: Duration::from_secs(50),
            memory_bytes: 1 << 30,
        }
    }
}
