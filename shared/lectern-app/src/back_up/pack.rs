//! Lines become compressed parts, and lines again.

use std::io::Read as _;

use bytes::Bytes;
use lectern_core::errors::{ErrorKind, PortError};
use sha2::{Digest as _, Sha256};
use zstd::{bulk::Compressor, stream::read::Decoder, zstd_safe::CParameter};

/// Most bytes of a part's lines. Larger ones are never written: a part holds [`super::PartLimits::max_bytes`] and one line.
pub(super) const MAX_PART_BYTES: u64 = 64 << 20;

/// Compresses text and returns the SHA-256 of the result with it.
pub(super) async fn packed(text: String, level: i32) -> Result<(String, Bytes), PortError> {
    let packed = tokio::task::spawn_blocking(move || pack(text.as_bytes(), level)).await;
    let packed = packed.map_err(|panic| PortError::new(ErrorKind::Internal, "pack part", panic))?;
    packed.map_err(|error| PortError::new(ErrorKind::Internal, "pack part", error))
}

/// Compresses lines with the format's own checksum, so that `zstd --test` finds damage too; returns the SHA-256 of the
/// result with it.
fn pack(lines: &[u8], level: i32) -> std::io::Result<(String, Bytes)> {
    let mut compressor = Compressor::new(level)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    let packed = compressor.compress(lines)?;
    Ok((hex::encode(Sha256::digest(&packed)), packed.into()))
}

/// Returns the text that was packed, if these are the bytes of that hash.
pub(super) fn unpacked(bytes: &[u8], sha256: &str) -> std::io::Result<String> {
    if hex::encode(Sha256::digest(bytes)) != sha256 {
        return Err(std::io::Error::other(format!("part {sha256} has other bytes")));
    }
    let mut text = String::new();
    let read = Decoder::new(bytes)?.take(MAX_PART_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_PART_BYTES {
        return Err(std::io::Error::other(format!("part {sha256} unpacks to too much")));
    }
    Ok(text)
}
