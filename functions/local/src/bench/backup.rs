//! Backup, verification and restoration of synthetic passages through the real flows.

use std::time::{Duration, Instant};

use lectern_app::{
    back_up::{Backup, verify::Depth},
    blobs::BlobName,
};
use lectern_core::{
    analysis::Bm25,
    auth::Caller,
    document::{Document, DocumentState, DocumentVersion, Metadata, Progress, Version},
    env::Env,
    ids::{CollectionId, DocumentId, TenantId},
    passage::{EVERYBODY, Passage, Point, Span},
    ports::PassageWriter as _,
    time::Timestamp,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Finding, decimal, synthetic::Synthetic};
use crate::{
    compose::Local, failure::Failure, output::Output, settings::Settings, text_table::Align,
};

const SEED: u64 = 9_009;
/// Length of the vectors: that of all-MiniLM-L6-v2, for which a directory without a model keeps room.
const DIMENSIONS: usize = 384;
const WORDS_OF_A_PASSAGE: usize = 120;
const PASSAGES_OF_A_DOCUMENT: usize = 20;
/// Documents written at once.
const BATCH: usize = 25;
/// One document among so many changes between the first backup and the second.
const CHANGES_AMONG: usize = 100;
const LONG: Duration = Duration::from_secs(12 * 60 * 60);
const WRITING: &str = "writing documents {wide_bar} {pos}/{len}, {eta} left";

pub(super) async fn run(passages: usize, output: &Output) -> Result<Finding, Failure> {
    let directory = tempfile::tempdir()?;
    let env: Env = [("LECTERN_EMBEDDER".to_owned(), "none".to_owned())].into_iter().collect();
    let settings = Settings::from_env(&env).map_err(Failure::Settings)?;
    let local = Local::open(directory.path(), &settings).await?;
    let documents = passages.div_ceil(PASSAGES_OF_A_DOCUMENT);
    let mut source = Synthetic::new(SEED, DIMENSIONS);
    let bar = output.progress(documents as u64, WRITING);
    for first in (0..documents).step_by(BATCH) {
        let numbers: Vec<usize> = (first..documents.min(first + BATCH)).collect();
        write(&local, &mut source, &numbers, 1).await?;
        bar.inc(numbers.len() as u64);
    }
    bar.finish_and_clear();
    local.edge.flush().await?;
    // Else the first backup would wait for all of that to be on the disk, too.
    if let Some(barrier) = &local.back_up.backups.barrier {
        barrier.sync().await?;
    }

    let caller = Caller::operator(local.tenant.clone());
    let (first, export, memory) = timed_backup(&local, &caller).await?;
    let changed: Vec<usize> = (0..documents).step_by(CHANGES_AMONG).collect();
    for numbers in changed.chunks(BATCH) {
        write(&local, &mut source, numbers, 2).await?;
    }
    let (second, again, _) = timed_backup(&local, &caller).await?;
    let started = Instant::now();
    let structure = local.back_up.verify(&caller, &second.id, Depth::Structure).await?;
    let structure_time = started.elapsed();
    let started = Instant::now();
    let data = local.back_up.verify(&caller, &second.id, Depth::ReadData).await?;
    let data_time = started.elapsed();
    if structure.damaged + data.damaged > 0 {
        return Err(Failure::Failed("a backup just made is damaged".into()));
    }
    let started = Instant::now();
    let restored = local.restore().restore(&caller, &second.id, LONG).await?;
    let restore_time = started.elapsed();
    let rate = |passages: u64, time: Duration| passages as f64 / time.as_secs_f64();
    let share = second.new_bytes as f64 / first.new_bytes as f64;
    let rows = vec![
        row("first backup", rate(first.counts.passages, export), export),
        row("second, 1 % changed", rate(second.counts.passages, again), again),
        row("verify, structure", rate(second.counts.passages, structure_time), structure_time),
        row("verify, every byte", rate(second.counts.passages, data_time), data_time),
        row("restore and compare", rate(restored.counts.passages, restore_time), restore_time),
    ];
    output.note(format_args!(
        "{} passages in {} documents; parts {:.1} MB; the second backup stored {:.2} % of the first's bytes; the first grew the process by {:.0} MB at most",
        first.counts.passages,
        first.counts.documents,
        first.size_bytes as f64 / 1e6,
        100.0 * share,
        memory as f64 / 1e6
    ));
    let value = json!({
        "passages": first.counts.passages, "documents": first.counts.documents,
        "size_bytes": first.size_bytes, "export_per_second": rate(first.counts.passages, export),
        "second_share": share, "verify_structure_seconds": structure_time.as_secs_f64(),
        "verify_read_seconds": data_time.as_secs_f64(),
        "restore_per_second": rate(restored.counts.passages, restore_time),
        "memory_growth_bytes": memory,
    });
    local.close().await?;
    let columns =
        vec![("WHAT", Align::Left), ("SECONDS", Align::Right), ("PASSAGES/s", Align::Right)];
    Ok(Finding { name: "backup", value, columns, rows })
}

