//! One document becomes ready: claim → load → parse → canonical text → redact → chunk → embed → index → switch →
//! retire.
//!
//! A job may come twice, late, or after a crash in any line below. The lease lets one worker write at a
//! time; point ids are derived from document, version and chunk number, so that a second run writes
//! the same points; the switch is one transaction conditional on the lease.

mod index;
mod redact;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use lectern_core::{
    chunking::{self, Chunk, ChunkSettings},
    document::{DocumentState, DocumentVersion, IngestFailure, Job, Task, Version},
    errors::{ErrorKind, PortError, chain},
    ids::{DocumentId, TenantId},
    passage::Scope,
    ports::{Embedder, PassageReader, PassageWriter},
    text::ParsedText,
    time::Timestamp,
};
use lectern_parse::{FailureKind, ParseError, ParseLimits, Sandbox};
use lectern_tables::{
    Tables,
    ingestion::Switch,
    versions::{Claim, Claimed},
};
use lectern_telemetry::{call::word_of, instruments::DOCUMENT_PROCESSING, stage::Staged as _};
use thiserror::Error;
use tracing::{info, warn};

use crate::{
    blobs::{BlobName, Blobs},
    clock::Clock,
    spending::Spending,
};

/// How long a worker alone may write a version unless set otherwise; renewed after each batch.
pub const LEASE: Duration = Duration::from_secs(120);
/// How often a version is tried before it is given up as poison.
pub const MAX_ATTEMPTS: u32 = 5;
/// Most chunks of one version.
pub const MAX_CHUNKS: usize = 100_000;

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The version answers questions.
    Ready {
        /// Chunks of it.
        chunks: usize,
        /// Chunks whose vectors were taken from the previous version.
        reused: usize,
    },
    /// The version cannot be ingested; its record says why.
    Failed(IngestFailure),
    /// Somebody else did or does it, or the document is gone.
    Nothing,
    /// Somebody else holds the lease until then.
    Held(Timestamp),
}

/// Why a job stopped; it stays pending and is tried again.
#[derive(Debug, Error)]
pub enum IngestError {
    /// Something behind a port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The document cannot be read, now or ever.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Too many chunks.
    #[error("the document has more than {MAX_CHUNKS} chunks; split it")]
    TooManyChunks,
}

impl IngestError {
    /// Returns its kind in one word, for labels and spans.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Port(error) => word_of(error.kind),
            Self::Parse(error) => error.code(),
            Self::TooManyChunks => "too_large",
        }
    }
}

/// Ingests documents.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// The table.
    pub tables: Tables,
    /// The files.
    pub blobs: Blobs,
    /// Reads the previous version's vectors.
    pub reader: Arc<dyn PassageReader>,
    /// Writes passages.
    pub writer: Arc<dyn PassageWriter>,
    /// Makes vectors; without one passages are found by BM25 only.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Parses in a resource-limited child process.
    pub sandbox: Arc<Sandbox>,
    /// Bounds of parsing.
    pub limits: ParseLimits,
    /// Size of chunks.
    pub chunking: ChunkSettings,
    /// Counts what vectors cost. It refuses none: a document that was accepted becomes ready.
    pub spending: Spending,
    /// How long a worker alone may write a version; what a killed one had waits as long.
    pub lease: Duration,
    /// The time.
    pub clock: Clock,
}

