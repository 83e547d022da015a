//! Passages that belong to nobody, for measuring the index alone.

use lectern_core::{
    analysis::{self, Bm25},
    document::Metadata,
    ids::{CollectionId, DocumentId, TenantId},
    passage::{EVERYBODY, Passage, PassageQuery, Point, Span},
    time::Timestamp,
};

/// Most passages of each ranking, as a question takes them.
pub(super) const RANKING_DEPTH: usize = lectern_app::search::RANKING_DEPTH;

pub(super) fn tenant() -> TenantId {
    "bench".parse().expect("`bench` is a slug")
}

/// Returns the point of a text, number `ordinal` of the corpus, found again by `name`.
pub(super) fn point(ordinal: u64, name: &str, text: String, dense: Option<Vec<f32>>) -> Point {
    let language = analysis::detect_language(&text);
    let sparse = Bm25::default().document_vector(&text, language);
    let passage = Passage {
        tenant: tenant(),
        collection: CollectionId::default_collection(),
        document_id: DocumentId::new(Timestamp::from_millis(0), u128::from(ordinal)),
        version: 1,
        ordinal: 0,
        document_name: name.to_owned(),
        heading: String::new(),
        page: None,
        line: 1,
        span: Span { start: 0, end: text.len() },
        text,
        text_sha256: String::new(),
        hostility: None,
        personal: None,
        language: language.to_owned(),
        acl: vec![EVERYBODY.to_owned()],
        metadata: Metadata::new(),
    };
    Point { passage, dense, sparse }
}

/// Returns the search for a question.
pub(super) fn query(question: &str, dense: Option<Vec<f32>>) -> PassageQuery {
    PassageQuery {
        tenant: tenant(),
        collection: CollectionId::default_collection(),
        principals: Vec::new(),
        filter: None,
        hostile_from: None,
        dense,
        sparse: analysis::query_vector(question, analysis::detect_language(question)),
        limit: RANKING_DEPTH,
    }
}
