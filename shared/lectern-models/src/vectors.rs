//! Arithmetic on rows of numbers.

/// Independent partial sums, so that additions need not wait for each other.
const LANES: usize = 8;

/// Adds `other` to `row`.
pub(crate) fn add(row: &mut [f32], other: &[f32]) {
    for (value, other) in row.iter_mut().zip(other) {
        *value += other;
    }
}

/// Returns the sum of `row`.
#[cfg(feature = "minilm")]
pub(crate) fn sum(row: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (pieces, rest) = row.as_chunks::<LANES>();
    for piece in pieces {
        add(&mut lanes, piece);
    }
    lanes.iter().chain(rest).sum()
}

/// Returns the scalar product of two rows of the same length.
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (left_pieces, left_rest) = left.as_chunks::<LANES>();
    let (right_pieces, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left_pieces.iter().zip(right_pieces) {
        let mut products = *left;
        products.iter_mut().zip(right).for_each(|(product, right)| *product *= right);
        add(&mut lanes, &products);
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Scales `vector` to Euclidean length 1. Returns whether that was possible: a zero vector has no direction.
#[must_use]
pub(crate) fn normalise(vector: &mut [f32]) -> bool {
    let length = dot(vector, vector).sqrt();
    if !length.is_finite() || length <= f32::EPSILON {
        return false;
    }
    for value in vector {
        *value /= length;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_without_direction_is_refused() {
        assert!(!normalise(&mut [0.0; 9]));
        assert!(!normalise(&mut [f32::NAN, 1.0]));
        assert!(!normalise(&mut [f32::MAX; 3]));
        let mut vector = vec![3.0, 4.0];
        assert!(normalise(&mut vector));
        assert_eq!(vector, [0.6, 0.8]);
    }

    #[test]
    fn the_rest_beyond_the_lanes_counts() {
        let row: Vec<f32> = (1..=11_u8).map(f32::from).collect();
        assert!((dot(&row, &row) - 506.0).abs() < f32::EPSILON);
        #[cfg(feature = "minilm")]
        assert!((sum(&row) - 66.0).abs() < f32::EPSILON);
    }
}
