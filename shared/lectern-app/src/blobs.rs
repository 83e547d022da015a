//! Names of stored files, and what is done with them.
//!
//! | name | holds |
//! |---|---|
//! | `raw/{tenant}/{document}/{sha256}` | the bytes as uploaded, named by content: two writers cannot mix them up |
//! | `text/{tenant}/{document}/{version}` | the canonical UTF-8 text |
//! | `uploads/{tenant}/{upload}` | a file that arrived by itself, until it is a document |

use std::{ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use lectern_core::{
    document::Version,
    errors::{ErrorKind, PortError},
    ids::{DocumentId, TenantId, UploadId},
};
use lectern_telemetry::{call::Dependency, circuit::Circuit};
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt as _, path::Path};

/// The files of all documents.
#[derive(Clone, Debug)]
pub struct Blobs {
    /// Where they are kept.
    pub store: Arc<dyn ObjectStore>,
    /// Makes addresses under which anybody may store one file; `None` where the store has no such thing.
    pub signer: Option<Arc<dyn Signer>>,
    circuit: Circuit,
}

/// Makes all that was stored so far survive a power cut. For stores that do not do so with each file: to make thousands of
/// small ones do takes longer than to write them.
#[async_trait]
pub trait Barrier: Send + Sync + std::fmt::Debug {
    /// Returns when all that was stored before stays.
    async fn sync(&self) -> Result<(), PortError>;
}

/// The same files, for who writes many and needs them to stay only when all are written.
#[derive(Clone, Debug)]
pub struct Bulk {
    /// The files.
    pub blobs: Blobs,
    /// Makes them stay.
    pub barrier: Arc<dyn Barrier>,
}

/// Makes addresses to which a client may store one file without a key. Where a store has none, files come through the API.
#[async_trait]
pub trait Signer: Send + Sync + std::fmt::Debug {
    /// Returns the address to which the file `name` may be `PUT` for `valid_for`.
    async fn sign_put(&self, name: &str, valid_for: Duration) -> Result<String, PortError>;
}

/// Name of a stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobName(Path);

const RAW: &str = "raw";
const TEXT: &str = "text";
/// Begin of the names of files that arrived by themselves.
const UPLOADS: &str = "uploads";

impl BlobName {
    /// Returns the name of a version's bytes as uploaded.
    #[must_use]
    pub fn raw(tenant: &TenantId, document: &DocumentId, sha256: &str) -> Self {
        Self(Path::from_iter([RAW, tenant.as_str(), document.as_str(), sha256]))
    }

    /// Returns the name of a version's canonical text.
    #[must_use]
    pub fn text(tenant: &TenantId, document: &DocumentId, version: Version) -> Self {
        let version = version.to_string();
        Self(Path::from_iter([TEXT, tenant.as_str(), document.as_str(), &version]))
    }

    /// Returns the name of a file on its way.
    #[must_use]
    pub fn upload(tenant: &TenantId, upload: &UploadId) -> Self {
        Self(Path::from_iter([UPLOADS, tenant.as_str(), upload.as_str()]))
    }

    /// Returns whose upload a file of this name is, `None` when it is none.
    #[must_use]
    pub fn parse_upload(name: &str) -> Option<(TenantId, UploadId)> {
        let (folder, rest) = name.split_once('/')?;
        let (tenant, upload) = rest.split_once('/')?;
        (folder == UPLOADS).then(|| Some((tenant.parse().ok()?, upload.parse().ok()?)))?
    }
}

