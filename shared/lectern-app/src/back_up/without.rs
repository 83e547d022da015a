//! A manifest and its parts become those of the same moment without one document.

use std::collections::HashMap;

use lectern_core::{
    document::{Document, DocumentVersion, Version},
    errors::{ErrorKind, PortError},
    ids::DocumentId,
};
use lectern_tables::backups::BackupCounts;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    digest::LineDigest,
    manifest::{Manifest, digest},
    parts::{Part, partition_of},
    records::{FileLine, Kind, OriginalLine, TextLine},
    store::{Store, Stored},
};

const OPERATION: &str = "erase from backups";

/// What of a line says which document it is about; a document's own line says `id`.
#[derive(Deserialize)]
struct About {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    document_id: Option<String>,
    #[serde(default)]
    version: Option<Version>,
    #[serde(default)]
    passage: Option<Box<About>>,
}

impl About {
    fn document(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Document => self.id.as_deref(),
            Kind::Passage => self.passage.as_ref()?.document_id.as_deref(),
            Kind::Version | Kind::Text | Kind::Original | Kind::File => self.document_id.as_deref(),
            Kind::Collection | Kind::Key => None,
        }
    }

    fn version(&self) -> Option<Version> {
        self.passage.as_ref().map_or(self.version, |passage| passage.version)
    }
}

/// Lines of the document, by kind, each with its version.
type Lines = HashMap<Kind, Vec<(Option<Version>, String)>>;

impl Store {
    /// Stores the parts that have the document without it; returns the manifest of what is left, `None` when nothing had it.
    pub(super) async fn without(
        &self,
        mut manifest: Manifest,
        document_id: &DocumentId,
    ) -> Result<Option<Manifest>, PortError> {
        let partition = partition_of(document_id);
        let mut removed = Lines::new();
        let mut parts = Vec::with_capacity(manifest.parts.len());
        for part in std::mem::take(&mut manifest.parts) {
            let is_of_all = matches!(part.kind, Kind::Collection | Kind::Key);
            if part.partition == partition && !is_of_all {
                parts.extend(self.part_without(part, document_id, &mut removed).await?);
            } else {
                parts.push(part);
            }
        }
        if removed.is_empty() {
            return Ok(None);
        }
        let (counts, less) = counted(&removed, manifest.originals)?;
        manifest.counts -= counts;
        if let Some(state) = &manifest.state_digest {
            let state = state.parse().map_err(|error| invalid(&error))?;
            let mut rest: LineDigest = state;
            rest -= less;
            manifest.state_digest = Some(rest.to_hex());
        }
        (manifest.digest, manifest.parts) = (digest(&parts), parts);
        manifest.erased.push(document_id.clone());
        manifest.erased.sort();
        Ok(Some(manifest))
    }

    /// Returns the part without the document's lines, which are added to `removed`; `None` when it has no others.
    async fn part_without(
        &self,
        part: Part,
        document_id: &DocumentId,
        removed: &mut Lines,
    ) -> Result<Option<Part>, PortError> {
        let text = self.lines(&part.sha256).await?;
        // Most parts have nothing of it, and need not be parsed to see that.
        if !text.contains(document_id.as_str()) {
            return Ok(Some(part));
        }
        let (mut rest, mut records, mut found) = (String::new(), 0, false);
        for line in text.lines() {
            let about: About = serde_json::from_str(line).map_err(|error| invalid(&error))?;
            if about.document(part.kind) == Some(document_id.as_str()) {
                let lines = removed.entry(part.kind).or_default();
                lines.push((about.version(), line.to_owned()));
                found = true;
            } else {
                rest.push_str(line);
                rest.push('\n');
                records += 1;
            }
        }
        if !found {
            return Ok(Some(part));
        }
        if records == 0 {
            return Ok(None);
        }
        let Part { kind, partition, .. } = part;
        let Stored { sha256, size_bytes, .. } = self.put_part(kind, rest).await?;
        Ok(Some(Part { kind, partition, sha256, size_bytes, records }))
    }
}

/// Returns what the lines of a document counted for, and the sum of their digests. What is there of versions that were neither
/// live nor newest counted for nothing; without the document's own line, nothing did.
fn counted(lines: &Lines, originals: bool) -> Result<(BackupCounts, LineDigest), PortError> {
    let of_kind = |kind: Kind| lines.get(&kind).map_or(&[][..], Vec::as_slice);
    let (mut counts, mut sum) = (BackupCounts::default(), LineDigest::default());
    let Some((_, own)) = of_kind(Kind::Document).first() else { return Ok((counts, sum)) };
    let Document { live_version: live, latest_version: newest, .. } = parsed(own)?;
    counts.documents = 1;
    sum += LineDigest::of(Kind::Document, own.as_bytes());
    let is_live = |version: Option<Version>| live.is_some() && version == live;
    let is_held = |version: Option<Version>| is_live(version) || version == Some(newest);

    let mut expected_passages = 0;
    for (version, line) in of_kind(Kind::Version).iter().filter(|line| is_held(line.0)) {
        counts.versions += 1;
        sum += LineDigest::of(Kind::Version, line.as_bytes());
        if is_live(*version) {
            expected_passages = u64::from(parsed::<DocumentVersion>(line)?.chunk_count);
        }
    }
    let (mut text_bytes, mut total_bytes) = (0, None);
    for (_, line) in of_kind(Kind::Text).iter().filter(|line| is_live(line.0)) {
        let piece: TextLine = parsed(line)?;
        (text_bytes, total_bytes) = (text_bytes + piece.text.len() as u64, Some(piece.total_bytes));
        sum += LineDigest::of(Kind::Text, line.as_bytes());
    }
    counts.texts = u64::from(total_bytes == Some(text_bytes));
    counts.missing_texts = u64::from(live.is_some()) - counts.texts;
    for (_, line) in of_kind(Kind::Passage).iter().filter(|line| is_live(line.0)) {
        counts.passages += 1;
        sum += LineDigest::of(Kind::Passage, line.as_bytes());
    }
    counts.missing_passages = expected_passages.saturating_sub(counts.passages);
    for (_, line) in of_kind(Kind::Original).iter().filter(|line| is_held(line.0)) {
        counts.originals += 1;
        counts.original_bytes += parsed::<OriginalLine>(line)?.size_bytes;
        sum += LineDigest::of(Kind::Original, line.as_bytes());
    }
    for (_, line) in of_kind(Kind::File).iter().filter(|line| is_held(line.0)) {
        let FileLine { file, .. } = parsed(line)?;
        counts.originals += 1;
        counts.original_bytes += file.size_bytes;
        sum += LineDigest::of_line(Kind::Original, &file);
    }
    if originals {
        counts.missing_originals = counts.versions - counts.originals;
    }
    Ok((counts, sum))
}

fn parsed<T: DeserializeOwned>(line: &str) -> Result<T, PortError> {
    serde_json::from_str(line).map_err(|error| invalid(&error))
}

fn invalid(error: &dyn std::error::Error) -> PortError {
    PortError::new(ErrorKind::Invalid, OPERATION, error.to_string())
}