impl Ingest {
    /// Brings a version to `ready` or `failed`.
    ///
    /// # Errors
    /// When something that a later try may mend failed; the version stays pending.
    pub async fn ingest(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
        version: Version,
    ) -> Result<Outcome, IngestError> {
        let now = self.clock.now();
        let versions = self.tables.versions();
        let claim =
            versions.claim(tenant, document_id, version, now, self.lease, MAX_ATTEMPTS).await?;
        let claimed = match claim {
            Claim::Won(claimed) => claimed,
            Claim::Exhausted(claimed) => return self.fail(&claimed, poison()).await,
            Claim::Held(until) => return Ok(Outcome::Held(until)),
            Claim::Finished => return Ok(Outcome::Nothing),
            Claim::Gone => {
                self.clean_up(tenant, document_id, version).await?;
                return Ok(Outcome::Nothing);
            }
        };

        info!(document.id = %document_id, version, "claimed a version");

        // A version that was switched before a crash only needs the passages it replaced removed.
        let outcome = if claimed.version.state == DocumentState::Retiring {
            self.switch(&claimed, claimed.version.chunk_count as usize, 0).await
        } else {
            self.make_ready(&claimed).await
        };
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(error) => match failure(&error) {
                Some(failure) => self.fail(&claimed, failure).await,
                None => self.let_go(&claimed, error).await,
            },
        }
    }

    /// Gives the version back after an error that a later try may mend, or cleans up when the error came
    /// of the document's deletion.
    async fn let_go(&self, claimed: &Claimed, error: IngestError) -> Result<Outcome, IngestError> {
        let DocumentVersion { tenant, document_id, version, .. } = &claimed.version;
        let document = self.tables.documents().get(tenant, document_id).await?;
        if document.is_none_or(|document| document.state == DocumentState::Deleting) {
            self.clean_up(tenant, document_id, *version).await?;
            return Ok(Outcome::Nothing);
        }
        // A dependency that is away is not the document's fault and costs it no attempt.
        let not_its_fault = matches!(&error, IngestError::Port(failure) if failure.is_retryable());
        let released = self.tables.versions().release(&claimed.lease, not_its_fault).await;
        if let Err(release) = released {
            warn!(document.id = %document_id, error = %chain(&release), "failed to release a lease");
        }
        Err(error)
    }

    async fn make_ready(&self, claimed: &Claimed) -> Result<Outcome, IngestError> {
        let DocumentVersion { tenant, document_id, version, .. } = &claimed.version;
        let parsed = self.parse(&claimed.version).staged("parse").await?;
        let parsed = Arc::new(self.redact(&claimed.version, parsed).await?);
        let chunks = self.chunk(&parsed).staged("chunk").await?;
        if chunks.len() > MAX_CHUNKS {
            return Err(IngestError::TooManyChunks);
        }

        // The text must be there before a passage of it can be found.
        let name = BlobName::text(tenant, document_id, *version);
        self.blobs.put(&name, Bytes::from(parsed.text.clone())).await?;
        let reused = self.index(claimed, &parsed, &chunks).staged("index").await?;
        self.switch(claimed, chunks.len(), reused).staged("switch").await
    }

    /// One transaction: this version answers from here on, the previous one no more. Then the passages
    /// that are not shown any more go.
    async fn switch(
        &self,
        claimed: &Claimed,
        chunks: usize,
        reused: usize,
    ) -> Result<Outcome, IngestError> {
        let DocumentVersion { tenant, document_id, version, created_at, .. } = &claimed.version;
        let versions = self.tables.versions();
        let now = self.clock.now();
        let chunk_count = u32::try_from(chunks).unwrap_or(u32::MAX);
        let stale = match versions.switch_live(&claimed.lease, chunk_count, now).await? {
            Switch::Finished => None,
            Switch::RetireOlder => Some((1, version - 1)),
            Switch::RetireThis => Some((*version, *version)),
            Switch::Gone => {
                self.clean_up(tenant, document_id, *version).await?;
                return Ok(Outcome::Nothing);
            }
        };
        if let Some((first, last)) = stale {
            let scope = Scope::document(tenant, document_id).with_versions(first, last);
            self.writer.delete(&scope).await?;
            versions.finish(&claimed.lease).await?;
        }
        let took = self.clock.now().since(*created_at);
        DOCUMENT_PROCESSING.record(took.as_secs_f64(), &[("outcome", "ready")]);
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        info!(document.id = %document_id, version, chunks, reused, duration_ms, "document is ready");
        Ok(Outcome::Ready { chunks, reused })
    }

    /// Cuts the text off the executor: a large one takes seconds.
    async fn chunk(&self, parsed: &Arc<ParsedText>) -> Result<Vec<Chunk>, PortError> {
        let (parsed, settings) = (Arc::clone(parsed), self.chunking);
        let cut = tokio::task::spawn_blocking(move || chunking::chunk(&parsed, &settings));
        cut.await.map_err(|panic| PortError::new(ErrorKind::Internal, "chunk", panic))
    }

    async fn parse(&self, claimed: &DocumentVersion) -> Result<ParsedText, IngestError> {
        let name = BlobName::raw(&claimed.tenant, &claimed.document_id, &claimed.sha256);
        let bytes = self.blobs.get(&name).await?;
        let parsed = self.sandbox.parse(bytes, &claimed.name, &self.limits).await?;
        let text = ParsedText::assemble(parsed.title, parsed.blocks);
        let media_type = parsed.media_type;
        if text.text.is_empty() { Err(ParseError::NoText { media_type }.into()) } else { Ok(text) }
    }

    /// Removes what this version wrote after its document was deleted.
    async fn clean_up(
        &self,
        tenant: &TenantId,
        document_id: &DocumentId,
        version: Version,
    ) -> Result<(), PortError> {
        let own = Scope::document(tenant, document_id).with_versions(version, version);
        self.writer.delete(&own).await?;
        let document = self.tables.documents().get(tenant, document_id).await?;
        let is_gone = document.is_none_or(|document| document.state == DocumentState::Deleting);
        if is_gone {
            self.blobs.forget(tenant, document_id).await?;
        }
        Ok(())
    }

    async fn fail(
        &self,
        claimed: &Claimed,
        failure: IngestFailure,
    ) -> Result<Outcome, IngestError> {
        let DocumentVersion { tenant, document_id, version, created_at, .. } = &claimed.version;
        let now = self.clock.now();
        // Whoever lost the lease must not remove what its successor wrote.
        self.tables.versions().renew(&claimed.lease, now, self.lease).await?;
        let own = Scope::document(tenant, document_id).with_versions(*version, *version);
        self.writer.delete(&own).await?;
        self.tables.versions().fail(&claimed.lease, &failure, now).await?;
        let took = now.since(*created_at);
        DOCUMENT_PROCESSING.record(took.as_secs_f64(), &[("outcome", "failed")]);
        warn!(document.id = %document_id, version, code = failure.code, "document failed");
        Ok(Outcome::Failed(failure))
    }
}

/// Returns what to tell the writer about an error that no later try can mend.
fn failure(error: &IngestError) -> Option<IngestFailure> {
    let code = match error {
        IngestError::Parse(error) if error.kind() == FailureKind::Permanent => error.code(),
        IngestError::TooManyChunks => "too_large",
        IngestError::Parse(_) | IngestError::Port(_) => return None,
    };
    Some(IngestFailure { code: code.to_owned(), detail: error.to_string() })
}

fn poison() -> IngestFailure {
    IngestFailure {
        code: IngestFailure::POISON.into(),
        detail: format!(
            "ingestion stopped {MAX_ATTEMPTS} times without finishing; retry it, and if that fails again split the document"
        ),
    }
}

/// Returns the job that ingests `version`.
#[must_use]
pub fn job(tenant: &TenantId, document_id: &DocumentId, version: Version) -> Job {
    Job { tenant: tenant.clone(), document_id: document_id.clone(), task: Task::Ingest(version) }
}