impl Blobs {
    /// Returns the files of a store.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, signer: Option<Arc<dyn Signer>>) -> Self {
        Self { store, signer, circuit: Circuit::to(Dependency::Blobs) }
    }

    /// Stores a file, replacing what was there.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn put(&self, name: &BlobName, bytes: Bytes) -> Result<(), PortError> {
        let call = Box::pin(async {
            let written = self.store.put(&name.0, bytes.into()).await;
            written.map(|_| ()).map_err(|error| port_error("blob put", error))
        });
        self.circuit.call("put", call).await
    }

    /// Returns a whole file.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn get(&self, name: &BlobName) -> Result<Bytes, PortError> {
        let call = Box::pin(async {
            let found =
                self.store.get(&name.0).await.map_err(|error| port_error("blob get", error))?;
            found.bytes().await.map_err(|error| port_error("blob get", error))
        });
        self.circuit.call("get", call).await
    }

    /// Returns a file's size in bytes and, when that is at most `most`, its bytes: one request where [`Self::size`] and
    /// [`Self::get`] are two.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn get_small(
        &self,
        name: &BlobName,
        most: u64,
    ) -> Result<(u64, Option<Bytes>), PortError> {
        let call = Box::pin(async {
            let found =
                self.store.get(&name.0).await.map_err(|error| port_error("blob get", error))?;
            let size = found.meta.size;
            if size > most {
                return Ok((size, None));
            }
            let bytes = found.bytes().await.map_err(|error| port_error("blob get", error))?;
            Ok((size, Some(bytes)))
        });
        self.circuit.call("get", call).await
    }

    /// Returns a file's size in bytes.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn size(&self, name: &BlobName) -> Result<u64, PortError> {
        let call = Box::pin(async {
            let meta =
                self.store.head(&name.0).await.map_err(|error| port_error("blob head", error))?;
            Ok(meta.size)
        });
        self.circuit.call("head", call).await
    }

    /// Returns the bytes of a file in `range`, which must lie within it.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Internal` when the range is not within it.
    pub async fn range(&self, name: &BlobName, range: Range<u64>) -> Result<Bytes, PortError> {
        let call = Box::pin(async {
            let read = self.store.get_range(&name.0, range).await;
            read.map_err(|error| port_error("blob get", error))
        });
        self.circuit.call("get", call).await
    }

    /// Removes a file; one that is not there is fine.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn delete(&self, name: &BlobName) -> Result<(), PortError> {
        let call = Box::pin(async {
            match self.store.delete(&name.0).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
                Err(error) => Err(port_error("blob delete", error)),
            }
        });
        self.circuit.call("delete", call).await
    }

    /// Returns an address to which anybody who has it may `PUT` one file for `valid_for`, `None` where the store gives none
    /// out.
    ///
    /// # Errors
    /// When the store cannot sign.
    pub async fn address_for_put(
        &self,
        name: &BlobName,
        valid_for: Duration,
    ) -> Result<Option<String>, PortError> {
        let Some(signer) = &self.signer else { return Ok(None) };
        signer.sign_put(name.0.as_ref(), valid_for).await.map(Some)
    }

    /// Answers when the store can be reached; for readiness probes.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn ping(&self) -> Result<(), PortError> {
        let call = Box::pin(async {
            match self.store.head(&Path::from("probe")).await {
                Err(StoreError::NotFound { .. }) => Ok(()),
                // Nobody stores it: whatever answers is not the store.
                Ok(_) => Err(PortError::bare(ErrorKind::Internal, "blob head")),
                Err(error) => Err(port_error("blob head", error)),
            }
        });
        self.circuit.probe(call).await
    }

    /// Removes every file of a document and returns how many there were.
    ///
    /// # Errors
    /// When the store cannot be listed or written.
    pub async fn forget(&self, tenant: &TenantId, document: &DocumentId) -> Result<u64, PortError> {
        let mut removed = 0;
        for folder in [RAW, TEXT] {
            let prefix = Path::from_iter([folder, tenant.as_str(), document.as_str()]);
            removed += self.remove_all(&prefix).await?;
        }
        Ok(removed)
    }

    /// Removes every file of a tenant, in this incarnation, and returns how many there were.
    ///
    /// # Errors
    /// When the store cannot be listed or written.
    pub async fn forget_tenant(&self, tenant: &TenantId) -> Result<u64, PortError> {
        let mut removed = 0;
        for folder in [RAW, TEXT, UPLOADS] {
            removed += self.remove_all(&Path::from_iter([folder, tenant.as_str()])).await?;
        }
        Ok(removed)
    }

    async fn remove_all(&self, prefix: &Path) -> Result<u64, PortError> {
        let call = Box::pin(async {
            let mut removed = 0;
            let listed: Vec<_> = self
                .store
                .list(Some(prefix))
                .try_collect()
                .await
                .map_err(|error| port_error("blob list", error))?;
            for meta in listed {
                match self.store.delete(&meta.location).await {
                    Ok(()) => removed += 1,
                    Err(StoreError::NotFound { .. }) => {}
                    Err(error) => return Err(port_error("blob delete", error)),
                }
            }
            Ok(removed)
        });
        self.circuit.call("delete", call).await
    }
}

fn port_error(operation: &'static str, error: StoreError) -> PortError {
    let kind = match &error {
        StoreError::NotFound { .. } => ErrorKind::NotFound,
        StoreError::AlreadyExists { .. } | StoreError::Precondition { .. } => ErrorKind::Conflict,
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            ErrorKind::Unauthenticated
        }
        StoreError::InvalidPath { .. } | StoreError::NotSupported { .. } => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    PortError::new(kind, operation, error)
}
