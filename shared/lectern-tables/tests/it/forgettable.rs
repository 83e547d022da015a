//! Conversations, cached values, replayed responses and feedback.

use std::time::Duration;

use futures::future::join_all;
use lectern_core::{
    errors::ErrorKind,
    ids::{QueryId, SessionId},
};
use lectern_tables::{
    MAX_PAGE, Tables,
    cache::{CacheWrite, MAX_VALUE_BYTES},
    feedback::{Feedback, Rating},
    idempotency::{Begin, StoredResponse},
    sessions::{SessionMessage, Speaker},
};
use serde_json::json;

use crate::world::{a_tenant, at};

fn a_message(seed: u64, speaker: Speaker) -> SessionMessage {
    let detail = json!({"citations": [{"score": 1.0}]});
    SessionMessage {
        query_id: QueryId::new(at(seed), 1),
        speaker,
        text: format!("message {seed}"),
        detail: detail.as_object().unwrap().clone(),
        at: at(seed),
    }
}

pub(crate) async fn conversations_are_bounded_and_expire(tables: &Tables) {
    let (tenant, session) = (a_tenant(), SessionId::new(at(1), 1));
    let sessions = tables.sessions();
    let until = at(1_000);
    for seed in 0..60 {
        let turn = [a_message(seed, Speaker::User), a_message(seed, Speaker::Assistant)];
        sessions.append(&tenant, &session, None, &turn, until).await.unwrap();
        if seed == 0 {
            sessions.append(&tenant, &session, None, &turn, until).await.unwrap();
        }
    }
    let last = sessions.list(&tenant, &session, 3, at(70)).await.unwrap();
    let expected = [
        a_message(58, Speaker::Assistant),
        a_message(59, Speaker::User),
        a_message(59, Speaker::Assistant),
    ];
    assert_eq!(last, expected);
    let most = sessions.list(&tenant, &session, usize::MAX, at(70)).await.unwrap();
    assert_eq!(most.len(), MAX_PAGE);
    assert!(sessions.list(&tenant, &session, 9, at(1_000)).await.unwrap().is_empty());
    assert!(sessions.list(&a_tenant(), &session, 9, at(70)).await.unwrap().is_empty());
    assert_eq!(sessions.delete(&tenant, &session).await.unwrap(), 120);
    assert!(sessions.list(&tenant, &session, 9, at(70)).await.unwrap().is_empty());
    let text = "x".repeat(500 * 1024);
    let huge = SessionMessage { text, ..a_message(1, Speaker::User) };
    let refused = sessions.append(&tenant, &session, None, &[huge], until).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);
}

pub(crate) async fn cached_values_expire(tables: &Tables) {
    let hash = a_tenant().to_string();
    let cache = tables.cache();
    assert_eq!(cache.get(&hash, at(1)).await.unwrap(), None);
    let value = vec![7; MAX_VALUE_BYTES];
    cache.put(&hash, value.clone(), at(100)).await.unwrap();
    assert_eq!(cache.get(&hash, at(99)).await.unwrap(), Some(value));
    assert_eq!(cache.get(&hash, at(100)).await.unwrap(), None);
    cache.put(&hash, vec![1], at(200)).await.unwrap();
    assert_eq!(cache.get(&hash, at(100)).await.unwrap(), Some(vec![1]));
    let refused = cache.put(&hash, vec![7; MAX_VALUE_BYTES + 1], at(100)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);
}

