//! Leases, and how a version goes live, fails or is tried again.

use futures::future::join_all;
use lectern_core::{
    document::{DocumentState, IngestFailure, Progress, Task},
    errors::{ErrorKind, PortError},
};
use lectern_tables::{Tables, ingestion::Switch, versions::Claim};

use crate::world::{
    ATTEMPTS, LEASE, a_live_document, a_next, a_place, a_registration, an_id, at, claim,
    generation, pending, register,
};

fn a_failure() -> IngestFailure {
    IngestFailure { code: "no_text".into(), detail: "upload a document with text".into() }
}

pub(crate) async fn a_first_version_goes_live(tables: &Tables) {
    let tenant = a_place(tables).await;
    let versions = tables.versions();
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let claimed = claim(tables, &tenant, &document, 1, at(2)).await;
    assert_eq!(claimed.version.state, DocumentState::Processing);
    assert_eq!((claimed.version.attempts, claimed.version.lease_until), (1, Some(at(62))));
    assert_eq!(claimed.document.state, DocumentState::Processing);
    assert!(pending(tables, &tenant, at(3)).await.is_empty(), "a worker holds it");
    assert_eq!(pending(tables, &tenant, at(62)).await, [Task::Ingest(1)], "the worker died");

    let progress = Progress { chunks_done: 1, chunks_total: 3 };
    versions.progress(&claimed.lease, &progress, at(4)).await.unwrap();
    let shown = tables.documents().get(&tenant, &document).await.unwrap().unwrap();
    assert_eq!(shown.progress, progress);
    for _ in 0..2 {
        let switch = versions.switch_live(&claimed.lease, 3, at(5)).await.unwrap();
        assert_eq!(switch, Switch::Finished);
    }
    assert_eq!(generation(tables, &tenant).await, 2);
    let ready = tables.documents().get(&tenant, &document).await.unwrap().unwrap();
    assert!(ready.shows(1));
    assert_eq!((ready.state, ready.progress.chunks_done), (DocumentState::Ready, 3));
    assert!(pending(tables, &tenant, at(999)).await.is_empty());
    let again = versions.claim(&tenant, &document, 1, at(999), LEASE, ATTEMPTS).await.unwrap();
    assert_eq!(again, Claim::Finished);
    let gone = versions.claim(&tenant, &an_id(9), 1, at(9), LEASE, ATTEMPTS).await.unwrap();
    assert_eq!(gone, Claim::Gone);
}

pub(crate) async fn a_next_version_retires_the_last(tables: &Tables) {
    let tenant = a_place(tables).await;
    let versions = tables.versions();
    let document = a_live_document(tables, &tenant, 1).await;
    register(tables, &a_next(&tenant, &document, 2)).await;
    let lease = claim(tables, &tenant, &document, 2, at(10)).await.lease;
    for _ in 0..2 {
        let switch = versions.switch_live(&lease, 4, at(11)).await.unwrap();
        assert_eq!(switch, Switch::RetireOlder, "a switch can be repeated");
    }
    assert_eq!(generation(tables, &tenant).await, 3);
    let shown = tables.documents().get(&tenant, &document).await.unwrap().unwrap();
    assert!(shown.shows(2) && !shown.shows(1));
    // The worker dies; another one takes over and has only to retire.
    assert_eq!(pending(tables, &tenant, at(71)).await, [Task::Ingest(2)]);
    let taken = claim(tables, &tenant, &document, 2, at(71)).await;
    assert_eq!((taken.version.state, taken.version.attempts), (DocumentState::Retiring, 2));
    let late = versions.finish(&lease).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict);
    versions.finish(&taken.lease).await.unwrap();
    versions.finish(&taken.lease).await.unwrap();
    assert!(pending(tables, &tenant, at(999)).await.is_empty());
    let stored = versions.get(&tenant, &document, 2).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.chunk_count), (DocumentState::Ready, 4));
}

