//! The tensors of the model in the layout the forward pass reads.

use half::{f16, slice::HalfFloatSliceExt};
use ndarray::{Array2, Axis, concatenate};
use safetensors::{Dtype, SafeTensors};

use super::{
    bert::{HEAD_WIDTH, HIDDEN, INTERMEDIATE, LAYERS},
    files::ModelError,
};

/// Entries of the vocabulary.
pub(super) const VOCABULARY_SIZE: usize = 30_522;
/// Rows of the position table; the published window of 256 tokens uses the first half.
const POSITIONS: usize = 512;

/// A linear map: `x W + b`, with `W` of shape (inputs, outputs) in row-major order.
#[derive(Debug)]
pub(super) struct Linear {
    pub(super) matrix: Array2<f32>,
    pub(super) bias: Vec<f32>,
}

/// Scale and shift of a layer normalisation.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
}

/// One encoder layer.
#[derive(Debug)]
pub(super) struct Layer {
    /// Query, key and value side by side: one product instead of three. The query's part carries the factor
    /// `1/sqrt(HEAD_WIDTH)` of scaled dot-product attention.
    pub(super) attention_input: Linear,
    pub(super) attention_output: Linear,
    pub(super) attention_norm: Norm,
    pub(super) intermediate: Linear,
    pub(super) output: Linear,
    pub(super) output_norm: Norm,
}

/// Everything the forward pass reads.
#[derive(Debug)]
pub(super) struct Weights {
    /// One row per vocabulary entry. Kept in f16: half of the model's memory is this table, and a row is only
    /// added to others before a normalisation.
    pub(super) words: Vec<f16>,
    /// Position plus token type 0, one row per position.
    pub(super) positions: Array2<f32>,
    pub(super) embedding_norm: Norm,
    pub(super) layers: Vec<Layer>,
}

impl Weights {
    /// Returns the weights in the bytes of a safetensors file.
    ///
    /// # Errors
    /// When the bytes are no such file, or a tensor is absent or of another shape or type.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        let tensors = Tensors(SafeTensors::deserialize(bytes).map_err(ModelError::Weights)?);
        let word_rows =
            tensors.floats("embeddings.word_embeddings.weight", &[VOCABULARY_SIZE, HIDDEN])?;
        let mut words = vec![f16::ZERO; word_rows.len()];
        words.convert_from_f32_slice(&word_rows);
        let types = tensors.floats("embeddings.token_type_embeddings.weight", &[2, HIDDEN])?;
        let mut positions =
            tensors.matrix("embeddings.position_embeddings.weight", POSITIONS, HIDDEN)?;
        for mut row in positions.rows_mut() {
            row.iter_mut().zip(&types[..HIDDEN]).for_each(|(value, kind)| *value += kind);
        }
        let layers = (0..LAYERS).map(|index| tensors.layer(index)).collect::<Result<_, _>>()?;
        Ok(Self { words, positions, embedding_norm: tensors.norm("embeddings.LayerNorm")?, layers })
    }
}

struct Tensors<'bytes>(SafeTensors<'bytes>);

impl Tensors<'_> {
    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let tensor = self.0.tensor(name).map_err(ModelError::Weights)?;
        if tensor.shape() != shape {
            return Err(ModelError::Tensor(name.to_owned()));
        }
        match tensor.dtype() {
            Dtype::F32 => {
                let (numbers, _) = tensor.data().as_chunks::<4>();
                Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
            }
            Dtype::F16 => {
                let (numbers, _) = tensor.data().as_chunks::<2>();
                let half: Vec<f16> =
                    numbers.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect();
                let mut wide = vec![0.0; half.len()];
                half.convert_to_f32_slice(&mut wide);
                Ok(wide)
            }
            _ => Err(ModelError::Tensor(name.to_owned())),
        }
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Array2<f32>, ModelError> {
        let numbers = self.floats(name, &[rows, columns])?;
        Array2::from_shape_vec((rows, columns), numbers)
            .map_err(|_| ModelError::Tensor(name.to_owned()))
    }

    /// Files hold (outputs, inputs); the product is fastest on (inputs, outputs), so it is transposed once.
    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        let stored = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
        let mut matrix = Array2::zeros((inputs, outputs));
        matrix.assign(&stored.t());
        Ok(Linear { matrix, bias: self.floats(&format!("{name}.bias"), &[outputs])? })
    }

    fn norm(&self, name: &str) -> Result<Norm, ModelError> {
        let scale = self.floats(&format!("{name}.weight"), &[HIDDEN])?;
        let shift = self.floats(&format!("{name}.bias"), &[HIDDEN])?;
        Ok(Norm { scale, shift })
    }

    fn layer(&self, index: usize) -> Result<Layer, ModelError> {
        let at = |part: &str| format!("encoder.layer.{index}.{part}");
        Ok(Layer {
            attention_input: self.attention_input(&at("attention.self"))?,
            attention_output: self.linear(&at("attention.output.dense"), HIDDEN, HIDDEN)?,
            attention_norm: self.norm(&at("attention.output.LayerNorm"))?,
            intermediate: self.linear(&at("intermediate.dense"), HIDDEN, INTERMEDIATE)?,
            output: self.linear(&at("output.dense"), INTERMEDIATE, HIDDEN)?,
            output_norm: self.norm(&at("output.LayerNorm"))?,
        })
    }

    fn attention_input(&self, name: &str) -> Result<Linear, ModelError> {
        let [mut query, key, value] = [
            self.linear(&format!("{name}.query"), HIDDEN, HIDDEN)?,
            self.linear(&format!("{name}.key"), HIDDEN, HIDDEN)?,
            self.linear(&format!("{name}.value"), HIDDEN, HIDDEN)?,
        ];
        #[expect(clippy::cast_precision_loss, reason = "a head is 32 wide")]
        let scale = 1.0 / (HEAD_WIDTH as f32).sqrt();
        query.matrix *= scale;
        query.bias.iter_mut().for_each(|bias| *bias *= scale);
        let views = [query.matrix.view(), key.matrix.view(), value.matrix.view()];
        let matrix =
            concatenate(Axis(1), &views).map_err(|_| ModelError::Tensor(name.to_owned()))?;
        let matrix = matrix.as_standard_layout().into_owned();
        Ok(Linear { matrix, bias: [query.bias, key.bias, value.bias].concat() })
    }
}