pub(crate) async fn cached_values_are_kept_many_at_once(tables: &Tables) {
    let (cache, name) = (tables.cache(), a_tenant());
    let write = |number: u8| CacheWrite {
        hash: format!("{name}-{number}"),
        value: vec![number],
        until: at(100 + u64::from(number)),
    };
    let twice = CacheWrite { value: vec![99], ..write(0) };
    let writes = (0..30).map(write).chain([twice]).collect();
    cache.put_many(writes).await.unwrap();
    let hashes: Vec<String> = (0..40).chain(0..2).map(|number| write(number).hash).collect();
    let found = cache.get_many(&hashes, at(110)).await.unwrap();
    assert_eq!(found.len(), 19, "those after the tenth are alive");
    assert_eq!(found[&write(29).hash], [29]);
    let found = cache.get_many(&hashes[..1], at(1)).await.unwrap();
    assert_eq!(found[&hashes[0]], [99], "the last write of a hash stays");
    assert!(cache.get_many(&[], at(1)).await.unwrap().is_empty());
    cache.put_many(Vec::new()).await.unwrap();

    let many: Vec<String> = (0..101).map(|number| format!("{name}+{number}")).collect();
    let refused = cache.get_many(&many, at(1)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);
    let huge = CacheWrite { value: vec![0; MAX_VALUE_BYTES + 1], ..write(50) };
    let refused = cache.put_many(vec![write(51), huge]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TooLarge);
    assert_eq!(cache.get(&write(51).hash, at(1)).await.unwrap(), None);
}

pub(crate) async fn a_request_is_carried_out_once(tables: &Tables) {
    let tenant = a_tenant();
    let (deadline, keep) = (Duration::from_secs(30), Duration::from_secs(3_600));
    let begin = |payload: &'static str, seconds: u64| {
        let (tables, tenant) = (tables.clone(), tenant.clone());
        async move {
            let requests = tables.idempotency();
            requests.begin(&tenant, "hash", payload, at(seconds), deadline, keep).await.unwrap()
        }
    };
    let senders = (0..16).map(|_| tokio::spawn(begin("one", 0)));
    let begun: Vec<_> = join_all(senders).await.into_iter().map(Result::unwrap).collect();
    let started = begun.iter().filter(|begin| matches!(begin, Begin::Started(_))).count();
    let waiting = begun.iter().filter(|begin| **begin == Begin::InProgress(at(30))).count();
    assert_eq!((started, waiting), (1, 15));
    let Some(Begin::Started(first)) = begun.into_iter().find(|it| matches!(it, Begin::Started(_)))
    else {
        panic!("nobody started")
    };
    assert_eq!(begin("two", 1).await, Begin::Mismatch);
    // The first sender dies; at the deadline the next one begins, and the first comes too late.
    let Begin::Started(second) = begin("one", 30).await else { panic!("the deadline passed") };
    let content_type = Some("application/json".to_owned());
    let response = StoredResponse { status: 202, body: "{\"id\": 1.0}".into(), content_type };
    let late = tables.idempotency().complete(&first, &response).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict);
    tables.idempotency().abandon(&first).await.unwrap();
    tables.idempotency().complete(&second, &response).await.unwrap();
    assert_eq!(begin("one", 40).await, Begin::Replay(response));
    assert_eq!(begin("two", 40).await, Begin::Mismatch);
    tables.idempotency().abandon(&second).await.unwrap();
    assert!(matches!(begin("one", 41).await, Begin::Replay(_)), "a completed one stays");
    let Begin::Started(third) = begin("two", 3_630).await else { panic!("it was forgotten") };
    tables.idempotency().abandon(&third).await.unwrap();
    assert!(matches!(begin("one", 3_631).await, Begin::Started(_)), "an abandoned one is free");
}

pub(crate) async fn feedback_is_replaced(tables: &Tables) {
    let (tenant, query_id) = (a_tenant(), QueryId::new(at(1), 1));
    let up = Feedback {
        tenant: tenant.clone(),
        query_id: query_id.clone(),
        rating: Rating::Up,
        comment: None,
        by: None,
        at: at(2),
    };
    tables.feedback().put(&up).await.unwrap();
    let down = Feedback { rating: Rating::Down, comment: Some("wrong".into()), ..up };
    tables.feedback().put(&down).await.unwrap();
    assert_eq!(tables.feedback().get(&tenant, &query_id).await.unwrap(), Some(down));
    assert_eq!(tables.feedback().get(&a_tenant(), &query_id).await.unwrap(), None);
}
