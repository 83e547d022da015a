//! How much the features of a window weigh.
//!
//! The weights were fitted by `train/fit.py` and are read from a file of a name and a number a line.

use std::sync::LazyLock;

use super::features::{Feature, Features};

const FILE: &str = include_str!("weights.txt");
/// The line of the file that holds what is added to every window.
const BIAS: &str = "Bias";

struct Weights {
    bias: f32,
    of: Vec<f32>,
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    let value = |name: &str| {
        let line = FILE.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
    };
    let of = Feature::ALL.iter().map(|feature| value(feature.name())).collect();
    Weights { bias: value(BIAS), of }
});

/// Returns how likely it is, 0 to 1, that a window with these features speaks to a machine.
pub(super) fn probability(features: Features) -> f32 {
    let weights = &*WEIGHTS;
    let sum: f32 = features.iter().map(|feature| weights.of[feature as usize]).sum();
    1.0 / (1.0 + (-(sum + weights.bias)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_a_feature() {
        for line in FILE.lines().filter(|line| !line.starts_with('#')) {
            let (name, number) = line.split_once(' ').unwrap_or_default();
            assert!(
                name == BIAS || Feature::ALL.iter().any(|feature| feature.name() == name),
                "{line}"
            );
            assert!(number.parse::<f32>().is_ok(), "{line}");
        }
    }

    #[test]
    fn nothing_is_not_hostile() {
        assert!(probability(Features::default()) < 0.1);
    }
}
