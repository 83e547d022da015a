//! The element-wise functions of the forward pass.
//!
//! Written with plain `*` and `+` and no calls, so that the compiler vectorises them for whatever the
//! target's baseline is; a `libm` call per element would cost as much as the matrix products.

use crate::vectors::{dot, sum};

/// Below this, `exp` is 0 in f32 within the accuracy kept here.
const EXP_FLOOR: f32 = -87.0;

/// Returns `e^x` for `x <= 0`, relative error below 2e-7.
///
/// Cody and Waite's reduction `x = n ln 2 + r` with Cephes' `expf` polynomial for `e^r`. `n` is rounded by
/// adding 1.5 * 2^23, because `round` is a function call on targets without SSE 4.1.
fn exp_of_non_positive(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < EXP_FLOOR { EXP_FLOOR } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = x - whole * LN_2_HIGH - whole * LN_2_LOW;
    let mut sum = 1.987_569_1e-4_f32;
    for coefficient in [1.398_199_9e-3_f32, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        sum = sum * rest + coefficient;
    }
    let fraction = sum * rest * rest + rest + 1.0;
    // The low bits of `shifted` hold `n`; moved into the exponent field they are 2^n.
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    fraction * power
}

/// Returns the error function, absolute error below 5e-7.
///
/// The rational approximation of degree 13 over 8 on [-4, 4] that Eigen and XLA use in f32.
fn erf(x: f32) -> f32 {
    const NUMERATOR: [f32; 6] = [
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const DENOMINATOR: [f32; 4] = [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2];
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut above = -2.726_142_3e-10_f32;
    for coefficient in NUMERATOR {
        above = above * square + coefficient;
    }
    let mut below = -1.456_607_2e-5_f32;
    for coefficient in DENOMINATOR {
        below = below * square + coefficient;
    }
    x * above / below
}

/// Applies GELU in its exact form, `x Φ(x)` (Hendrycks and Gimpel, arXiv:1606.08415), after adding `bias`.
pub(super) fn bias_and_gelu(row: &mut [f32], bias: &[f32]) {
    for (value, bias) in row.iter_mut().zip(bias) {
        let biased = *value + bias;
        *value = 0.5 * biased * (1.0 + erf(biased * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// Replaces a row of scores by their softmax.
pub(super) fn softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in row.iter_mut() {
        *value = exp_of_non_positive(*value - largest);
    }
    let scale = 1.0 / sum(row);
    for value in row {
        *value *= scale;
    }
}

/// Normalises `row` to mean 0 and variance 1, then scales and shifts it (Ba et al., arXiv:1607.06450).
pub(super) fn layer_norm(row: &mut [f32], scale: &[f32], shift: &[f32], epsilon: f32) {
    #[expect(clippy::cast_precision_loss, reason = "a row has 384 numbers")]
    let width = row.len() as f32;
    let mean = sum(row) / width;
    for value in row.iter_mut() {
        *value -= mean;
    }
    let variance = dot(row, row) / width;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    for ((value, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
        *value = *value * inverse * scale + shift;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_standard_library() {
        for step in 0..8_600_u16 {
            let x = -f32::from(step) / 100.0;
            let expected = f64::from(x).exp();
            let relative = (f64::from(exp_of_non_positive(x)) - expected).abs() / expected;
            assert!(relative < 2e-7, "exp({x}) is off by {relative}");
        }
        assert!(exp_of_non_positive(-1_000.0) < 2e-38);
    }

    #[test]
    fn erf_agrees_with_tables() {
        // Abramowitz and Stegun, table 7.1.
        for (x, expected) in [
            (0.0_f32, 0.0_f64),
            (0.1, 0.112_462_916),
            (0.5, 0.520_499_877),
            (1.0, 0.842_700_793),
            (1.5, 0.966_105_146),
            (2.0, 0.995_322_265),
            (3.0, 0.999_977_91),
        ] {
            assert!((f64::from(erf(x)) - expected).abs() < 5e-7, "erf({x}) = {}", erf(x));
            assert!((f64::from(erf(-x)) + expected).abs() < 5e-7);
        }
        assert!((erf(60.0) - 1.0).abs() < 5e-7);
    }

    #[test]
    fn softmax_sums_to_one_whatever_the_scores() {
        for mut row in [vec![0.0; 3], vec![900.0, -900.0, 0.0, 1.0], vec![-5.0; 17]] {
            softmax(&mut row);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!(row.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }

    #[test]
    fn layer_norm_centres_scales_and_shifts() {
        let mut row = vec![1.0, 2.0, 3.0, 4.0];
        layer_norm(&mut row, &[2.0; 4], &[10.0; 4], 0.0);
        let mean = row.iter().sum::<f32>() / 4.0;
        assert!((mean - 10.0).abs() < 1e-5);
        assert!((row[3] - (10.0 + 2.0 * 1.5 / 1.25_f32.sqrt())).abs() < 1e-5);
    }
}
