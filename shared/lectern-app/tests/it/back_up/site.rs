//! A tenant, its files, and a store for its backups.

use std::{sync::Arc, time::Duration};

use lectern_app::{
    back_up::{
        BackUp, Backup, BackupStore, Part, PartLimits,
        manifest::Manifest,
        records::{Kind, PassageLine, TextLine},
        seal::Seal,
    },
    blobs::{BlobName, Blobs},
    forget::Forgotten,
    restore::Restore,
};
use lectern_core::{
    document::Document,
    ids::DocumentId,
    ports::{Embedder, PassageReader},
    retention::Retention,
};
use object_store::{ObjectStoreExt as _, memory::InMemory, path::Path};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::failing::Failing;
use crate::world::{BagOfWords, World};

/// Longer than any backup here takes.
pub(crate) const LONG: Duration = Duration::from_secs(300);
/// Shorter than the time that passes between two runs.
const LEASE: Duration = Duration::from_secs(60);

pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) blobs: Blobs,
    /// Where backups are, without what may fail in front.
    pub(crate) kept: Arc<InMemory>,
    /// What the flow takes for it.
    pub(crate) store: Arc<Failing>,
    pub(crate) limits: PartLimits,
    /// Encrypts backups, if they are.
    pub(crate) seal: Option<Arc<Seal>>,
    pub(crate) identity: Option<String>,
    /// Whether writes alone do not stay, as on a disk.
    pub(crate) loses_power: bool,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let kept = Arc::new(InMemory::new());
        Self {
            world: World::new().await,
            blobs: Blobs::new(Arc::new(InMemory::new()), None),
            store: Arc::new(Failing::new(Arc::clone(&kept))),
            kept,
            limits: PartLimits::default(),
            seal: None,
            identity: None,
            loses_power: false,
        }
    }

    /// Returns the same place, in which backups are encrypted.
    pub(crate) fn sealed(self, identity: &str) -> Self {
        let seal = Seal::parse(&identity.to_owned().into()).unwrap();
        Self { seal: Some(Arc::new(seal)), identity: Some(identity.to_owned()), ..self }
    }

    /// Returns the same place with another tenant.
    pub(crate) async fn of(&self, tenant: &str) -> Self {
        Self {
            world: self.world.of(tenant).await,
            blobs: self.blobs.clone(),
            kept: Arc::clone(&self.kept),
            store: Arc::clone(&self.store),
            limits: self.limits,
            seal: self.seal.clone(),
            identity: self.identity.clone(),
            loses_power: self.loses_power,
        }
    }

    pub(crate) fn back_up(&self) -> BackUp {
        self.back_up_reading(Arc::new(self.world.index.clone()))
    }

    pub(crate) fn back_up_reading(&self, reader: Arc<dyn PassageReader>) -> BackUp {
        BackUp {
            tables: self.world.tables.clone(),
            blobs: self.blobs.clone(),
            backups: BackupStore {
                objects: Arc::<Failing>::clone(&self.store),
                seal: self.seal.clone(),
                barrier: self.loses_power.then(|| Arc::<Failing>::clone(&self.store) as _),
            },
            reader,
            model: Some(self.world.embedder.model.clone()),
            originals: true,
            lease: LEASE,
            limits: self.limits,
            // Time stands still in most tests: all of them are of one day.
            retention: Retention { last: 100, ..Retention::none() },
            clock: self.world.clock(),
        }
    }

    pub(crate) fn restore(&self) -> Restore {
        let embedder: Arc<dyn Embedder> = Arc::<BagOfWords>::clone(&self.world.embedder);
        let writer = Arc::new(self.world.index.clone());
        Restore { back_up: self.back_up(), writer, embedder: Some(embedder), bulk: None }
    }

    pub(crate) async fn run(&self) -> Backup {
        self.back_up().run(&self.world.tenant, LONG).await.unwrap()
    }

    /// Accepts a document and brings it live, with its canonical text.
    pub(crate) async fn add(&self, text: &str, acl: &[&str]) -> DocumentId {
        let (id, version) = self.world.accept(None, text, acl).await;
        self.make_live(&id, version, text).await;
        id
    }

    /// Brings a further version of a document live.
    pub(crate) async fn change(&self, id: &DocumentId, text: &str) {
        let (_, version) = self.world.accept(Some(id), text, &["*"]).await;
        self.make_live(id, version, text).await;
    }

    pub(crate) async fn make_live(&self, id: &DocumentId, version: u32, text: &str) {
        let raw = BlobName::raw(&self.world.tenant, id, &hex::encode(Sha256::digest(text)));
        self.blobs.put(&raw, text.to_owned().into()).await.unwrap();
        let name = BlobName::text(&self.world.tenant, id, version);
        self.blobs.put(&name, text.to_owned().into()).await.unwrap();
        self.world.make_live(id, version, text).await;
    }

    pub(crate) async fn delete(&self, id: &DocumentId) -> Forgotten {
        let forgotten = self.world.delete(id).await;
        self.blobs.forget(&self.world.tenant, id).await.unwrap();
        forgotten
    }

    pub(crate) fn part_path(&self, sha256: &str) -> Path {
        format!("parts/{}/{sha256}.jsonl.zst{}", self.world.tenant, self.ending()).into()
    }

    pub(crate) fn file_path(&self, sha256: &str) -> Path {
        format!("files/{}/{sha256}{}", self.world.tenant, self.ending()).into()
    }

    /// Returns what an object says to who has the identity.
    pub(crate) fn opened(&self, bytes: &[u8]) -> Vec<u8> {
        let identity = self.identity.as_deref().and_then(|one| one.parse().ok());
        let opened = identity.map(|one: age::x25519::Identity| age::decrypt(&one, bytes));
        opened.and_then(Result::ok).unwrap_or_else(|| bytes.to_vec())
    }

    fn ending(&self) -> String {
        self.seal.as_ref().map_or_else(String::new, |seal| {
            format!(".{}.age", &hex::encode(Sha256::digest(seal.recipient()))[..8])
        })
    }

    pub(crate) fn manifest_path(&self, backup: &Backup) -> Path {
        let sha256 = backup.manifest_sha256.as_ref().unwrap();
        format!("manifests/{}/{}-{sha256}.json", self.world.tenant, backup.id).into()
    }

    pub(crate) async fn manifest(&self, backup: &Backup) -> Manifest {
        let found = self.kept.get(&self.manifest_path(backup)).await.unwrap();
        serde_json::from_slice(&found.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn unpacked(&self, part: &Part) -> Vec<u8> {
        let found = self.kept.get(&self.part_path(&part.sha256)).await.unwrap();
        zstd::decode_all(&*self.opened(&found.bytes().await.unwrap())).unwrap()
    }

    pub(crate) async fn lines_as<T: DeserializeOwned>(
        &self,
        manifest: &Manifest,
        kind: Kind,
    ) -> Vec<T> {
        let mut lines = Vec::new();
        for part in manifest.parts.iter().filter(|part| part.kind == kind) {
            let unpacked = self.unpacked(part).await;
            let read = serde_json::Deserializer::from_slice(&unpacked).into_iter();
            lines.extend(read.map(Result::unwrap));
        }
        lines
    }

    pub(crate) async fn lines(&self, manifest: &Manifest, kind: Kind) -> Vec<Value> {
        self.lines_as(manifest, kind).await
    }

    pub(crate) async fn documents(&self, manifest: &Manifest) -> Vec<Document> {
        self.lines_as(manifest, Kind::Document).await
    }

    pub(crate) async fn passages(&self, manifest: &Manifest) -> Vec<PassageLine> {
        self.lines_as(manifest, Kind::Passage).await
    }

    /// Returns the canonical text of a document's live version, as one reads it from a backup.
    pub(crate) async fn text(&self, manifest: &Manifest, id: &DocumentId) -> String {
        let documents = self.documents(manifest).await;
        let document = documents.iter().find(|document| document.id == *id).unwrap();
        let mut text = String::new();
        for line in self.lines_as::<TextLine>(manifest, Kind::Text).await {
            if line.document_id == *id && Some(line.version) == document.live_version {
                assert_eq!(line.start, text.len() as u64);
                text.push_str(&line.text);
                assert!(text.len() as u64 <= line.total_bytes);
            }
        }
        text
    }
}
