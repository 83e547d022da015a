//! Passages, points and queries for tests of an index.

use lectern_core::{
    analysis::SparseVector,
    document::Version,
    ids::{DocumentId, TenantId},
    passage::{EVERYBODY, Passage, PassageQuery, Point, Scope, Span, Visibility},
    ports::{EmbeddingModel, PassageWriter},
    time::Timestamp,
};
use serde_json::Map;

/// Length of the dense vectors the suite writes.
pub const DIMENSIONS: usize = 4;

/// Returns the embedding model whose index the suite runs on.
#[must_use]
pub fn model() -> EmbeddingModel {
    EmbeddingModel { id: "contract".to_owned(), dimensions: DIMENSIONS }
}

/// Returns the tenant `contract-<name>`.
///
/// # Panics
/// When that is no tenant's name.
#[must_use]
pub fn a_tenant(name: &str) -> TenantId {
    format!("contract-{name}").parse().expect("tests name tenants in lower case")
}

/// Returns chunk `ordinal` of version `version` of document number `document`: everybody may see it, its
/// collection is the default one, its text is distinct.
///
/// # Panics
/// Never.
#[must_use]
pub fn a_passage(tenant: &TenantId, document: u64, version: Version, ordinal: u32) -> Passage {
    let text = format!("Chunk {ordinal} of document {document} – آزمائش");
    let start = 100 * ordinal as usize;
    Passage {
        tenant: tenant.clone(),
        collection: "default".parse().expect("a slug"),
        document_id: DocumentId::new(Timestamp::from_millis(document), u128::from(document)),
        version,
        ordinal,
        document_name: format!("document-{document}.md"),
        heading: "Handbook › Backups".to_owned(),
        page: Some(ordinal + 1),
        line: ordinal + 1,
        span: Span { start, end: start + text.len() },
        text,
        text_sha256: format!("{ordinal:064x}"),
        hostility: None,
        personal: None,
        language: "eng".to_owned(),
        acl: vec![EVERYBODY.to_owned()],
        metadata: Map::new(),
    }
}

/// Returns `passage` as a point that lies at `angle` (radians, in the plane of the first two
/// dimensions) and holds term `ordinal` once and term 7 as often as `weight` says.
#[must_use]
pub fn a_point(passage: Passage, angle: f32, weight: f32) -> Point {
    let mut dense = vec![0.0; DIMENSIONS];
    dense[0] = angle.cos();
    dense[1] = angle.sin();
    // Terms ascend; ordinals are kept apart from term 7.
    let own_term = 1_000 + passage.ordinal;
    let sparse = SparseVector { indices: vec![7, own_term], values: vec![weight, 1.0] };
    Point { passage, dense: Some(dense), sparse }
}

/// Returns a query of `tenant` that asks for angle 0 and term 7, as nobody in particular.
///
/// # Panics
/// Never.
#[must_use]
pub fn a_query(tenant: &TenantId) -> PassageQuery {
    let mut dense = vec![0.0; DIMENSIONS];
    dense[0] = 1.0;
    PassageQuery {
        tenant: tenant.clone(),
        collection: "default".parse().expect("a slug"),
        principals: Vec::new(),
        filter: None,
        hostile_from: None,
        dense: Some(dense),
        sparse: SparseVector { indices: vec![7], values: vec![1.0] },
        limit: 10,
    }
}

/// Returns what everybody of a tenant may see of its default collection.
///
/// # Panics
/// Never.
#[must_use]
pub fn everybody(tenant: &TenantId) -> Visibility {
    Visibility {
        tenant: tenant.clone(),
        collection: "default".parse().expect("a slug"),
        principals: Vec::new(),
    }
}

/// Returns the scope of everything a tenant has.
#[must_use]
pub fn everything(tenant: &TenantId) -> Scope {
    Scope::tenant(tenant)
}

/// Removes everything a tenant has: before a test, for what an earlier, broken run left, and after it.
///
/// # Panics
/// When the deletion fails.
pub async fn clear(writer: &dyn PassageWriter, tenant: &TenantId) {
    writer.delete(&everything(tenant)).await.unwrap();
}