pub(crate) async fn exactly_one_claim_wins(tables: &Tables) {
    let tenant = a_place(tables).await;
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    for now in [at(2), at(200)] {
        let workers = (0..32).map(|_| {
            let (tables, tenant, document) = (tables.clone(), tenant.clone(), document.clone());
            tokio::spawn(async move {
                tables.versions().claim(&tenant, &document, 1, now, LEASE, ATTEMPTS).await.unwrap()
            })
        });
        let claims: Vec<_> = join_all(workers).await.into_iter().map(Result::unwrap).collect();
        let won = claims.iter().filter(|claim| matches!(claim, Claim::Won(_))).count();
        let held = claims.iter().filter(|claim| **claim == Claim::Held(now + LEASE)).count();
        assert_eq!((won, held), (1, 31));
    }
}

pub(crate) async fn a_lost_lease_writes_nothing(tables: &Tables) {
    let tenant = a_place(tables).await;
    let versions = tables.versions();
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let first = claim(tables, &tenant, &document, 1, at(2)).await.lease;
    let first = versions.renew(&first, at(50), LEASE).await.unwrap();
    let held = versions.claim(&tenant, &document, 1, at(100), LEASE, ATTEMPTS).await.unwrap();
    assert_eq!(held, Claim::Held(at(110)), "the lease was renewed");
    let second = claim(tables, &tenant, &document, 1, at(110)).await.lease;
    let lost = |result: Result<(), PortError>| {
        assert_eq!(result.unwrap_err().kind, ErrorKind::Conflict);
    };
    lost(versions.renew(&first, at(111), LEASE).await.map(|_| ()));
    lost(versions.switch_live(&first, 3, at(111)).await.map(|_| ()));
    lost(versions.fail(&first, &a_failure(), at(111)).await);
    lost(versions.finish(&first).await);
    let document = tables.documents().get(&tenant, &document).await.unwrap().unwrap();
    assert_eq!((document.state, document.live_version), (DocumentState::Processing, None));
    assert_eq!(generation(tables, &tenant).await, 1);
    versions.switch_live(&second, 3, at(112)).await.unwrap();
}

pub(crate) async fn attempts_are_bounded(tables: &Tables) {
    let tenant = a_place(tables).await;
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    for attempt in 1..=u64::from(ATTEMPTS) {
        claim(tables, &tenant, &document, 1, at(attempt * 100)).await;
    }
    let claim = tables.versions().claim(&tenant, &document, 1, at(900), LEASE, ATTEMPTS).await;
    let Claim::Exhausted(claimed) = claim.unwrap() else { panic!("claimed once too often") };
    assert_eq!(claimed.version.attempts, ATTEMPTS + 1);
    tables.versions().fail(&claimed.lease, &a_failure(), at(901)).await.unwrap();
    assert!(pending(tables, &tenant, at(9_999)).await.is_empty());
}

pub(crate) async fn a_superseded_version_is_removed(tables: &Tables) {
    let tenant = a_place(tables).await;
    let versions = tables.versions();
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let slow = claim(tables, &tenant, &document, 1, at(2)).await.lease;
    register(tables, &a_next(&tenant, &document, 2)).await;
    versions.progress(&slow, &Progress { chunks_done: 9, chunks_total: 9 }, at(3)).await.unwrap();
    let fast = claim(tables, &tenant, &document, 2, at(4)).await;
    assert_eq!(fast.document.progress, Progress::default(), "of the newest version only");
    versions.switch_live(&fast.lease, 2, at(5)).await.unwrap();
    let switch = versions.switch_live(&slow, 9, at(6)).await.unwrap();
    assert_eq!(switch, Switch::RetireThis);
    versions.finish(&slow).await.unwrap();
    let shown = tables.documents().get(&tenant, &document).await.unwrap().unwrap();
    assert_eq!((shown.live_version, shown.state), (Some(2), DocumentState::Ready));
    assert_eq!(pending(tables, &tenant, at(999)).await, [Task::Ingest(2)]);

    // An older version that wins the race goes live, and the newest stays what is shown.
    let other = register(tables, &a_registration(&tenant, 5)).await.document.id;
    let older = claim(tables, &tenant, &other, 1, at(2)).await.lease;
    register(tables, &a_next(&tenant, &other, 6)).await;
    assert_eq!(versions.switch_live(&older, 1, at(3)).await.unwrap(), Switch::Finished);
    let shown = tables.documents().get(&tenant, &other).await.unwrap().unwrap();
    assert_eq!((shown.live_version, shown.state), (Some(1), DocumentState::Queued));
}

