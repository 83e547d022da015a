//! A data directory that holds a set's documents, made once.

use std::path::{Path, PathBuf};

use lectern_app::{
    errors::FlowError,
    eval::golden::{GoldenDocument, GoldenSet},
    upload::NewDocument,
};
use lectern_core::{
    analysis::Bm25, auth::Caller, document::Metadata, errors::chain, ids::CollectionId,
    sentences::sentences,
};
use lectern_models::config::EmbedderConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::{
    api::Api,
    commands::waiting::{Settled, until_settled},
    compose::Local,
    failure::Failure,
    output::Output,
    settings::Settings,
};

/// Documents accepted before they are waited for: the doorbell's channel holds more.
const BATCH: usize = 256;
/// Most rounds of optimisation after ingestion.
const MAX_ROUNDS: usize = 32;
/// Written when everything is indexed.
const DONE: &str = "evaluation.json";
/// Characters of a digest in a directory's name.
const KEY_CHARS: usize = 16;
/// What tells an index made by another analyser: its terms of a few languages, and where it ends sentences.
const PROBES: [(&str, &str); 7] = [
    ("eng", "The committees' backups ran daily. Dr. Roe wrote Fig. 3."),
    ("deu", "Die Häuser der Städte stehen seit dem 12. Mai."),
    ("spa", "Los Estados Unidos tenían bibliotecas."),
    ("ara", "يقرأ الطلاب الكتب في المكتبات."),
    ("hin", "नॉर्मन्स ने किताबें पढ़ीं। डॉ. राम आए।"),
    ("urd", "وہ کتابیں پڑھتا ہے۔ آب و ہوا اچھی ہے۔"),
    ("cmn", "東京の図書館。他来了。"),
];
const INDEXING: &str = "indexing {msg} {wide_bar} {pos}/{len} documents, {eta} left";

/// An opened data directory that holds a set's documents.
pub(super) struct Index {
    /// The engines.
    pub(super) local: Local,
    /// Documents that could not be ingested.
    pub(super) not_ingested: usize,
    /// Removed when dropped.
    temporary: Option<TempDir>,
}

#[derive(Serialize, Deserialize)]
struct Done {
    not_ingested: usize,
}

/// Opens the set's directory under `keep`, or a temporary one, and ingests what is not there yet.
pub(super) async fn open(
    set: &GoldenSet,
    corpus_digest: &str,
    keep: Option<&Path>,
    settings: &Settings,
    output: &Output,
) -> Result<Index, Failure> {
    let temporary = if keep.is_none() { Some(tempfile::tempdir()?) } else { None };
    let directory = match (keep, &temporary) {
        (Some(keep), _) => keep.join(directory_name(set, corpus_digest, settings)),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => unreachable!("one of the two is there"),
    };
    std::fs::create_dir_all(&directory)?;
    let local = Local::open(&directory, settings).await?;
    // Who asked for no model knows that there is none.
    for notice in local.notices.iter().filter(|_| settings.embedder != EmbedderConfig::None) {
        output.note(format_args!("note: {notice}"));
    }
    let marker = directory.join(DONE);
    let not_ingested = match read_marker(&marker) {
        Some(done) => done.not_ingested,
        None => {
            let not_ingested = local.drive(ingest(&local, set, output)).await?;
            for _ in 0..MAX_ROUNDS {
                if !local.edge.maintain().await? {
                    break;
                }
            }
            let done = serde_json::to_vec(&Done { not_ingested }).map_err(std::io::Error::from)?;
            std::fs::write(&marker, done)?;
            not_ingested
        }
    };
    Ok(Index { local, not_ingested, temporary })
}

impl Index {
    /// Brings everything to the disk, or removes it when nobody asked for it to stay.
    pub(super) async fn close(self) -> Result<(), Failure> {
        self.local.close().await?;
        self.temporary.map_or(Ok(()), TempDir::close)?;
        Ok(())
    }
}

fn read_marker(marker: &Path) -> Option<Done> {
    serde_json::from_slice(&std::fs::read(marker).ok()?).ok()
}

/// Another corpus, embedder, chunk size or analyser is another directory; whose questions are asked is not.
fn directory_name(set: &GoldenSet, corpus_digest: &str, settings: &Settings) -> PathBuf {
    let probes = PROBES
        .map(|(language, text)| (Bm25::default().document_vector(text, language), sentences(text)));
    let has_model =
        settings.model_directory.as_deref().is_some_and(lectern_models::minilm::is_installed);
    let told = format!(
        "{corpus_digest} {:?} {has_model} {:?} {probes:?} {}",
        settings.embedder,
        settings.chunking,
        env!("CARGO_PKG_VERSION")
    );
    let key = hex::encode(Sha256::digest(told));
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let documents = set.name.rsplit('@').next().unwrap_or_default();
    let name: String = documents.chars().map(plain).collect();
    PathBuf::from(format!("{name}-{}", &key[..KEY_CHARS]))
}

/// Ingests every document through the real flows; returns how many could not be.
async fn ingest(local: &Local, set: &GoldenSet, output: &Output) -> Result<usize, Failure> {
    let api = Api::InProcess(local.router(Some(local.tenant.clone())));
    let caller = Caller::operator(local.tenant.clone());
    let bar = output.progress(set.documents.len() as u64, INDEXING);
    bar.set_message(set.name.clone());
    let mut not_ingested = 0;
    for batch in set.documents.chunks(BATCH) {
        let mut ids = Vec::with_capacity(batch.len());
        for document in batch {
            match upload(local, &caller, document).await {
                Ok(id) => ids.push(id),
                // Empty, or of a type that is not read: the set is what it is, and the report says so.
                Err(Failure::Flow(FlowError::Invalid(_) | FlowError::UnsupportedMedia(_))) => {
                    not_ingested += 1;
                    bar.inc(1);
                }
                Err(other) => return Err(other),
            }
        }
        until_settled(&api, ids, &mut |settled| {
            bar.inc(1);
            let is_ready =
                matches!(&settled, Settled::Document(document) if document.failure.is_none());
            not_ingested += usize::from(!is_ready);
            Ok(())
        })
        .await?;
    }
    bar.finish_and_clear();
    if not_ingested > 0 {
        output.note(format_args!(
            "note: {not_ingested} documents of {} could not be ingested",
            set.name
        ));
    }
    Ok(not_ingested)
}

async fn upload(
    local: &Local,
    caller: &Caller,
    document: &GoldenDocument,
) -> Result<String, Failure> {
    let (name, bytes) = document.upload().map_err(|error| Failure::Failed(chain(&error)))?;
    let new = NewDocument {
        collection: CollectionId::default_collection(),
        document_id: None,
        new_id: Some(document.document_id()),
        name,
        bytes,
        acl: Vec::new(),
        metadata: Metadata::new(),
    };
    let uploaded = local.upload.upload(caller, new).await?;
    Ok(uploaded.document.id.to_string())
}
