//! Restored data takes over, and writers wait for a backup's last look.

use std::time::Duration;

use futures::future::join_all;
use lectern_core::{errors::ErrorKind, ids::TenantId};
use lectern_tables::{Tables, generation::MAX_HOLD};

use crate::{
    keys::a_key,
    world::{a_place, a_registration, a_tenant, at, default_collection, register},
};

pub(crate) async fn a_held_collection_lets_nothing_change_until_it_is_released(tables: &Tables) {
    let tenant = a_place(tables).await;
    let (collections, id) = (tables.collections(), default_collection());
    let hour = Duration::from_secs(3_600);
    collections.hold(&tenant, &id, at(1), at(1) + hour).await.unwrap();
    let read = collections.get(&tenant, &id).await.unwrap().unwrap();
    // A document that answers nothing yet changes nothing that answers.
    register(tables, &a_registration(&tenant, 1)).await;

    let outdating = collections.bump_generation(&tenant, &id, at(1));
    let changing = collections.update(&read, read.revision, at(1));
    let releasing = async {
        let held = collections.get(&tenant, &id).await.unwrap().unwrap();
        assert_eq!(held.generation, read.generation);
        collections.release(&tenant, &id).await.unwrap();
    };
    let (outdated, changed, ()) = tokio::join!(outdating, changing, releasing);
    assert!(outdated.is_ok() && changed.is_ok());
    let now = collections.get(&tenant, &id).await.unwrap().unwrap();
    assert_eq!(now.generation, read.generation + 2);

    // Whoever held it died: the hold ends by itself, however long it was meant to be.
    collections.hold(&tenant, &id, at(10), at(10) + hour).await.unwrap();
    let after = at(10) + MAX_HOLD;
    assert!(collections.bump_generation(&tenant, &id, after).await.is_ok());
    let nobodys = collections.hold(&a_tenant(), &id, at(1), at(2)).await.unwrap_err();
    assert_eq!(nobodys.kind, ErrorKind::NotFound);
}

pub(crate) async fn no_key_is_left_behind_by_a_switch(tables: &Tables) {
    let tenant = a_place(tables).await;
    let target = tables.tenants().new_incarnation(&tenant).await.unwrap();
    let creating = join_all((0..24).map(|seed| {
        let (tables, key) = (tables.clone(), a_key(&tenant, 100 + seed, 60));
        async move { tables.keys().create(&key).await.map(|key| key.id) }
    }));
    let tenants = tables.tenants();
    let (created, switched) = tokio::join!(creating, tenants.switch(&tenant, &target));
    // One of them can lose against the others for good; a switch that did is tried again.
    if switched.is_err() {
        tables.tenants().switch(&tenant, &target).await.unwrap();
    }
    let mut stored = 0;
    for id in created.into_iter().flatten() {
        let key = tables.keys().get(&target, &id).await.unwrap().unwrap();
        assert_eq!((key.tenant, key.incarnation), (tenant.clone(), 1), "{id}");
        stored += 1;
    }
    assert!(stored > 0);
    assert_eq!(tables.tenants().live(&tenant).await.unwrap(), target);
    assert_eq!(tables.tenants().live(&target).await.unwrap(), target);
}

pub(crate) async fn a_live_incarnation_is_not_removed_and_another_leaves_nothing(tables: &Tables) {
    let tenant = a_place(tables).await;
    register(tables, &a_registration(&tenant, 1)).await;
    let refused = tables.restores().remove(&tenant).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);

    let target: TenantId = tables.tenants().new_incarnation(&tenant).await.unwrap();
    let (documents, _) = tables.documents().every(&tenant, 10, None).await.unwrap();
    let id = documents[0].id.clone();
    let version = tables.versions().get(&tenant, &id, 1).await.unwrap().unwrap();
    tables.restores().put_documents(&target, documents, vec![version]).await.unwrap();
    assert!(tables.documents().get(&target, &id).await.unwrap().is_some());
    tables.restores().remove(&target).await.unwrap();
    assert_eq!(tables.documents().get(&target, &id).await.unwrap(), None);
    assert_eq!(tables.versions().get(&target, &id, 1).await.unwrap(), None);
    assert!(tables.documents().get(&tenant, &id).await.unwrap().is_some());
}
