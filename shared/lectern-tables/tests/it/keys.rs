//! API keys and their rates.

use std::time::Duration;

use futures::future::join_all;
use lectern_core::{
    auth::{ApiKey, Permission},
    errors::ErrorKind,
    ids::{KeyId, TenantId},
    limits::Verdict,
    pricing::MicroDollars,
    spending::SpendingLimits,
    time::Timestamp,
};
use lectern_tables::{
    Tables,
    keys::{KeyChange, Seen},
};

use crate::world::{a_tenant, at};

/// A key whose id nobody else uses.
pub(crate) fn a_key(tenant: &TenantId, seed: u64, rate_per_minute: u32) -> ApiKey {
    let unique = tenant.as_str().bytes().fold(0_u128, |sum, byte| sum * 31 + u128::from(byte));
    ApiKey {
        id: KeyId::new(at(seed), unique % (1 << 80)),
        tenant: tenant.clone(),
        incarnation: 0,
        name: format!("key {seed}"),
        secret_hmac: "ab".repeat(32),
        permissions: vec![Permission::Query, Permission::Admin],
        collections: None,
        principals: vec!["staff".into()],
        rate_per_minute,
        limits: SpendingLimits::default(),
        allowed_ips: Vec::new(),
        previous_hmac: None,
        previous_until: None,
        created_at: at(seed),
        expires_at: None,
        revoked_at: None,
    }
}

async fn verdict(tables: &Tables, key: &ApiKey, now: Timestamp) -> Verdict {
    let found = tables.keys().authenticate(&key.id, &key.secret_hmac, now, None).await.unwrap();
    found.unwrap().verdict
}

