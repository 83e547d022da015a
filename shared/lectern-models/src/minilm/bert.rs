//! The forward pass: BERT's encoder (Devlin et al., arXiv:1810.04805) with mean pooling.
//!
//! A batch is ragged: the tokens of all its texts lie below each other in one matrix, so that the linear maps
//! see one large product and no padding is ever computed; only attention looks at one text at a time.

use half::slice::HalfFloatSliceExt;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Slice, linalg::general_mat_mul};

use super::{
    math,
    weights::{Layer, Linear, Norm, Weights},
};
use crate::vectors;

/// Encoder layers.
pub(super) const LAYERS: usize = 6;
/// Width of a token's vector, and of the embedding.
pub(super) const HIDDEN: usize = 384;
/// Width inside the feed-forward part.
pub(super) const INTERMEDIATE: usize = 1_536;
/// Width of one of the 12 attention heads.
pub(super) const HEAD_WIDTH: usize = 32;
/// Added to the variance in a normalisation.
const EPSILON: f32 = 1e-12;

/// Returns one vector of norm 1 per text of `batch`, or `None` for a text whose vector has no direction.
/// A text is its token ids with `[CLS]` and `[SEP]`: at least one, at most as many as there are positions.
pub(super) fn embed(weights: &Weights, batch: &[Vec<u32>]) -> Vec<Option<Vec<f32>>> {
    let mut hidden = embeddings(weights, batch);
    for layer in &weights.layers {
        let context = attention(layer, &hidden, batch);
        let mut attended = apply(&layer.attention_output, &context);
        add_and_norm(&mut attended, &layer.attention_output.bias, &hidden, &layer.attention_norm);
        let mut inner = apply(&layer.intermediate, &attended);
        for mut row in inner.rows_mut() {
            math::bias_and_gelu(contiguous(&mut row), &layer.intermediate.bias);
        }
        hidden = apply(&layer.output, &inner);
        add_and_norm(&mut hidden, &layer.output.bias, &attended, &layer.output_norm);
    }
    let rows = |(start, end)| hidden.slice_axis(Axis(0), Slice::from(start..end));
    texts(batch).map(|text| pool(&rows(text))).collect()
}

/// Returns first and one-past-last row of each text.
fn texts(batch: &[Vec<u32>]) -> impl Iterator<Item = (usize, usize)> {
    batch.iter().scan(0, |start, tokens| {
        let first = *start;
        *start += tokens.len();
        Some((first, *start))
    })
}

fn contiguous<'row>(row: &'row mut ndarray::ArrayViewMut1<'_, f32>) -> &'row mut [f32] {
    row.as_slice_mut().expect("rows of a matrix in standard layout are contiguous")
}

fn embeddings(weights: &Weights, batch: &[Vec<u32>]) -> Array2<f32> {
    let total = batch.iter().map(Vec::len).sum();
    let mut hidden = Array2::zeros((total, HIDDEN));
    let tokens = batch.iter().flat_map(|tokens| tokens.iter().enumerate());
    for (mut row, (position, token)) in hidden.rows_mut().into_iter().zip(tokens) {
        let row = contiguous(&mut row);
        let start = *token as usize * HIDDEN;
        let word = &weights.words[start..start + HIDDEN];
        word.convert_to_f32_slice(row);
        let place = weights.positions.row(position);
        vectors::add(row, place.to_slice().expect("the table is in standard layout"));
        let norm = &weights.embedding_norm;
        math::layer_norm(row, &norm.scale, &norm.shift, EPSILON);
    }
    hidden
}

/// Returns `input W`; the caller adds the bias together with its next step over the rows.
fn apply(linear: &Linear, input: &Array2<f32>) -> Array2<f32> {
    input.dot(&linear.matrix)
}

fn add_and_norm(output: &mut Array2<f32>, bias: &[f32], residual: &Array2<f32>, norm: &Norm) {
    for (mut row, residual) in output.rows_mut().into_iter().zip(residual.rows()) {
        let row = contiguous(&mut row);
        vectors::add(row, bias);
        vectors::add(row, residual.to_slice().expect("a residual is in standard layout"));
        math::layer_norm(row, &norm.scale, &norm.shift, EPSILON);
    }
}

/// Returns, for every token, what its heads gathered from the tokens of the same text.
fn attention(layer: &Layer, hidden: &Array2<f32>, batch: &[Vec<u32>]) -> Array2<f32> {
    let mut projected = apply(&layer.attention_input, hidden);
    for mut row in projected.rows_mut() {
        vectors::add(contiguous(&mut row), &layer.attention_input.bias);
    }
    let mut context = Array2::zeros((hidden.nrows(), HIDDEN));
    let longest = batch.iter().map(Vec::len).max().unwrap_or(0);
    let mut scratch = Array2::zeros((longest, longest));
    for (start, end) in texts(batch) {
        let text = Slice::from(start..end);
        let rows = projected.slice_axis(Axis(0), text);
        let mut gathered = context.slice_axis_mut(Axis(0), text);
        let mut score_rows = scratch.slice_axis_mut(Axis(0), Slice::from(..end - start));
        let mut scores = score_rows.slice_axis_mut(Axis(1), Slice::from(..end - start));
        for first in (0..HIDDEN).step_by(HEAD_WIDTH) {
            let head = |offset: usize| {
                let columns = Slice::from(offset + first..offset + first + HEAD_WIDTH);
                rows.slice_axis(Axis(1), columns)
            };
            let columns = Slice::from(first..first + HEAD_WIDTH);
            let into = gathered.slice_axis_mut(Axis(1), columns);
            gather([head(0), head(HIDDEN), head(2 * HIDDEN)], scores.view_mut(), into);
        }
    }
    context
}

/// Scaled dot-product attention of one head: `softmax(Q Kᵀ) V`. The scale is in the query's weights.
fn gather(
    [query, key, value]: [ArrayView2<'_, f32>; 3],
    mut scores: ArrayViewMut2<'_, f32>,
    mut gathered: ArrayViewMut2<'_, f32>,
) {
    general_mat_mul(1.0, &query, &key.t(), 0.0, &mut scores);
    for mut row in scores.rows_mut() {
        math::softmax(contiguous(&mut row));
    }
    general_mat_mul(1.0, &scores, &value, 0.0, &mut gathered);
}

fn pool(rows: &ArrayView2<'_, f32>) -> Option<Vec<f32>> {
    // The mean's divisor falls away in the normalisation.
    let mut sum = rows.sum_axis(Axis(0)).to_vec();
    vectors::normalise(&mut sum).then_some(sum)
}
