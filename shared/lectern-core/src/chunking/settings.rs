//! How large chunks are.

use serde::{Deserialize, Serialize};

/// The most tokens a chunk and its headings may be set to: the 256 of all-MiniLM-L6-v2's window less
/// `[CLS]` and `[SEP]`.
pub const MAX_CHUNK_TOKENS: u32 = 254;
/// The smallest target; below it headings would leave no room for text.
pub const MIN_TARGET_TOKENS: u32 = 32;

const DEFAULT_TARGET_TOKENS: u32 = 192;
const DEFAULT_OVERLAP_TOKENS: u32 = 24;

/// Sizes of chunks in tokens by [`super::estimate_tokens`]. A value that exists is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct ChunkSettings {
    target_tokens: u32,
    overlap_tokens: u32,
    max_tokens: u32,
}

/// Why settings were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkSettingsError {
    /// Out of range.
    #[error("`target_tokens` must be from {MIN_TARGET_TOKENS} to `max_tokens`")]
    Target,
    /// Out of range.
    #[error("`overlap_tokens` must be at most a quarter of `target_tokens`")]
    Overlap,
    /// Out of range.
    #[error("`max_tokens` must be from {MIN_TARGET_TOKENS} to {MAX_CHUNK_TOKENS}")]
    Max,
}

impl ChunkSettings {
    /// Returns settings by which chunks grow to `target_tokens`, repeat up to `overlap_tokens` where a paragraph
    /// is cut, and never exceed `max_tokens`, headings included.
    pub fn parse(
        target_tokens: u32,
        overlap_tokens: u32,
        max_tokens: u32,
    ) -> Result<Self, ChunkSettingsError> {
        if !(MIN_TARGET_TOKENS..=MAX_CHUNK_TOKENS).contains(&max_tokens) {
            Err(ChunkSettingsError::Max)
        } else if !(MIN_TARGET_TOKENS..=max_tokens).contains(&target_tokens) {
            Err(ChunkSettingsError::Target)
        } else if overlap_tokens > target_tokens / 4 {
            Err(ChunkSettingsError::Overlap)
        } else {
            Ok(Self { target_tokens, overlap_tokens, max_tokens })
        }
    }

    /// Returns how long a chunk should become.
    #[must_use]
    pub fn target_tokens(self) -> u32 {
        self.target_tokens
    }

    /// Returns how much a chunk repeats of the one before it in the same cut paragraph.
    #[must_use]
    pub fn overlap_tokens(self) -> u32 {
        self.overlap_tokens
    }

    /// Returns how long a chunk and its headings may be at most.
    #[must_use]
    pub fn max_tokens(self) -> u32 {
        self.max_tokens
    }
}

impl Default for ChunkSettings {
    fn default() -> Self {
        Self {
            target_tokens: DEFAULT_TARGET_TOKENS,
            overlap_tokens: DEFAULT_OVERLAP_TOKENS,
            max_tokens: MAX_CHUNK_TOKENS,
        }
    }
}

/// Settings as written, each field optional.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Unchecked {
    target_tokens: u32,
    overlap_tokens: u32,
    max_tokens: u32,
}

impl Default for Unchecked {
    fn default() -> Self {
        let ChunkSettings { target_tokens, overlap_tokens, max_tokens } = ChunkSettings::default();
        Self { target_tokens, overlap_tokens, max_tokens }
    }
}

impl TryFrom<Unchecked> for ChunkSettings {
    type Error = ChunkSettingsError;

    fn try_from(unchecked: Unchecked) -> Result<Self, Self::Error> {
        Self::parse(unchecked.target_tokens, unchecked.overlap_tokens, unchecked.max_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_out_of_range() {
        assert_eq!(ChunkSettings::parse(192, 24, 255), Err(ChunkSettingsError::Max));
        assert_eq!(ChunkSettings::parse(255, 24, 254), Err(ChunkSettingsError::Target));
        assert_eq!(ChunkSettings::parse(31, 0, 254), Err(ChunkSettingsError::Target));
        assert_eq!(ChunkSettings::parse(64, 17, 254), Err(ChunkSettingsError::Overlap));
    }

    #[test]
    fn is_validated_when_read() {
        let read = serde_json::from_str::<ChunkSettings>;
        assert_eq!(read("{}").unwrap(), ChunkSettings::default());
        assert_eq!(read(r#"{"target_tokens":100}"#).unwrap().target_tokens(), 100);
        assert!(read(r#"{"target_tokens":1000}"#).is_err());
        assert!(read(r#"{"size":10}"#).is_err());
    }
}
