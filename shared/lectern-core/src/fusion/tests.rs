//! What holds for every fusion, and the arithmetic of each.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::{document::Metadata, ids::DocumentId, passage::Span, time::Timestamp};

fn passage(ordinal: u32) -> Passage {
    Passage {
        tenant: "acme".parse().unwrap(),
        collection: "handbook".parse().unwrap(),
        document_id: DocumentId::new(Timestamp::from_millis(1), 1),
        version: 1,
        ordinal,
        document_name: String::new(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 0, end: 0 },
        text: String::new(),
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: "eng".into(),
        acl: Vec::new(),
        metadata: Metadata::new(),
    }
}

fn ranking(scores: &[(u32, f32)]) -> Vec<ScoredPassage> {
    scores
        .iter()
        .map(|(ordinal, score)| ScoredPassage { passage: passage(*ordinal), score: *score })
        .collect()
}

fn fused(dense: &[(u32, f32)], sparse: &[(u32, f32)], fusion: Fusion) -> Vec<(u32, f32)> {
    let candidates = Candidates { dense: ranking(dense), sparse: ranking(sparse) };
    let result = fuse(candidates, &fusion, 100);
    result.into_iter().map(|scored| (scored.passage.ordinal, scored.score)).collect()
}

const DENSE: [(u32, f32); 3] = [(1, 0.9), (2, 0.7), (3, 0.5)];
const SPARSE: [(u32, f32); 3] = [(2, 12.0), (4, 8.0), (1, 4.0)];

#[test]
fn min_max_adds_stretched_scores() {
    let result: HashMap<u32, f32> =
        fused(&DENSE, &SPARSE, Fusion::MinMax { dense_weight: 0.25 }).into_iter().collect();
    for (ordinal, expected) in [(1, 0.25), (2, 0.125 + 0.75), (3, 0.0), (4, 0.375)] {
        assert!((result[&ordinal] - expected).abs() < 1e-6, "{ordinal}: {result:?}");
    }
}

#[test]
fn rank_fusion_adds_reciprocal_ranks() {
    let result = fused(&DENSE, &SPARSE, Fusion::Rrf { k: 10.0 });
    assert_eq!(result.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>(), [2, 1, 4, 3]);
    assert!((result[0].1 - (1.0 / 12.0 + 1.0 / 11.0)).abs() < 1e-6);
    let sparse_only = fused(&DENSE, &SPARSE, Fusion::WeightedRrf { k: 10.0, dense_weight: 0.0 });
    assert_eq!(sparse_only[0].0, 2);
    assert!((sparse_only[0].1 - 1.0 / 11.0).abs() < 1e-6);
}

#[test]
fn distribution_based_puts_the_mean_in_the_middle() {
    let result = fused(&DENSE, &[], Fusion::DistributionBased);
    assert!((result[1].1 - 0.5).abs() < 1e-5, "{result:?}");
}

#[test]
fn a_single_ranking_keeps_its_scores() {
    assert_eq!(fused(&DENSE, &SPARSE, Fusion::DenseOnly), DENSE);
    assert_eq!(fused(&DENSE, &SPARSE, Fusion::SparseOnly), SPARSE);
}

#[test]
fn ties_are_broken_by_point_id_and_bad_scores_rank_last() {
    let result = fused(&[(5, 0.5), (6, 0.5), (7, f32::NAN)], &[], Fusion::default());
    let mut tied = [5, 6];
    tied.sort_by_key(|ordinal| passage(*ordinal).point_id());
    assert_eq!(
        result.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>(),
        [tied[0], tied[1], 7]
    );
}

