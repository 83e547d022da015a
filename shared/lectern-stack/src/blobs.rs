//! Files in S3, or in a folder.

use std::{sync::Arc, time::Duration};

// Only for its features: object_store's client is this one, and without them it speaks no TLS.
use reqwest as _;

use async_trait::async_trait;
use http::Method;
use lectern_app::{
    back_up::{BackupStore, seal::Seal},
    blobs::{Blobs, Signer},
};
use lectern_core::errors::{ErrorKind, PortError};
use object_store::{
    ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
    local::LocalFileSystem,
    path::Path,
    prefix::PrefixStore,
    signer::Signer as _,
};
use secrecy::SecretString;

const OPERATION: &str = "open blobs";
/// Longest wait for a connection to S3.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest time of one request to S3: a document of the largest size at 2 MB/s.
const REQUEST: Duration = Duration::from_secs(30);
/// Most tries after the first, and the longest time of all together.
const RETRIES: usize = 4;
const RETRY_TIME: Duration = Duration::from_secs(60);

/// Returns the files at `s3://bucket`, `s3://bucket/prefix` or `file:///folder`. Region, credentials and endpoint of S3 come
/// from the environment (`AWS_REGION`, `AWS_ACCESS_KEY_ID` …, `AWS_ENDPOINT_URL`). Opens no connection.
///
/// # Errors
/// `Invalid` when the URL is none of these or the environment lacks what S3 needs.
pub fn open(url: &str) -> Result<Blobs, PortError> {
    match url.split_once("://") {
        Some(("s3", place)) => bucket(place),
        Some(("file", folder)) => {
            let store = LocalFileSystem::new_with_prefix(folder).map_err(invalid)?;
            Ok(Blobs::new(Arc::new(store), None))
        }
        _ => Err(invalid("blobs are at s3://bucket or file:///folder")),
    }
}

/// Returns where backups are kept, at a URL as for [`open`]; with lines of `age-keygen`, encrypted.
///
/// # Errors
/// `Invalid` when the URL is none, or the lines are not identities.
pub fn open_backups(url: &str, identity: Option<SecretString>) -> Result<BackupStore, PortError> {
    let seal = identity.map(|identity| Seal::parse(&identity)).transpose();
    let seal = seal.map_err(|error| {
        PortError::new(ErrorKind::Invalid, "read LECTERN_BACKUP_IDENTITY", error)
    })?;
    // What S3 has accepted stays.
    Ok(BackupStore { objects: open(url)?.store, seal: seal.map(Arc::new), barrier: None })
}

fn bucket(place: &str) -> Result<Blobs, PortError> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    // Only a stand-in on this machine is reached without TLS.
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint).unwrap_or_default();
    let is_loopback = endpoint.starts_with("http://127.0.0.1:");
    let options = ClientOptions::new()
        .with_allow_http(is_loopback)
        .with_connect_timeout(CONNECT)
        .with_timeout(REQUEST);
    let retry =
        RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
    let store = builder.with_client_options(options).with_retry(retry).build().map_err(invalid)?;
    if prefix.is_empty() {
        let signer = Bucket { store: store.clone() };
        return Ok(Blobs::new(Arc::new(store), Some(Arc::new(signer))));
    }
    let store = PrefixStore::new(store, prefix);
    Ok(Blobs::new(Arc::new(store), None))
}

/// Signs with the function's own credentials: an address ends with them, if not before.
#[derive(Debug)]
struct Bucket {
    store: AmazonS3,
}

#[async_trait]
impl Signer for Bucket {
    async fn sign_put(&self, name: &str, valid_for: Duration) -> Result<String, PortError> {
        let signed = self.store.signed_url(Method::PUT, &Path::from(name), valid_for).await;
        signed
            .map(Into::into)
            .map_err(|error| PortError::new(ErrorKind::Internal, "blob sign", error))
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(ErrorKind::Invalid, OPERATION, error)
}
