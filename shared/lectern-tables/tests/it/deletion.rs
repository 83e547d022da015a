//! Deleting documents.

use lectern_core::{
    document::{DeletionReceipt, DocumentState, Task},
    errors::ErrorKind,
    ids::DocumentId,
};
use lectern_tables::{
    Tables,
    deletion::{Deletion, TOMBSTONE_TTL},
    ingestion::Switch,
    registration::Registration,
    versions::Claim,
};

use crate::world::{
    ATTEMPTS, LEASE, a_live_document, a_next, a_place, a_registration, a_tenant, an_id, at, claim,
    default_collection, generation, pending, register,
};

fn a_receipt(document: &DocumentId) -> DeletionReceipt {
    DeletionReceipt {
        document_id: document.clone(),
        deleted_at: at(10),
        passages_deleted: 3,
        passages_remaining: 0,
        blobs_deleted: 2,
    }
}

pub(crate) async fn a_deleted_document_stops_answering_and_leaves_a_receipt(tables: &Tables) {
    let tenant = a_place(tables).await;
    let deletions = tables.deletions();
    let document = a_live_document(tables, &tenant, 1).await;
    register(tables, &a_next(&tenant, &document, 2)).await;
    let lease = claim(tables, &tenant, &document, 2, at(5)).await.lease;
    for now in [at(10), at(11)] {
        let Deletion::Begun(deleting) = deletions.begin(&tenant, &document, now).await.unwrap()
        else {
            panic!("the deletion was not begun")
        };
        assert_eq!((deleting.state, deleting.updated_at), (DocumentState::Deleting, at(10)));
        assert!(!deleting.shows(1));
    }
    assert_eq!(generation(tables, &tenant).await, 3, "cached answers are outdated at once");
    assert_eq!(tables.versions().switch_live(&lease, 1, at(12)).await.unwrap(), Switch::Gone);
    let work = pending(tables, &tenant, at(12)).await;
    assert_eq!(work, [Task::Forget]);
    let refused = tables.documents().register(&a_next(&tenant, &document, 3), at(12)).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Conflict);
    let full = tables.collections().delete(&tenant, &default_collection()).await.unwrap_err();
    assert_eq!(full.kind, ErrorKind::Conflict);

    let receipt = a_receipt(&document);
    let kept = deletions.finish(&tenant, &receipt, at(13)).await.unwrap();
    let other = DeletionReceipt { passages_deleted: 0, ..receipt.clone() };
    let again = deletions.finish(&tenant, &other, at(14)).await.unwrap();
    assert_eq!((&kept, &again), (&receipt, &receipt), "the first receipt stands");
    let repeated = deletions.begin(&tenant, &document, at(15)).await.unwrap();
    assert_eq!(repeated, Deletion::Done(receipt));
    assert_eq!(tables.documents().get(&tenant, &document).await.unwrap(), None);
    assert!(tables.versions().list(&tenant, &document, 10).await.unwrap().is_empty());
    assert!(pending(tables, &tenant, at(999)).await.is_empty());
    let claim = tables.versions().claim(&tenant, &document, 2, at(999), LEASE, ATTEMPTS).await;
    assert_eq!(claim.unwrap(), Claim::Gone);
    let refused = tables.documents().register(&a_next(&tenant, &document, 3), at(16)).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Conflict, "deleted for good");
    let expired = deletions.begin(&tenant, &document, at(14) + TOMBSTONE_TTL).await.unwrap();
    assert_eq!(expired, Deletion::Unknown);
    tables.collections().delete(&tenant, &default_collection()).await.unwrap();
}

pub(crate) async fn a_deletion_removes_many_versions(tables: &Tables) {
    let tenant = a_place(tables).await;
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    for seed in 2..=30 {
        register(tables, &a_next(&tenant, &document, seed)).await;
    }
    tables.deletions().begin(&tenant, &document, at(10)).await.unwrap();
    tables.deletions().finish(&tenant, &a_receipt(&document), at(11)).await.unwrap();
    assert!(tables.versions().list(&tenant, &document, 100).await.unwrap().is_empty());
    assert!(pending(tables, &tenant, at(999)).await.is_empty());
}

pub(crate) async fn content_can_return_while_its_document_is_being_deleted(tables: &Tables) {
    let tenant = a_place(tables).await;
    let old = a_live_document(tables, &tenant, 1).await;
    tables.deletions().begin(&tenant, &old, at(10)).await.unwrap();
    let registration = Registration { new_id: an_id(50), ..a_registration(&tenant, 1) };
    let new = register(tables, &registration).await;
    assert_eq!((&new.document.id, new.created), (&an_id(50), true));
    tables.deletions().finish(&tenant, &a_receipt(&old), at(11)).await.unwrap();
    let again = register(tables, &a_registration(&tenant, 1)).await;
    assert_eq!((again.document.id, again.created), (an_id(50), false), "still known by content");
}

pub(crate) async fn only_begun_deletions_finish(tables: &Tables) {
    let tenant = a_place(tables).await;
    let document = a_live_document(tables, &tenant, 1).await;
    let receipt = a_receipt(&document);
    let refused = tables.deletions().finish(&tenant, &receipt, at(9)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NotFound);
    let unknown = tables.deletions().begin(&a_tenant(), &document, at(9)).await.unwrap();
    assert_eq!(unknown, Deletion::Unknown);
    let stored = tables.documents().get(&tenant, &document).await.unwrap().unwrap();
    assert!(stored.shows(1));
}