pub(crate) async fn a_burst_of_thirty_lets_thirty_of_sixty_four_through(tables: &Tables) {
    let key = a_key(&a_tenant(), 1, 30);
    tables.keys().create(&key).await.unwrap();
    let callers = (0..64).map(|_| {
        let (tables, key) = (tables.clone(), key.clone());
        tokio::spawn(async move { verdict(&tables, &key, at(100)).await })
    });
    let verdicts: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
    let mut left: Vec<u32> = verdicts
        .iter()
        .filter_map(|verdict| match verdict {
            Verdict::Allowed { remaining, .. } => Some(*remaining),
            Verdict::Refused { retry_after } => {
                assert_eq!(*retry_after, Duration::from_secs(2));
                None
            }
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, (0..30).collect::<Vec<_>>(), "each allowed caller saw its own place");
}

pub(crate) async fn rates_refill(tables: &Tables) {
    let key = a_key(&a_tenant(), 1, 2);
    tables.keys().create(&key).await.unwrap();
    for (seconds, allowed) in
        [(0, true), (0, true), (0, false), (29, false), (30, true), (31, false)]
    {
        let verdict = verdict(tables, &key, at(100 + seconds)).await;
        assert_eq!(matches!(verdict, Verdict::Allowed { .. }), allowed, "after {seconds} s");
    }
    // A caller whose clock is behind neither gains nor breaks anything.
    assert!(matches!(verdict(tables, &key, at(90)).await, Verdict::Refused { .. }));
    let changed = KeyChange {
        name: Some("fast".to_owned()),
        rate_per_minute: Some(60),
        per_day: Some(Some(MicroDollars(5))),
        expires_at: Some(Some(at(9_000))),
        ..KeyChange::default()
    };
    let faster = tables.keys().update(&key.tenant, &key.id, &changed).await.unwrap();
    assert_eq!(faster.limits.per_day, Some(MicroDollars(5)));
    assert_eq!(faster.expires_at, Some(at(9_000)));
    let changed = KeyChange {
        per_day: Some(None),
        expires_at: Some(None),
        allowed_ips: Some(vec!["192.0.2.0/24".parse().unwrap()]),
        ..KeyChange::default()
    };
    let freed = tables.keys().update(&key.tenant, &key.id, &changed).await.unwrap();
    assert_eq!((freed.limits, freed.expires_at), (SpendingLimits::default(), None));
    assert_eq!(freed.allowed_ips.len(), 1);
    let same = tables.keys().update(&key.tenant, &key.id, &KeyChange::default()).await.unwrap();
    assert_eq!(same, freed);
    assert_eq!((faster.name.as_str(), faster.rate_per_minute), ("fast", 60));
    let Verdict::Allowed { remaining, .. } = verdict(tables, &key, at(500)).await else {
        panic!("refused at rest")
    };
    assert_eq!(remaining, 59);
}

pub(crate) async fn a_subject_has_a_rate_of_its_own(tables: &Tables) {
    let tenant = a_tenant();
    let of = |subject| KeyId::of_subject("issuer", tenant.as_str(), subject);
    let callers = (0..64).map(|_| {
        let (tables, id) = (tables.clone(), of("one"));
        tokio::spawn(async move { tables.subjects().take(&id, 30, at(100)).await.unwrap() })
    });
    let verdicts: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
    let mut left: Vec<u32> = verdicts
        .iter()
        .filter_map(|verdict| match verdict {
            Verdict::Allowed { remaining, .. } => Some(*remaining),
            Verdict::Refused { .. } => None,
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, (0..30).collect::<Vec<_>>(), "each allowed caller saw its own place");
    let take = async |subject, seconds| tables.subjects().take(&of(subject), 30, at(seconds)).await;
    assert!(matches!(take("other", 100).await.unwrap(), Verdict::Allowed { remaining: 29, .. }));
    assert!(matches!(take("one", 101).await.unwrap(), Verdict::Refused { .. }));
    assert!(matches!(take("one", 102).await.unwrap(), Verdict::Allowed { remaining: 0, .. }));
    assert!(matches!(take("one", 500).await.unwrap(), Verdict::Allowed { remaining: 29, .. }));
}

pub(crate) async fn what_was_seen_of_a_key_changes_no_verdict(tables: &Tables) {
    let key = a_key(&a_tenant(), 1, 30);
    tables.keys().create(&key).await.unwrap();
    let take = async |seconds, seen| {
        let keys = tables.keys();
        let found = keys.authenticate(&key.id, &key.secret_hmac, at(seconds), seen).await.unwrap();
        found.unwrap().verdict
    };
    let seen = |rate_per_minute, seconds| Some(Seen { rate_per_minute, tat: at(seconds) });
    // Of a quiet key: nothing, what is past, what never was, another rate.
    for (left, seen) in
        (0..30).rev().zip([None, seen(30, 1), seen(30, 900), seen(7, 900)].into_iter().cycle())
    {
        let verdict = take(100, seen).await;
        assert!(
            matches!(verdict, Verdict::Allowed { remaining, .. } if remaining == left),
            "{left}"
        );
    }
    for seen in [None, seen(30, 160), seen(60_000, 101), seen(30, 1)] {
        assert!(matches!(take(100, seen).await, Verdict::Refused { .. }), "{seen:?}");
    }
    assert!(matches!(take(500, seen(30, 501)).await, Verdict::Allowed { remaining: 29, .. }));
    let unknown = tables.keys().authenticate(&key.id, "another", at(500), seen(30, 900)).await;
    assert_eq!(unknown.unwrap(), None);
}

pub(crate) async fn another_secret_takes_nothing(tables: &Tables) {
    let key = a_key(&a_tenant(), 1, 1);
    tables.keys().create(&key).await.unwrap();
    let keys = tables.keys();
    assert_eq!(keys.authenticate(&key.id, "another", at(1), None).await.unwrap(), None);
    let unknown = KeyId::new(at(0), 1);
    assert_eq!(keys.authenticate(&unknown, &key.secret_hmac, at(1), None).await.unwrap(), None);
    let found = keys.authenticate(&key.id, &key.secret_hmac, at(1), None).await.unwrap().unwrap();
    assert_eq!(found.key, key);
    assert!(matches!(found.verdict, Verdict::Allowed { remaining: 0, .. }));
    assert_eq!(keys.authenticate(&key.id, "another", at(1), None).await.unwrap(), None);
}

pub(crate) async fn a_rotated_key_opens_with_both_secrets_for_a_while(tables: &Tables) {
    let key = a_key(&a_tenant(), 1, 60);
    let keys = tables.keys();
    keys.create(&key).await.unwrap();
    let (old, new) = (key.secret_hmac.as_str(), "cd".repeat(32));
    let rotated = keys.rotate(&key.tenant, &key.id, old, &new, at(100)).await.unwrap();
    assert_eq!(rotated.secret_hmac, new);
    for (secret, seconds, opens) in
        [(old, 50, true), (&*new, 50, true), (old, 99, true), (old, 100, false), (&*new, 100, true)]
    {
        let found = keys.authenticate(&key.id, secret, at(seconds), None).await.unwrap();
        assert_eq!(found.is_some(), opens, "{secret} at {seconds}");
    }
    // Whoever rotates what he did not see changes nothing.
    let late = keys.rotate(&key.tenant, &key.id, old, "ef", at(100)).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::NotFound);
    keys.revoke(&key.tenant, &key.id, at(60)).await.unwrap();
    let revoked = keys.rotate(&key.tenant, &key.id, &new, "ef", at(100)).await.unwrap_err();
    assert_eq!(revoked.kind, ErrorKind::NotFound);
}

pub(crate) async fn keys_belong_to_their_tenant(tables: &Tables) {
    let (ours, theirs) = (a_tenant(), a_tenant());
    let keys = tables.keys();
    for seed in 1..=5 {
        keys.create(&a_key(&ours, seed, 10)).await.unwrap();
    }
    let first = a_key(&ours, 1, 10);
    assert_eq!(keys.create(&first).await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(keys.get(&ours, &first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(keys.get(&theirs, &first.id).await.unwrap(), None);
    let foreign = keys.revoke(&theirs, &first.id, at(9)).await.unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::NotFound);

    let page = keys.list(&ours, 3, None).await.unwrap();
    let rest = keys.list(&ours, 3, page.next.as_deref()).await.unwrap();
    let names: Vec<_> = page.items.iter().chain(&rest.items).map(|key| &*key.name).collect();
    assert_eq!(names, ["key 1", "key 2", "key 3", "key 4", "key 5"]);
    assert_eq!(rest.next, None);
    assert!(keys.list(&theirs, 3, None).await.unwrap().items.is_empty());
    let refused = keys.list(&ours, 3, Some("nonsense")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);

    for now in [at(9), at(10)] {
        let revoked = keys.revoke(&ours, &first.id, now).await.unwrap();
        assert_eq!(revoked.revoked_at, Some(at(9)));
        assert!(!revoked.is_active(at(11)));
    }
}
