//! Vectors by the hash of their text, kept on disk: embedding a corpus takes minutes, reading it back none.
//!
//! The file is a list of records: 32 bytes SHA-256 of the text, then the vector's numbers as little-endian f32.

use std::{
    collections::{HashMap, HashSet},
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::Arc,
};

use indicatif::ProgressBar;
use lectern_core::ports::Embedder;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// Texts embedded between two writes.
const BATCH: usize = 64;
const HASH_BYTES: usize = 32;

type Hash = [u8; HASH_BYTES];

/// An embedder that remembers.
#[derive(Debug)]
pub(super) struct CachedEmbedder {
    embedder: Arc<dyn Embedder>,
    known: HashMap<Hash, Vec<f32>>,
    file: File,
}

impl CachedEmbedder {
    /// Opens the cache of the embedder's model in `directory`. A record that a crash cut short is dropped.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn open(embedder: Arc<dyn Embedder>, directory: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(directory)?;
        let model = embedder.model();
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let name: String = model.id.chars().map(plain).collect();
        let path = directory.join(format!("{name}-{}.vectors", model.dimensions));
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let record_bytes = HASH_BYTES + 4 * model.dimensions;
        let records = bytes.chunks_exact(record_bytes);
        let whole = bytes.len() - records.remainder().len();
        let known = records.filter_map(parse).collect();
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { embedder, known, file })
    }

    /// Returns the vectors of `texts`, embedding those that are not known; `bar` counts all of them.
    ///
    /// # Errors
    /// When the embedder or the disk refuses.
    pub(super) async fn embed(
        &mut self,
        texts: &[String],
        bar: &ProgressBar,
    ) -> Result<Vec<Vec<f32>>, Failure> {
        let hashes: Vec<Hash> = texts.iter().map(|text| Sha256::digest(text).into()).collect();
        let mut wanted = HashSet::new();
        let missing: Vec<usize> = (0..texts.len())
            .filter(|position| !self.known.contains_key(&hashes[*position]))
            .filter(|position| wanted.insert(hashes[*position]))
            .collect();
        bar.inc((texts.len() - missing.len()) as u64);
        for batch in missing.chunks(BATCH) {
            let batch_texts: Vec<String> =
                batch.iter().map(|position| texts[*position].clone()).collect();
            let vectors = self.embedder.embed(&batch_texts).await?;
            let mut records = Vec::new();
            for (position, vector) in batch.iter().zip(vectors) {
                records.extend_from_slice(&hashes[*position]);
                vector.iter().for_each(|number| records.extend_from_slice(&number.to_le_bytes()));
                self.known.insert(hashes[*position], vector);
            }
            self.file.write_all(&records)?;
            bar.inc(batch.len() as u64);
        }
        let found = hashes.iter().map(|hash| self.known.get(hash).cloned());
        let found: Option<Vec<Vec<f32>>> = found.collect();
        found.ok_or_else(|| Failure::Failed("the embedder left out a text".into()))
    }
}

fn parse(record: &[u8]) -> Option<(Hash, Vec<f32>)> {
    let (hash, numbers) = record.split_first_chunk::<HASH_BYTES>()?;
    let numbers = numbers.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    Some((*hash, numbers.collect()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use lectern_core::{errors::PortError, ports::EmbeddingModel};

    use super::*;

    /// Counts the texts it is given.
    #[derive(Debug)]
    struct Counting {
        model: EmbeddingModel,
        texts: AtomicUsize,
    }

    #[async_trait]
    impl Embedder for Counting {
        fn model(&self) -> &EmbeddingModel {
            &self.model
        }

        async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
            self.texts.fetch_add(texts.len(), Ordering::Relaxed);
            Ok(texts.iter().map(|text| vec![text.len() as f32, 0.5]).collect())
        }
    }

    fn counting() -> Arc<Counting> {
        let model = EmbeddingModel { id: "a/b:c".into(), dimensions: 2 };
        Arc::new(Counting { model, texts: AtomicUsize::new(0) })
    }

    #[tokio::test]
    async fn a_second_run_embeds_nothing_even_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let texts: Vec<String> = (0..150).map(|number| "x".repeat(number % 100)).collect();
        let bar = ProgressBar::hidden();
        let embedder = counting();
        let mut cache =
            CachedEmbedder::open(Arc::<Counting>::clone(&embedder), folder.path()).unwrap();
        let first = cache.embed(&texts, &bar).await.unwrap();
        assert_eq!(embedder.texts.load(Ordering::Relaxed), 100, "equal texts are embedded once");

        // A crash left half a record behind.
        let path = folder.path().join("a-b-c-2.vectors");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&[1; 7]).unwrap();
        let fresh = counting();
        let mut cache =
            CachedEmbedder::open(Arc::<Counting>::clone(&fresh), folder.path()).unwrap();
        assert_eq!(cache.embed(&texts, &bar).await.unwrap(), first);
        assert_eq!(fresh.texts.load(Ordering::Relaxed), 0);
        cache.embed(&["new".to_owned()], &bar).await.unwrap();
        assert_eq!(std::fs::metadata(path).unwrap().len(), 101 * (32 + 8));
    }
}