fn row(what: &str, rate: f64, time: Duration) -> Vec<String> {
    vec![what.to_owned(), decimal(time.as_secs_f64(), 2), decimal(rate, 0)]
}

/// Backs up; returns how long it took, and by how many bytes the process's own memory grew at most.
async fn timed_backup(local: &Local, caller: &Caller) -> Result<(Backup, Duration, u64), Failure> {
    reset_peak();
    let before = memory("RssAnon:");
    let started = Instant::now();
    let backup = local.back_up.back_up(caller, LONG).await?;
    let took = started.elapsed();
    // The peak counts mapped files of the index, too, which the system takes back when it needs them.
    let files = memory("RssFile:") + memory("RssShmem:");
    let peak = memory("VmHWM:").saturating_sub(files);
    Ok((backup, took, peak.saturating_sub(before)))
}

/// Returns a line of proc_pid_status(5) in bytes, 0 where there is none.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}

/// Forgets the peak of the process's memory (proc_pid_clear_refs(5)); without it a peak of before counts, too.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

/// Writes versions of documents as ingestion leaves them.
async fn write(
    local: &Local,
    source: &mut Synthetic,
    numbers: &[usize],
    version: Version,
) -> Result<(), Failure> {
    let (mut documents, mut versions, mut points) = (Vec::new(), Vec::new(), Vec::new());
    for number in numbers {
        let id = DocumentId::new(Timestamp::from_millis(*number as u64), *number as u128);
        let mut text = String::new();
        for ordinal in 0..PASSAGES_OF_A_DOCUMENT {
            let words = source.words(WORDS_OF_A_PASSAGE);
            let start = text.len();
            text.push_str(&words);
            text.push('\n');
            points.push(point(local, source, &id, version, ordinal, start, words));
        }
        let name = BlobName::text(&local.tenant, &id, version);
        let sha256 = hex::encode(Sha256::digest(&text));
        let raw = BlobName::raw(&local.tenant, &id, &sha256);
        local.back_up.blobs.put(&name, text.clone().into()).await?;
        local.back_up.blobs.put(&raw, text.clone().into()).await?;
        let (document, version) = records(&local.tenant, &id, version, text.len() as u64, &sha256);
        documents.push(document);
        versions.push(version);
    }
    let tables = &local.back_up.tables;
    tables.restores().put_documents(&local.tenant, documents, versions).await?;
    Ok(local.edge.upsert(points).await?)
}

fn point(
    local: &Local,
    source: &mut Synthetic,
    id: &DocumentId,
    version: Version,
    ordinal: usize,
    start: usize,
    text: String,
) -> Point {
    let sparse = Bm25::default().document_vector(&text, "eng");
    let passage = Passage {
        tenant: local.tenant.clone(),
        collection: CollectionId::default_collection(),
        document_id: id.clone(),
        version,
        ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
        document_name: "synthetic.md".into(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start, end: start + text.len() },
        text_sha256: hex::encode(Sha256::digest(&text)),
        hostility: None,
        personal: None,
        text,
        language: "eng".into(),
        acl: vec![EVERYBODY.to_owned()],
        metadata: Metadata::new(),
    };
    Point { passage, dense: Some(source.vector()), sparse }
}

fn records(
    tenant: &TenantId,
    id: &DocumentId,
    version: Version,
    size_bytes: u64,
    sha256: &str,
) -> (Document, DocumentVersion) {
    let chunks = u32::try_from(PASSAGES_OF_A_DOCUMENT).unwrap_or(u32::MAX);
    let now = Timestamp::from_millis(1_795_230_000_000);
    let (collection, acl) = (CollectionId::default_collection(), vec![EVERYBODY.to_owned()]);
    let document = Document {
        tenant: tenant.clone(),
        collection: collection.clone(),
        id: id.clone(),
        name: "synthetic.md".into(),
        media_type: "text/markdown".into(),
        size_bytes,
        sha256: sha256.to_owned(),
        state: DocumentState::Ready,
        live_version: Some(version),
        latest_version: version,
        failure: None,
        progress: Progress { chunks_done: chunks, chunks_total: chunks },
        acl: acl.clone(),
        metadata: Metadata::new(),
        created_at: now,
        updated_at: now,
    };
    let version = DocumentVersion {
        tenant: tenant.clone(),
        collection,
        document_id: id.clone(),
        version,
        state: DocumentState::Ready,
        name: "synthetic.md".into(),
        media_type: "text/markdown".into(),
        size_bytes,
        sha256: sha256.to_owned(),
        acl,
        metadata: Metadata::new(),
        attempts: 1,
        lease_until: None,
        chunk_count: chunks,
        created_at: now,
        uploaded_by: None,
    };
    (document, version)
}
