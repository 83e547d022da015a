//! What is held on a subject; documents that are kept no longer.

use lectern_core::{
    document::Document,
    errors::ErrorKind,
    ids::{KeyId, QueryId, SessionId, TenantId},
    pricing::MicroDollars,
    time::Timestamp,
};
use lectern_tables::{
    MAX_PAGE, Tables,
    budget::Ledger,
    deletion::Deletion,
    expiry::SweepPlace,
    feedback::{Feedback, Rating},
    holdings::Counted,
    sessions::{MAX_ADDED, SessionMessage, Speaker, WHOSE},
    usage::Usage,
};
use serde_json::json;

use crate::world::{
    a_live_document, a_next, a_place, a_tenant, an_id, at, default_collection, register,
};

fn a_subject(seed: u128) -> KeyId {
    KeyId::new(at(1), seed)
}

fn a_session(seed: u64) -> SessionId {
    SessionId::new(at(seed), 7)
}

fn an_exchange(subject: &KeyId, seed: u64) -> [SessionMessage; 2] {
    let detail = json!({ WHOSE: subject });
    let message = |speaker| SessionMessage {
        query_id: QueryId::new(at(seed), 1),
        speaker,
        text: format!("message {seed}"),
        detail: detail.as_object().unwrap().clone(),
        at: at(seed),
    };
    [message(Speaker::User), message(Speaker::Assistant)]
}

async fn say(tables: &Tables, tenant: &TenantId, subject: &KeyId, session: &SessionId, seed: u64) {
    let exchange = an_exchange(subject, seed);
    let sessions = tables.sessions();
    sessions.append(tenant, session, Some(subject), &exchange, at(100_000)).await.unwrap();
}

/// Erases everything, page by page.
async fn erase(tables: &Tables, tenant: &TenantId, subject: &KeyId) -> (u64, u64) {
    let holdings = tables.holdings();
    let (mut conversations, mut messages) = (0, 0);
    loop {
        let listed = holdings.sessions(tenant, subject, 2, None).await.unwrap();
        let Some(session) = listed.items.first() else { return (conversations, messages) };
        let mut cursor = None::<String>;
        loop {
            let (id, from) = (&session.session_id, cursor.as_deref());
            let erased = holdings.erase_messages(tenant, subject, id, from).await.unwrap();
            messages += erased.removed;
            cursor = erased.next;
            if cursor.is_none() {
                break;
            }
        }
        conversations += u64::from(holdings.unlist(tenant, subject, session).await.unwrap());
    }
}

async fn own(tables: &Tables, tenant: &TenantId, subject: &KeyId, session: &SessionId) -> usize {
    let holdings = tables.holdings();
    let (mut found, mut cursor) = (0, None::<String>);
    loop {
        let page = holdings.messages(tenant, subject, session, 3, cursor.as_deref(), at(200)).await;
        let page = page.unwrap();
        found += page.items.len();
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

pub(crate) async fn a_conversation_of_two_keeps_the_others_messages(tables: &Tables) {
    let (tenant, session) = (a_tenant(), a_session(1));
    let (ann, ben) = (a_subject(1), a_subject(2));
    for seed in 1..6 {
        say(tables, &tenant, &ann, &session, 2 * seed).await;
        say(tables, &tenant, &ben, &session, 2 * seed + 1).await;
    }
    assert_eq!(own(tables, &tenant, &ann, &session).await, 10);
    // Another tenant's subject of the same id has nothing.
    let other = a_tenant();
    assert_eq!(tables.holdings().count(&other, &ann).await.unwrap(), Counted::default());
    assert_eq!(erase(tables, &other, &ann).await, (0, 0));

    assert_eq!(erase(tables, &tenant, &ann).await, (1, 10));
    assert_eq!(own(tables, &tenant, &ann, &session).await, 0);
    assert_eq!(own(tables, &tenant, &ben, &session).await, 10);
    assert_eq!(erase(tables, &tenant, &ann).await, (0, 0));
    let left = tables.holdings().count(&tenant, &ben).await.unwrap();
    assert_eq!(left, Counted { conversations: 1, feedback: 0 });
    let cursor = Some("nonsense");
    let refused = tables.holdings().messages(&tenant, &ann, &session, 3, cursor, at(1)).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    let refused = tables.holdings().sessions(&tenant, &ann, 3, cursor).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
}

pub(crate) async fn a_conversation_that_goes_on_stays_on_the_list(tables: &Tables) {
    let (tenant, session, subject) = (a_tenant(), a_session(1), a_subject(1));
    let holdings = tables.holdings();
    say(tables, &tenant, &subject, &session, 1).await;
    let read = holdings.sessions(&tenant, &subject, 9, None).await.unwrap().items.remove(0);
    holdings.erase_messages(&tenant, &subject, &session, None).await.unwrap();
    say(tables, &tenant, &subject, &session, 2).await;
    assert!(!holdings.unlist(&tenant, &subject, &read).await.unwrap(), "it went on");
    assert_eq!(erase(tables, &tenant, &subject).await, (1, 2));

    // Whose conversation is deleted as a whole loses its entry, too.
    say(tables, &tenant, &subject, &session, 3).await;
    let listed = holdings.session(&tenant, &subject, &session).await.unwrap().unwrap();
    tables.sessions().delete(&tenant, &session).await.unwrap();
    assert!(holdings.unlist(&tenant, &subject, &listed).await.unwrap());
    assert_eq!(holdings.session(&tenant, &subject, &session).await.unwrap(), None);
    assert_eq!(holdings.count(&tenant, &subject).await.unwrap(), Counted::default());

    let many: Vec<SessionMessage> =
        (0..=MAX_ADDED as u64).map(|seed| an_exchange(&subject, seed)[0].clone()).collect();
    let sessions = tables.sessions();
    let refused = sessions.append(&tenant, &session, Some(&subject), &many, at(9)).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::TooLarge);
    let added = sessions.append(&tenant, &session, Some(&subject), &many[1..], at(9)).await;
    added.unwrap();
    let huge = SessionMessage { text: "x".repeat(500 * 1024), ..many[0].clone() };
    let refused = sessions.append(&tenant, &a_session(2), Some(&subject), &[huge], at(9)).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::TooLarge);
    let listed = holdings.count(&tenant, &subject).await.unwrap();
    assert_eq!(listed.conversations, 1, "nothing of an exchange that is refused is kept");
}

