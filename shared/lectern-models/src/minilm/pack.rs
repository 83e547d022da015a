//! The weights at half their size, for a function's package: IEEE 754 binary16 in place of binary32.
//!
//! The forward pass computes in f32 either way. What is lost is below what the word table, kept in f16 in any case, loses
//! already; a test compares the vectors.

use std::{collections::BTreeMap, path::Path};

use half::{f16, slice::HalfFloatSliceExt};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::files::{ModelError, PinnedFile, VOCABULARY, WEIGHTS};

/// The packed weights: what [`pack`] makes of [`WEIGHTS`], to the bit.
pub const PACKED_WEIGHTS: PinnedFile = PinnedFile {
    name: "model-f16.safetensors",
    size_bytes: 45_437_728,
    sha256: "5a08b8a3f227680d97eef6c05e555be462da4c595e4bb3b834a928540b73a548",
};

/// Writes the model installed in `installed` into `target`, packed. Blocks the thread.
///
/// # Errors
/// When it is not installed, or `target` cannot be written.
pub fn pack(installed: &Path, target: &Path) -> Result<(), ModelError> {
    std::fs::create_dir_all(target).map_err(|error| ModelError::io("create", target, error))?;
    let packed = halved(&WEIGHTS.read_from(installed)?)?;
    PACKED_WEIGHTS.place(packed.as_slice(), target, &|_| {})?;
    VOCABULARY.place(VOCABULARY.read_from(installed)?.as_slice(), target, &|_| {})?;
    Ok(())
}

/// Returns a safetensors file with every f32 tensor of `bytes` in f16; others are left out, the forward pass reads none.
fn halved(bytes: &[u8]) -> Result<Vec<u8>, ModelError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(ModelError::Weights)?;
    let mut numbers = BTreeMap::new();
    for (name, tensor) in tensors.iter().filter(|(_, tensor)| tensor.dtype() == Dtype::F32) {
        let (stored, _) = tensor.data().as_chunks::<4>();
        let wide: Vec<f32> = stored.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let mut half = vec![f16::ZERO; wide.len()];
        half.convert_from_f32_slice(&wide);
        let bytes: Vec<u8> = half.iter().flat_map(|number| number.to_le_bytes()).collect();
        numbers.insert(name.to_owned(), (tensor.shape().to_vec(), bytes));
    }
    let views: Result<Vec<_>, _> = numbers
        .iter()
        .map(|(name, (shape, bytes))| {
            Ok((name, TensorView::new(Dtype::F16, shape.clone(), bytes)?))
        })
        .collect();
    let views = views.map_err(ModelError::Weights)?;
    safetensors::serialize(views, None).map_err(ModelError::Weights)
}
