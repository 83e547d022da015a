//! Which fusions are asked for.

use std::str::FromStr;

use lectern_core::fusion::Fusion;

/// A fusion as it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AskedFusion {
    /// What the report calls it.
    pub(super) label: String,
    /// What it is.
    pub(super) fusion: Fusion,
}

impl FromStr for AskedFusion {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let fusion = match raw {
            "default" => Fusion::default(),
            "bm25" => Fusion::SparseOnly,
            "dense" => Fusion::DenseOnly,
            json => serde_json::from_str(json).map_err(|error| {
                format!(
                    "must be default, bm25, dense, or JSON such as {{\"method\":\"rrf\"}}: {error}"
                )
            })?,
        };
        // One way to write each, so that reports of the same fusion are compared.
        let label = match raw {
            "default" | "bm25" | "dense" => raw.to_owned(),
            _ => serde_json::to_string(&fusion).map_err(|error| error.to_string())?,
        };
        Ok(Self { label, fusion })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_json_are_fusions() {
        let asked = |raw: &str| raw.parse::<AskedFusion>().unwrap();
        assert_eq!(asked("default").fusion, Fusion::default());
        assert_eq!(
            (asked("bm25").fusion, asked("dense").fusion),
            (Fusion::SparseOnly, Fusion::DenseOnly)
        );
        let json = asked(r#"{ "dense_weight": 0.3, "method": "min_max" }"#);
        assert_eq!(json.label, r#"{"method":"min_max","dense_weight":0.3}"#);
        for wrong in ["", "best", r#"{"method":"min_max","dense_weight":7}"#] {
            assert!(wrong.parse::<AskedFusion>().unwrap_err().starts_with("must be default"));
        }
    }
}