pub(crate) async fn long_lists_are_paged(tables: &Tables) {
    let (tenant, subject) = (a_tenant(), a_subject(1));
    let sessions = MAX_PAGE as u64 + 5;
    for seed in 0..sessions {
        say(tables, &tenant, &subject, &a_session(seed), seed).await;
    }
    for seed in 1_000..1_000 + sessions {
        say(tables, &tenant, &subject, &a_session(0), seed).await;
    }
    let holdings = tables.holdings();
    let first = holdings.sessions(&tenant, &subject, usize::MAX, None).await.unwrap();
    let rest = holdings.sessions(&tenant, &subject, 50, first.next.as_deref()).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (MAX_PAGE, 5, None));
    assert_eq!(rest.items[0].session_id, a_session(MAX_PAGE as u64));
    let counted = holdings.count(&tenant, &subject).await.unwrap();
    assert_eq!(counted.conversations, sessions);
    assert_eq!(own(tables, &tenant, &subject, &a_session(0)).await as u64, 2 + 2 * sessions);
    assert_eq!(erase(tables, &tenant, &subject).await, (sessions, 4 * sessions));
    assert_eq!(holdings.count(&tenant, &subject).await.unwrap(), Counted::default());
}

pub(crate) async fn feedback_is_erased_by_who_gave_it(tables: &Tables) {
    let tenant = a_tenant();
    let (ann, ben) = (a_subject(1), a_subject(2));
    let given = |by: &KeyId, seed: u64| Feedback {
        tenant: tenant.clone(),
        query_id: QueryId::new(at(seed), 1),
        rating: Rating::Up,
        comment: Some(format!("comment {seed}")),
        by: Some(by.clone()),
        at: at(seed),
    };
    for seed in 1..8 {
        tables.feedback().put(&given(&ann, seed)).await.unwrap();
    }
    tables.feedback().put(&given(&ben, 3)).await.unwrap();
    let holdings = tables.holdings();
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = holdings.feedback(&tenant, &ann, 2, cursor.as_deref()).await.unwrap();
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<Feedback> = [1, 2, 4, 5, 6, 7].map(|seed| given(&ann, seed)).into();
    assert_eq!(found, expected, "what Ben replaced is Ben's");

    let mut removed = 0;
    loop {
        let erased = holdings.erase_feedback(&tenant, &ann, 3).await.unwrap();
        removed += erased.removed;
        if erased.next.is_none() {
            break;
        }
    }
    assert_eq!(removed, 6);
    assert_eq!(holdings.count(&tenant, &ann).await.unwrap(), Counted::default());
    let left = tables.feedback().get(&tenant, &given(&ben, 3).query_id).await.unwrap();
    assert_eq!(left, Some(given(&ben, 3)));
    assert_eq!(tables.feedback().get(&tenant, &given(&ann, 4).query_id).await.unwrap(), None);
}