pub(crate) async fn a_failure_shows_and_keeps_the_live_version(tables: &Tables) {
    let tenant = a_place(tables).await;
    let versions = tables.versions();
    let new = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let lease = claim(tables, &tenant, &new, 1, at(2)).await.lease;
    versions.fail(&lease, &a_failure(), at(3)).await.unwrap();
    let shown = tables.documents().get(&tenant, &new).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.failure), (DocumentState::Failed, Some(a_failure())));

    let live = a_live_document(tables, &tenant, 10).await;
    register(tables, &a_next(&tenant, &live, 11)).await;
    let lease = claim(tables, &tenant, &live, 2, at(20)).await.lease;
    versions.fail(&lease, &a_failure(), at(21)).await.unwrap();
    let shown = tables.documents().get(&tenant, &live).await.unwrap().unwrap();
    assert_eq!((shown.state, &shown.failure), (DocumentState::Ready, &Some(a_failure())));
    assert!(shown.shows(1));

    // A failure of a version that is not the newest is not the document's.
    register(tables, &a_next(&tenant, &live, 12)).await;
    let lease = claim(tables, &tenant, &live, 3, at(30)).await.lease;
    register(tables, &a_next(&tenant, &live, 13)).await;
    versions.fail(&lease, &a_failure(), at(31)).await.unwrap();
    let shown = tables.documents().get(&tenant, &live).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.failure), (DocumentState::Queued, None));
    assert_eq!(pending(tables, &tenant, at(999)).await, [Task::Ingest(4)]);
}

pub(crate) async fn a_retry_starts_anew(tables: &Tables) {
    let tenant = a_place(tables).await;
    let versions = tables.versions();
    let document = register(tables, &a_registration(&tenant, 1)).await.document.id;
    let early = versions.requeue(&tenant, &document, at(2)).await.unwrap_err();
    assert_eq!(early.kind, ErrorKind::Conflict);
    let old = claim(tables, &tenant, &document, 1, at(3)).await.lease;
    versions.fail(&old, &a_failure(), at(4)).await.unwrap();
    let queued = versions.requeue(&tenant, &document, at(5)).await.unwrap();
    assert_eq!((queued.state, queued.failure), (DocumentState::Queued, None));
    assert_eq!(pending(tables, &tenant, at(6)).await, [Task::Ingest(1)]);
    let new = claim(tables, &tenant, &document, 1, at(6)).await;
    assert_eq!(new.version.attempts, 1);
    let late = versions.switch_live(&old, 1, at(7)).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict, "attempts began anew, fences did not");
    versions.switch_live(&new.lease, 1, at(8)).await.unwrap();
    let unknown = versions.requeue(&tenant, &an_id(77), at(9)).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::NotFound);
}

pub(crate) async fn pending_work_is_paged(tables: &Tables) {
    let tenant = a_place(tables).await;
    for seed in 0..7 {
        register(tables, &a_registration(&tenant, seed)).await;
    }
    claim(tables, &tenant, &an_id(3), 1, at(10)).await;
    assert_eq!(pending(tables, &tenant, at(11)).await, vec![Task::Ingest(1); 6]);
    assert_eq!(pending(tables, &tenant, at(70)).await, vec![Task::Ingest(1); 7]);
    let refused = tables.versions().pending(at(1), 5, Some("1#a")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
}