#[test]
fn is_validated_when_read() {
    let read = serde_json::from_str::<Fusion>;
    assert_eq!(read(r#"{"method":"by_language"}"#).unwrap(), Fusion::default());
    let min_max = Fusion::MinMax { dense_weight: 0.5 };
    assert_eq!(read(r#"{"method":"min_max"}"#).unwrap(), min_max);
    assert!(read(r#"{"method":"by_language","foreign_dense_weight":-1}"#).is_err());
    assert_eq!(read(r#"{"method":"rrf","k":60}"#).unwrap(), Fusion::Rrf { k: 60.0 });
    assert!(read(r#"{"method":"min_max","dense_weight":1.5}"#).is_err());
    assert!(read(r#"{"method":"rrf","k":0}"#).is_err());
    assert!(read(r#"{"method":"magic"}"#).is_err());
    let written =
        serde_json::to_string(&Fusion::WeightedRrf { k: 2.0, dense_weight: 0.5 }).unwrap();
    assert_eq!(read(&written).unwrap(), Fusion::WeightedRrf { k: 2.0, dense_weight: 0.5 });
}

fn any_fusion() -> impl Strategy<Value = Fusion> {
    prop_oneof![
        (0.0_f32..=1.0).prop_map(|dense_weight| Fusion::MinMax { dense_weight }),
        (0.0_f32..=1.0, 0.0_f32..=1.0).prop_map(|(dense_weight, foreign_dense_weight)| {
            Fusion::ByLanguage { dense_weight, foreign_dense_weight }
        }),
        (1.0_f32..100.0).prop_map(|k| Fusion::Rrf { k }),
        (1.0_f32..100.0, 0.0_f32..=1.0)
            .prop_map(|(k, dense_weight)| Fusion::WeightedRrf { k, dense_weight }),
        Just(Fusion::DistributionBased),
        Just(Fusion::DenseOnly),
        Just(Fusion::SparseOnly),
    ]
}

fn any_scores() -> impl Strategy<Value = Vec<(u32, f32)>> {
    proptest::collection::hash_map(
        0_u32..12,
        (-8_i8..40).prop_map(|score| f32::from(score) / 4.0),
        0..10,
    )
    .prop_map(|scores| scores.into_iter().collect())
}

#[test]
fn the_weight_is_that_of_the_language_of_what_was_found() {
    let in_language = |language: &str, scores: &[(u32, f32)]| -> Vec<ScoredPassage> {
        let mut ranking = ranking(scores);
        ranking.iter_mut().for_each(|found| found.passage.language = language.into());
        ranking
    };
    let fusion = Fusion::ByLanguage { dense_weight: 0.5, foreign_dense_weight: 0.25 };
    let scores = [(1, 2.0), (2, 1.0)];
    let weight = |dense: &str, sparse: &[ScoredPassage]| {
        let candidates = Candidates { dense: in_language(dense, &scores), sparse: sparse.to_vec() };
        match fusion.for_candidates(&candidates, |language| language == "eng") {
            Fusion::MinMax { dense_weight } => dense_weight,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(weight("urd", &in_language("eng", &scores)), 0.5);
    assert_eq!(weight("eng", &in_language("urd", &scores)), 0.25, "the words decide");
    assert_eq!(weight("urd", &[]), 0.25, "unless there are none");
    let mixed = [in_language("eng", &scores), in_language("deu", &[(3, 0.5)])].concat();
    assert_eq!(weight("deu", &mixed), 0.5, "most of them do");
    let empty = Candidates { dense: Vec::new(), sparse: Vec::new() };
    assert_eq!(fusion.for_candidates(&empty, |_| false), Fusion::MinMax { dense_weight: 0.5 });
    let rrf = Fusion::Rrf { k: 10.0 };
    assert_eq!(rrf.for_candidates(&empty, |_| false), rrf);
}

proptest! {
    #[test]
    fn order_of_input_does_not_matter(dense in any_scores(), sparse in any_scores(), fusion in any_fusion()) {
        let mut mirrored = (dense.clone(), sparse.clone());
        mirrored.0.reverse();
        mirrored.1.reverse();
        prop_assert_eq!(fused(&dense, &sparse, fusion), fused(&mirrored.0, &mirrored.1, fusion));
    }

    #[test]
    fn results_are_distinct_descend_and_come_from_the_input(
        dense in any_scores(), sparse in any_scores(), fusion in any_fusion(), limit in 0_usize..14,
    ) {
        let candidates = Candidates { dense: ranking(&dense), sparse: ranking(&sparse) };
        let result = fuse(candidates, &fusion, limit);
        prop_assert!(result.len() <= limit);
        prop_assert!(result.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let known: HashMap<u32, f32> = dense.iter().chain(&sparse).copied().collect();
        let mut seen: Vec<u32> = result.iter().map(|scored| scored.passage.ordinal).collect();
        prop_assert!(seen.iter().all(|ordinal| known.contains_key(ordinal)));
        seen.sort_unstable();
        prop_assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
        if let Fusion::MinMax { .. } = fusion {
            prop_assert!(result.iter().all(|scored| (0.0..=1.0 + 1e-6).contains(&scored.score)));
        }
    }

    #[test]
    fn better_in_both_rankings_is_not_worse_fused(dense in any_scores(), sparse in any_scores(), fusion in any_fusion()) {
        let result = fused(&dense, &sparse, fusion);
        let place = |ordinal: u32| result.iter().position(|(found, _)| *found == ordinal);
        let sparse_of: HashMap<u32, f32> = sparse.iter().copied().collect();
        for (one, one_dense) in &dense {
            for (other, other_dense) in &dense {
                let (Some(one_sparse), Some(other_sparse)) = (sparse_of.get(one), sparse_of.get(other)) else { continue };
                if one_dense > other_dense && one_sparse > other_sparse {
                    prop_assert!(place(*one) <= place(*other) || result.iter().any(|(o, s)| o == one && Some(*s) == place(*other).map(|at| result[at].1)));
                }
            }
        }
    }
}