pub(crate) async fn usage_and_months_are_of_one_key(tables: &Tables) {
    const DAY: u64 = 24 * 60 * 60;
    let (tenant, ann, ben) = (a_tenant(), a_subject(1), a_subject(2));
    let now = at(400 * DAY);
    let used = Usage { requests: 1, cost_micro_usd: MicroDollars(5), ..Usage::default() };
    for days in [0, 2, 99, 100] {
        let then = at((400 - days) * DAY);
        tables.usage().add(&tenant, Some(&ann), &used, then).await.unwrap();
        tables.usage().add(&tenant, Some(&ben), &used, then).await.unwrap();
        let ledger = Ledger { tenant: &tenant, key: Some(&ann) };
        tables.budgets().spend(ledger, MicroDollars(5), then).await.unwrap();
    }
    let days = tables.usage().of(&tenant, &ann, now, 100).await.unwrap();
    let expected = [0, 2, 99].map(|days| at((400 - days) * DAY).day());
    assert_eq!(days.iter().map(|row| row.day.clone()).collect::<Vec<_>>(), expected);
    assert!(days.iter().all(|row| row.spender == ann.as_str()));
    let refused = tables.usage().of(&tenant, &ann, now, 101).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);

    let ledger = Ledger { tenant: &tenant, key: Some(&ann) };
    let months = tables.budgets().months(ledger, now, 60).await.unwrap();
    let spent: u64 = months.iter().map(|month| month.balance.spent.0).sum();
    assert_eq!((months[0].month.as_str(), spent), (&now.day()[..7], 20));
    assert!(months.is_sorted_by(|one, other| one.month > other.month), "{months:?}");
    let newest = tables.budgets().months(ledger, now, 1).await.unwrap();
    assert_eq!(newest, months[..1]);
    // Over the turn of a year.
    let december = Timestamp::parse_rfc3339("2026-12-31T23:00:00Z").unwrap();
    let january = Timestamp::parse_rfc3339("2027-01-01T01:00:00Z").unwrap();
    let ledger = Ledger { tenant: &tenant, key: Some(&ben) };
    tables.budgets().spend(ledger, MicroDollars(1), december).await.unwrap();
    let two = tables.budgets().months(ledger, january, 2).await.unwrap();
    assert_eq!(two.iter().map(|month| &*month.month).collect::<Vec<_>>(), ["2026-12"]);
}

pub(crate) async fn only_a_document_as_it_was_read_is_deleted(tables: &Tables) {
    let tenant = a_place(tables).await;
    let first = a_live_document(tables, &tenant, 1).await;
    let second = a_live_document(tables, &tenant, 2).await;
    let documents = tables.documents();
    let page = documents.oldest(&tenant, &default_collection(), 1, None).await.unwrap();
    let next = page.next.as_deref();
    let rest = documents.oldest(&tenant, &default_collection(), 9, next).await.unwrap();
    let listed: Vec<_> = page.items.iter().chain(&rest.items).map(|one| one.id.clone()).collect();
    assert_eq!(listed, [first.clone(), second.clone()]);

    let read = documents.get(&tenant, &first).await.unwrap().unwrap();
    let is_as_read = |found: &Document| found.latest_version == read.latest_version;
    register(tables, &a_next(&tenant, &first, 3)).await;
    let deletions = tables.deletions();
    let kept = deletions.begin_if(&tenant, &first, &is_as_read, at(10)).await.unwrap();
    assert_eq!(kept, Deletion::Kept);
    let begun = deletions.begin_if(&tenant, &second, &is_as_read, at(10)).await.unwrap();
    assert!(matches!(begun, Deletion::Begun(_)));
    // What is begun goes on, whatever it should have been.
    let again = deletions.begin_if(&tenant, &second, &|_| false, at(11)).await.unwrap();
    assert!(matches!(again, Deletion::Begun(_)));
    let unknown = deletions.begin_if(&tenant, &an_id(99), &is_as_read, at(10)).await.unwrap();
    assert_eq!(unknown, Deletion::Unknown);
}

pub(crate) async fn a_sweep_goes_on_where_it_stopped(tables: &Tables) {
    let (tenant, collection) = (a_tenant(), default_collection());
    let sweeps = tables.expiry_sweeps();
    let begin = sweeps.get(&tenant, &collection, at(1)).await.unwrap();
    assert_eq!(begin, SweepPlace::default());
    let place = SweepPlace { cursor: Some("000001#x".into()), not_before: at(5) };
    sweeps.put(&tenant, &collection, &place, at(1)).await.unwrap();
    assert_eq!(sweeps.get(&tenant, &collection, at(2)).await.unwrap(), place);
    let forgotten = sweeps.get(&tenant, &collection, at(1 + 24 * 60 * 60)).await.unwrap();
    assert_eq!(forgotten, SweepPlace::default());
}
