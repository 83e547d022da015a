//! What waits too long keeps new documents out, until it is worked off.

use std::{sync::Arc, time::Duration};

use lectern_app::{
    backlog::{Backlog, MAX_AGE},
    blobs::Blobs,
    errors::FlowError,
    upload::{NewDocument, Upload},
    uploads::{NewUpload, Uploads},
};
use lectern_core::{document::Metadata, ids::CollectionId};

use crate::{fetch::Doorbell, world::World};

/// Returns the flow that accepts documents.
pub(crate) fn upload(world: &World, backlog: Backlog) -> Upload {
    Upload {
        tables: world.tables.clone(),
        blobs: Blobs::new(Arc::new(object_store::memory::InMemory::new()), None),
        jobs: Arc::new(Doorbell),
        clock: world.clock(),
        max_bytes: 1 << 20,
        backlog,
    }
}

fn document(text: &'static str) -> NewDocument {
    NewDocument {
        collection: CollectionId::default_collection(),
        document_id: None,
        new_id: None,
        name: "otters.md".into(),
        bytes: text.into(),
        acl: Vec::new(),
        metadata: Metadata::new(),
    }
}

fn announced() -> NewUpload {
    NewUpload {
        collection: CollectionId::default_collection(),
        document_id: None,
        name: "otters.md".into(),
        size_bytes: 5,
        acl: Vec::new(),
        metadata: Metadata::new(),
    }
}

#[tokio::test]
async fn documents_that_wait_for_an_hour_keep_others_out() {
    let world = World::new().await;
    let (open, caller) = (upload(&world, Backlog::ignored()), world.caller(&[]));
    let backlog = || Backlog::of(world.tables.clone(), world.clock());
    let first = open.upload(&caller, document("Otters burrow.")).await.unwrap();

    world.pass(MAX_AGE);
    let watching = upload(&world, backlog());
    watching.upload(&caller, document("Herons nest.")).await.expect("an hour is not more than one");

    world.pass(Duration::from_secs(10));
    let refused = watching.upload(&caller, document("Martens den.")).await;
    let Err(FlowError::Behind { retry_after }) = refused else { panic!("{refused:?}") };
    assert_eq!(retry_after, Duration::from_secs(60));
    let uploads = Uploads { upload: watching.clone() };
    let refused = uploads.announce(&caller, announced()).await;
    assert!(matches!(refused, Err(FlowError::Behind { .. })), "{refused:?}");
    // A file that is there is taken in.
    open.upload(&caller, document("Foxes den.")).await.unwrap();

    world.make_live(&first.document.id, first.version, "Otters burrow.").await;
    let refused = watching.upload(&caller, document("Martens den.")).await;
    assert!(matches!(refused, Err(FlowError::Behind { .. })), "what was read holds for 10 s");
    world.pass(Duration::from_secs(10));
    let refused = watching.upload(&caller, document("Martens den.")).await;
    assert!(refused.is_ok(), "the next waits for 20 s: {refused:?}");
}
