//! How a dense vector stands in a line: base64 (RFC 4648, section 4) of its numbers as IEEE 754 binary32, little-endian.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(super) fn serialize<S: Serializer>(
    vector: &Option<Vec<f32>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match vector {
        None => serializer.serialize_none(),
        Some(vector) => serializer.serialize_str(&text(vector, f32::to_le_bytes)),
    }
}

/// Numbers as lines of any schema have them.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Written<T> {
    Base64(String),
    Numbers(Vec<T>),
}

impl<T> Written<T> {
    /// Returns the numbers.
    pub(super) fn read<E: Error>(self, number: impl Fn([u8; 4]) -> T) -> Result<Vec<T>, E> {
        let text = match self {
            Self::Numbers(numbers) => return Ok(numbers),
            Self::Base64(text) => text,
        };
        let bytes = BASE64_STANDARD.decode(text).map_err(E::custom)?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom("a number has four bytes"));
        }
        Ok(numbers.iter().copied().map(number).collect())
    }
}

/// Returns numbers as they are written.
pub(super) fn text<T: Copy>(numbers: &[T], bytes: impl Fn(T) -> [u8; 4]) -> String {
    let bytes: Vec<u8> = numbers.iter().copied().flat_map(bytes).collect();
    BASE64_STANDARD.encode(bytes)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<f32>>, D::Error> {
    let written = Option::<Written<f32>>::deserialize(deserializer)?;
    written.map(|written| written.read(f32::from_le_bytes)).transpose()
}
