//! Collections, and accepting, reading and listing documents.

use futures::future::join_all;
use lectern_core::{
    document::{DocumentState, IngestFailure, Task},
    errors::ErrorKind,
    passage::EVERYBODY,
};
use lectern_tables::{
    Tables, collections::Collection, documents::MAX_MANY, registration::Registration,
};
use serde_json::json;

use crate::world::{
    a_live_document, a_next, a_place, a_registration, a_tenant, an_id, at, claim,
    default_collection, generation, pending, register,
};

pub(crate) async fn the_same_content_is_one_document(tables: &Tables) {
    let tenant = a_place(tables).await;
    let writers = (0..16).map(|writer| {
        let registration =
            Registration { new_id: an_id(100 + writer), ..a_registration(&tenant, 1) };
        let tables = tables.clone();
        tokio::spawn(async move { register(&tables, &registration).await })
    });
    let outcomes: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    let winner = outcomes.iter().find(|outcome| outcome.created).unwrap().document.id.clone();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.created).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.document.id == winner && outcome.version == 1));
    assert_eq!(pending(tables, &tenant, at(2)).await, [Task::Ingest(1)]);
    let collection = tables.collections().get(&tenant, &default_collection()).await.unwrap();
    assert_eq!(collection.unwrap().document_count, 1);
    let version = tables.versions().get(&tenant, &winner, 1).await.unwrap().unwrap();
    assert_eq!((version.state, version.attempts), (DocumentState::Queued, 0));
    let document = tables.documents().get(&tenant, &winner).await.unwrap().unwrap();
    assert_eq!((document.state, document.live_version), (DocumentState::Queued, None));
}

pub(crate) async fn other_metadata_makes_a_version(tables: &Tables) {
    let tenant = a_place(tables).await;
    let mut registration = a_registration(&tenant, 1);
    registration.metadata.insert("price".into(), json!(1.0));
    let first = register(tables, &registration).await;
    assert!(!register(tables, &registration).await.created, "1.0 reads back as 1.0");
    registration.metadata.insert("price".into(), json!(2));
    let second = register(tables, &registration).await;
    assert!(first.created && second.created);
    assert_eq!((first.version, second.version), (1, 2));
    assert_eq!(second.document.id, first.document.id);
    // Whoever has the same bytes for other eyes has a document of their own, and opens nothing.
    let closed = Registration { acl: vec!["board".into()], new_id: an_id(9), ..registration };
    let third = register(tables, &closed).await;
    assert_eq!((third.created, third.version, third.document.id), (true, 1, an_id(9)));
    let stored = tables.documents().get(&tenant, &first.document.id).await.unwrap().unwrap();
    assert_eq!(stored.acl, [EVERYBODY]);
    // Files are told apart by where they lie.
    let file = Registration { by_content: false, new_id: an_id(10), ..closed };
    assert_eq!(register(tables, &file).await.document.id, an_id(10));
    // Read again after an interruption, the file is the document it was.
    let again = register(tables, &file).await;
    assert_eq!((again.created, again.version, &again.document.id), (false, 1, &an_id(10)));
    let changed = Registration { sha256: a_registration(&tenant, 7).sha256, ..file };
    let second = register(tables, &changed).await;
    assert_eq!((second.created, second.version, &second.document.id), (true, 2, &an_id(10)));
    // For other eyes, and with bytes that are another document's, it is still that file.
    let opened = Registration { acl: vec![EVERYBODY.into()], ..changed };
    assert_eq!(register(tables, &opened).await.version, 3);
    let equal = Registration { sha256: stored.sha256, ..opened };
    let third = register(tables, &equal).await;
    assert_eq!((third.created, third.version, &third.document.id), (true, 4, &an_id(10)));
}

pub(crate) async fn a_named_document_gets_the_next_version(tables: &Tables) {
    let tenant = a_place(tables).await;
    let document = a_live_document(tables, &tenant, 1).await;
    let unchanged = register(tables, &a_next(&tenant, &document, 1)).await;
    assert!(!unchanged.created);
    assert_eq!(unchanged.document.state, DocumentState::Ready);
    let next = register(tables, &a_next(&tenant, &document, 2)).await;
    assert_eq!((next.version, next.created), (2, true));
    let stored = tables.documents().get(&tenant, &document).await.unwrap().unwrap();
    assert_eq!(stored, next.document);
    assert!(stored.shows(1), "the live version answers until the next one is ready");
    assert_eq!(stored.state, DocumentState::Queued);
    assert_eq!(pending(tables, &tenant, at(9)).await, [Task::Ingest(2)]);
}

