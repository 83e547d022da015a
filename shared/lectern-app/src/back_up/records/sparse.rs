//! How a sparse vector stands in a line: as its terms and their weights, each as a dense one does. In decimals both take twice the
//! bytes, and a good part of the time of a backup.

use lectern_core::analysis::SparseVector;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::vector::{Written, text};

#[derive(Serialize)]
struct Line {
    indices: String,
    values: String,
}

#[derive(Deserialize)]
struct AnyLine {
    indices: Written<u32>,
    values: Written<f32>,
}

pub(super) fn serialize<S: Serializer>(
    vector: &SparseVector,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let indices = text(&vector.indices, u32::to_le_bytes);
    let values = text(&vector.values, f32::to_le_bytes);
    Line { indices, values }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SparseVector, D::Error> {
    let line = AnyLine::deserialize(deserializer)?;
    let indices = line.indices.read(u32::from_le_bytes)?;
    let values = line.values.read(f32::from_le_bytes)?;
    if indices.len() == values.len() {
        Ok(SparseVector { indices, values })
    } else {
        Err(D::Error::custom("a term has no weight, or a weight no term"))
    }
}
