//! Switching to a restoration, and what follows.

use lectern_app::{
    keys::{Keys, NewKey},
    restore::RestoreState,
};
use lectern_core::{
    auth::{Caller, Credential},
    errors::ErrorKind,
    ids::TenantId,
    passage::Scope,
    ports::PassageReader as _,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    back_up::site::{LONG, Site},
    world::{ask, question, text},
};

fn keys(site: &Site) -> Keys {
    let pepper = SecretString::from("pepper");
    Keys::new(site.world.tables.clone(), pepper.into(), site.world.clock())
}

async fn caller_of(keys: &Keys, key: &SecretString) -> Caller {
    let credential = Credential::parse(key.expose_secret()).unwrap();
    keys.admit(&credential, None).await.unwrap().caller
}

async fn passages(site: &Site, tenant: &TenantId) -> u64 {
    let scope = Scope::tenant(tenant);
    site.world.index.count(&scope).await.unwrap()
}

#[tokio::test]
async fn keys_open_what_is_live_from_one_moment_on_and_back() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    let backup = site.run().await;
    site.add(&text("otter", 2), &["*"]).await;
    let keys = keys(&site);
    let (_, old) = keys.create(&site.world.tenant, NewKey::full("old")).await.unwrap();
    let before = caller_of(&keys, &old).await;
    assert_eq!(before.tenant, site.world.tenant);

    let restored = site.restored(&backup).await;
    assert_eq!(caller_of(&keys, &old).await, before, "beside is not live");
    let live = site.restore().switch(&before, &restored.id).await.unwrap();
    let after = caller_of(&keys, &old).await;
    assert_eq!((after.tenant.clone(), live.state), (live.target(), RestoreState::Live));
    let process = site.world.process();
    assert!(!ask(&process, &after, &question("heron")).await.answer.is_refused());
    assert!(ask(&process, &after, &question("otter")).await.answer.is_refused());

    // A key made now opens what is live now.
    let (_, new) = keys.create(&site.world.tenant, NewKey::full("new")).await.unwrap();
    assert_eq!(caller_of(&keys, &new).await.tenant, live.target());
    // What is backed up from here on is what is live.
    let next = site.back_up().run(&after.tenant, LONG).await.unwrap();
    assert_eq!((next.tenant.as_str(), &next.state_digest), ("acme", &backup.state_digest));

    let undone = site.restore().undo(&after, &live.id).await.unwrap();
    assert_eq!(undone.state, RestoreState::Undone);
    for key in [&old, &new] {
        assert_eq!(caller_of(&keys, key).await.tenant, site.world.tenant);
    }
    assert!(!ask(&process, &before, &question("otter")).await.answer.is_refused());
    assert_eq!(passages(&site, &live.target()).await, 0);
}

#[tokio::test]
async fn what_was_replaced_stays_until_it_is_confirmed() {
    let site = Site::new().await;
    let old = site.add(&text("heron", 1), &["*"]).await;
    let backup = site.run().await;
    let (after, live) = site.switched(&backup).await;
    let caller = after.world.caller(&[]);
    assert_eq!(passages(&site, &site.world.tenant).await, 1);

    // Another one has to wait: there is one way back, not two.
    let second = after.restored(&backup).await;
    let error = after.restore().switch(&caller, &second.id).await.unwrap_err();
    assert!(error.to_string().contains("confirm or undo"), "{error}");

    let confirmed = site.restore().confirm(&caller, &live.id).await.unwrap();
    assert_eq!(confirmed.state, RestoreState::Confirmed);
    assert_eq!(passages(&site, &site.world.tenant).await, 0);
    let documents = site.world.tables.documents();
    assert_eq!(documents.get(&site.world.tenant, &old).await.unwrap(), None);
    assert!(documents.get(&live.target(), &old).await.unwrap().is_some());
    // Keys and backups are the account's and stay.
    assert_eq!(site.back_up().show(&caller, &backup.id).await.unwrap(), backup);
    assert!(site.restore().undo(&caller, &live.id).await.is_err());

    let discarded = site.restore().discard(&caller, &second.id).await.unwrap();
    assert_eq!(discarded.state, RestoreState::Dropped);
    assert_eq!(passages(&site, &second.target()).await, 0);
    let answer = ask(&after.world.process(), &caller, &question("heron")).await;
    assert!(!answer.answer.is_refused());
}

#[tokio::test]
async fn a_hundred_and_fifty_keys_are_switched_and_a_crash_in_between_is_mended() {
    let site = Site::new().await;
    let keys = keys(&site);
    let mut all = Vec::new();
    for number in 0..150 {
        let new = NewKey::full(&format!("key {number}"));
        all.push(keys.create(&site.world.tenant, new).await.unwrap().1);
    }
    let tenants = site.world.tables.tenants();
    let target = tenants.new_incarnation(&site.world.tenant).await.unwrap();
    for _ in 0..2 {
        // Twice, as after a crash behind the first transaction.
        tenants.switch(&site.world.tenant, &target).await.unwrap();
        for key in &all {
            assert_eq!(caller_of(&keys, key).await.tenant, target);
        }
    }
    let third = tenants.new_incarnation(&site.world.tenant).await.unwrap();
    assert_eq!((target.as_str(), third.as_str()), ("acme.1", "acme.2"));
    let error = tenants.switch(&site.world.tenant, &third).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
}