pub(crate) async fn replaced_content_is_free_again(tables: &Tables) {
    let tenant = a_place(tables).await;
    let first = register(tables, &a_registration(&tenant, 1)).await.document.id;
    register(tables, &a_next(&tenant, &first, 2)).await;
    let again =
        register(tables, &Registration { new_id: an_id(9), ..a_registration(&tenant, 1) }).await;
    assert!(again.created);
    assert_eq!(again.document.id, an_id(9));
    // A named document may hold what another one holds; the bytes then lead to it.
    register(tables, &a_next(&tenant, &first, 1)).await;
    let led = register(tables, &a_registration(&tenant, 1)).await;
    assert_eq!((led.document.id, led.created), (first, false));
}

pub(crate) async fn concurrent_versions_are_numbered_one_by_one(tables: &Tables) {
    let tenant = a_place(tables).await;
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let writers = (0..6).map(|writer| {
        let (tables, registration) = (tables.clone(), a_next(&tenant, &document, 10 + writer));
        tokio::spawn(async move { register(&tables, &registration).await.version })
    });
    let versions = join_all(writers).await.into_iter().map(Result::unwrap);
    let mut versions: Vec<_> = versions.collect();
    versions.sort_unstable();
    assert_eq!(versions, [2, 3, 4, 5, 6, 7]);
    let listed = tables.versions().list(&tenant, &document, 100).await.unwrap();
    assert_eq!(listed.len(), 7);
}

pub(crate) async fn a_failed_document_is_tried_again_with_the_same_bytes(tables: &Tables) {
    let tenant = a_place(tables).await;
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let lease = claim(tables, &tenant, &document, 1, at(2)).await.lease;
    let failure = IngestFailure { code: "encrypted".into(), detail: "remove the password".into() };
    tables.versions().fail(&lease, &failure, at(3)).await.unwrap();
    let again = register(tables, &a_registration(&tenant, 1)).await;
    assert_eq!((again.version, again.created, again.document.failure), (2, true, None));
}

pub(crate) async fn registering_asks_for_an_existing_place(tables: &Tables) {
    let tenant = a_place(tables).await;
    let documents = tables.documents();
    let kind = |registration: Registration| async move {
        documents.register(&registration, at(1)).await.unwrap_err().kind
    };
    assert_eq!(kind(a_next(&tenant, &an_id(5), 1)).await, ErrorKind::NotFound);
    let elsewhere = "elsewhere".parse().unwrap();
    let registration = Registration { collection: elsewhere, ..a_registration(&tenant, 1) };
    assert_eq!(kind(registration.clone()).await, ErrorKind::NotFound);
    assert_eq!(kind(a_registration(&a_tenant(), 1)).await, ErrorKind::NotFound);
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let moved = Registration { document_id: Some(document), ..registration };
    assert_eq!(kind(moved).await, ErrorKind::Conflict);
}

pub(crate) async fn many_are_read_at_once(tables: &Tables) {
    let tenant = a_place(tables).await;
    let (one, two) = (a_registration(&tenant, 1), a_registration(&tenant, 2));
    let one = register(tables, &one).await.document;
    let two = register(tables, &two).await.document;
    let wanted = [two.id.clone(), one.id.clone(), two.id.clone(), an_id(7)];
    let collection = default_collection();
    let found = tables.documents().get_many_with_collection(&tenant, &wanted, &collection).await;
    let found = found.unwrap();
    assert_eq!(found.collection.unwrap().document_count, 2);
    let mut documents = found.documents;
    documents.sort_by(|left, right| left.id.cmp(&right.id));
    assert_eq!(documents, [one, two]);
    assert!(tables.documents().get_many(&a_tenant(), &wanted).await.unwrap().is_empty());
    assert!(tables.documents().get_many(&tenant, &[]).await.unwrap().is_empty());
    let too_many: Vec<_> = (0..=MAX_MANY as u64).map(an_id).collect();
    let refused = tables.documents().get_many(&tenant, &too_many).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);
    assert!(tables.documents().get_many(&tenant, &too_many[1..]).await.is_ok());
}

