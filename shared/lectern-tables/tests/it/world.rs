//! Engines, and things to put into them.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lectern_core::{
    document::Metadata,
    ids::{CollectionId, DocumentId, TenantId},
    time::Timestamp,
};
use lectern_tables::{
    Tables,
    collections::Collection,
    registration::{Registered, Registration},
    versions::{Claim, Claimed},
};

pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const ATTEMPTS: u32 = 3;

/// An engine in memory, or the table named by `LECTERN_TEST_DYNAMODB_URL` (needs the `aws` feature).
/// Emulators that do not isolate concurrent requests fail the promises about concurrency.
pub(crate) async fn memory_or_service() -> Tables {
    let url = std::env::var_os("LECTERN_TEST_DYNAMODB_URL");
    let url = url.and_then(|url| url.into_string().ok());
    connect(url.as_deref().unwrap_or("embedded::memory:")).await
}

pub(crate) async fn file(folder: &Path) -> Tables {
    connect(&format!("embedded://{}/deep/lectern.db", folder.display())).await
}

pub(crate) async fn connect(url: &str) -> Tables {
    let tables = Tables::connect(url).await.unwrap();
    tables.ensure().await.unwrap();
    tables
}

/// A moment of the tests. Every rule takes time as an argument; the wall clock plays no part.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis((1_795_230_000 + seconds) * 1_000)
}

/// A tenant nobody else uses, also when a table outlives the run.
pub(crate) fn a_tenant() -> TenantId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("t{started}-{count}").parse().unwrap()
}

pub(crate) fn default_collection() -> CollectionId {
    CollectionId::default_collection()
}

/// A tenant with an empty collection.
pub(crate) async fn a_place(tables: &Tables) -> TenantId {
    let tenant = a_tenant();
    let collection = Collection::new(tenant.clone(), default_collection(), "Default".into(), at(0));
    assert!(tables.collections().create_if_absent(&collection).await.unwrap());
    tenant
}

pub(crate) fn an_id(seed: u64) -> DocumentId {
    DocumentId::new(at(seed), u128::from(seed) + 1)
}

/// A registration whose content, id and name follow from `seed`.
pub(crate) fn a_registration(tenant: &TenantId, seed: u64) -> Registration {
    Registration {
        tenant: tenant.clone(),
        collection: default_collection(),
        document_id: None,
        new_id: an_id(seed),
        by_content: true,
        name: format!("{seed}.md"),
        media_type: "text/markdown".into(),
        size_bytes: 5,
        sha256: format!("{seed:064x}"),
        acl: vec!["*".into()],
        metadata: Metadata::new(),
        uploaded_by: None,
    }
}

/// The registration of a next version of `document` with the content of `seed`.
pub(crate) fn a_next(tenant: &TenantId, document: &DocumentId, seed: u64) -> Registration {
    Registration { document_id: Some(document.clone()), ..a_registration(tenant, seed) }
}

pub(crate) async fn register(tables: &Tables, registration: &Registration) -> Registered {
    tables.documents().register(registration, at(1)).await.unwrap()
}

/// Claims a version that is free.
pub(crate) async fn claim(
    tables: &Tables,
    tenant: &TenantId,
    document: &DocumentId,
    version: u32,
    now: Timestamp,
) -> Claimed {
    let claim = tables.versions().claim(tenant, document, version, now, LEASE, ATTEMPTS).await;
    match claim.unwrap() {
        Claim::Won(claimed) => *claimed,
        other => panic!("the claim was not won: {other:?}"),
    }
}

/// Registers a document and brings its first version live.
pub(crate) async fn a_live_document(tables: &Tables, tenant: &TenantId, seed: u64) -> DocumentId {
    let document = register(tables, &a_registration(tenant, seed)).await.document.id;
    let claimed = claim(tables, tenant, &document, 1, at(2)).await;
    tables.versions().switch_live(&claimed.lease, 3, at(3)).await.unwrap();
    document
}

/// The generation of the default collection.
pub(crate) async fn generation(tables: &Tables, tenant: &TenantId) -> u64 {
    let collection = tables.collections().get(tenant, &default_collection()).await.unwrap();
    collection.unwrap().generation
}

/// All pending work of the tenant that is free at `now`, read two at a time.
pub(crate) async fn pending(
    tables: &Tables,
    tenant: &TenantId,
    now: Timestamp,
) -> Vec<lectern_core::document::Task> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = tables.versions().pending(now, 2, cursor.as_deref()).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items.into_iter().filter(|job| job.tenant == *tenant));
        cursor = page.next;
        if cursor.is_none() {
            return found.into_iter().map(|job| job.task).collect();
        }
    }
}