pub(crate) async fn lists_are_paged_newest_first(tables: &Tables) {
    let tenant = a_place(tables).await;
    for seed in 0..23 {
        let registration = a_registration(&tenant, seed);
        tables.documents().register(&registration, at(seed)).await.unwrap();
    }
    claim(tables, &tenant, &an_id(4), 1, at(30)).await;
    let collection = default_collection();
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = tables
            .documents()
            .list(&tenant, &collection, None, 5, cursor.as_deref())
            .await
            .unwrap();
        assert!(page.items.len() <= 5);
        names.extend(page.items.into_iter().map(|document| document.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..23).rev().map(|seed| format!("{seed}.md")).collect();
    assert_eq!(names, expected);
    let working = Some(DocumentState::Processing);
    let found = tables.documents().list(&tenant, &collection, working, 1, None).await.unwrap();
    assert_eq!(found.items.len(), 1, "found behind pages of others");
    assert_eq!(found.items[0].id, an_id(4));
    let queued = Some(DocumentState::Queued);
    let first = tables.documents().list(&tenant, &collection, queued, 19, None).await.unwrap();
    let cursor = first.next.as_deref();
    let rest = tables.documents().list(&tenant, &collection, queued, 19, cursor).await.unwrap();
    let rest: Vec<_> = rest.items.into_iter().map(|document| document.name).collect();
    assert_eq!((first.items.len(), rest), (19, vec!["2.md".into(), "1.md".into(), "0.md".into()]));
    for bad in ["", "#", "1#x", &format!("{:015}#{}x", 1, an_id(1)), &format!("x#{}", an_id(1))] {
        let refused = tables.documents().list(&tenant, &collection, None, 5, Some(bad)).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid, "{bad}");
    }
}

pub(crate) async fn collections_change_only_as_read(tables: &Tables) {
    let tenant = a_place(tables).await;
    let collections = tables.collections();
    let again = Collection::new(tenant.clone(), default_collection(), "Again".into(), at(1));
    assert!(!collections.create_if_absent(&again).await.unwrap());
    let mut read = collections.get(&tenant, &default_collection()).await.unwrap().unwrap();
    assert_eq!(read.name, "Default");
    read.settings.insert("ratio".into(), json!(1.0));
    let written = collections.update(&read, read.revision, at(2)).await.unwrap();
    assert_eq!((&written.settings, written.revision), (&read.settings, 2));
    assert_eq!(written.generation, 2, "settings change answers");
    let late = collections.update(&read, read.revision, at(3)).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict);
    assert_eq!(
        collections.bump_generation(&tenant, &default_collection(), at(3)).await.unwrap(),
        3
    );
    assert_eq!(generation(tables, &tenant).await, 3);

    register(tables, &a_registration(&tenant, 1)).await;
    let held = collections.delete(&tenant, &default_collection()).await.unwrap_err();
    assert_eq!(held.kind, ErrorKind::Conflict);
    let absent = a_tenant();
    assert!(collections.delete(&absent, &default_collection()).await.is_ok());
    let missing =
        collections.bump_generation(&absent, &default_collection(), at(3)).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    let nobodys = Collection::new(absent, default_collection(), "None".into(), at(1));
    let missing = collections.update(&nobodys, 1, at(1)).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
}

pub(crate) async fn collections_are_paged(tables: &Tables) {
    let tenant = a_place(tables).await;
    for id in ["alpha", "beta", "gamma"] {
        let collection = Collection::new(tenant.clone(), id.parse().unwrap(), id.into(), at(1));
        assert!(tables.collections().create_if_absent(&collection).await.unwrap());
    }
    let first = tables.collections().list(&tenant, 3, None).await.unwrap();
    let ids: Vec<_> = first.items.iter().map(|collection| collection.id.as_str()).collect();
    assert_eq!(ids, ["alpha", "beta", "default"]);
    let rest = tables.collections().list(&tenant, 3, first.next.as_deref()).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let refused = tables.collections().list(&tenant, 3, Some("#")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
}
