//! What is held on a subject: shown whole, and erased.

use std::time::Duration;

use lectern_app::{
    ask::Asked,
    conversation::{NewFeedback, WITHDRAWN},
    errors::FlowError,
    keys::{Keys, NewKey},
    subjects::{
        HeldOnSubject, MAX_ISSUER_BYTES, MAX_RECORDS, Named, Speaker, SubjectReceipt, Subjects,
    },
};
use lectern_core::{
    auth::{Caller, Permission},
    ids::{KeyId, QueryId, SessionId},
    secret::LiveSecret,
};
use lectern_tables::sessions::{SessionMessage, WHOSE};
use serde_json::json;

use crate::world::{TOPICS, World, ask_with, question, request, text};

const LONG: Duration = Duration::from_secs(600);

fn subjects(world: &World) -> Subjects {
    Subjects { tables: world.tables.clone(), clock: world.clock() }
}

fn holder(world: &World, seed: u128) -> Caller {
    let key_id = Some(KeyId::new(world.now(), seed));
    Caller { key_id, permissions: vec![Permission::Query], ..world.caller(&[]) }
}

fn id(caller: &Caller) -> &KeyId {
    caller.subject().unwrap()
}

async fn ask_in(world: &World, caller: &Caller, session: Option<&SessionId>) -> Asked {
    let mut request = request(&question(TOPICS[0]));
    request.session_id = session.cloned();
    ask_with(&world.process(), caller, &request).await.0.unwrap()
}

async fn rate(world: &World, caller: &Caller, asked: &Asked) {
    let query_id = asked.query_id.to_string();
    let new = NewFeedback { query_id, helpful: true, comment: Some("good".into()) };
    world.process().feedback(caller, new).await.unwrap();
}

/// Reads all pages into one.
async fn all(world: &World, subject: &KeyId) -> (HeldOnSubject, usize) {
    let admin = world.caller(&[]);
    let mut whole = subjects(world).show(&admin, subject, None).await.unwrap();
    let mut pages = 1;
    while let Some(cursor) = whole.next.take() {
        let page = subjects(world).show(&admin, subject, Some(&cursor)).await.unwrap();
        assert!(page.key.is_none() && page.ledger.is_empty());
        whole.conversations.extend(page.conversations);
        whole.feedback.extend(page.feedback);
        whole.usage.extend(page.usage);
        whole.next = page.next;
        pages += 1;
    }
    (whole, pages)
}

async fn erase(world: &World, subject: &KeyId) -> SubjectReceipt {
    subjects(world).erase(&world.caller(&[]), subject, LONG).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_subject_left_is_shown_and_erased() {
    let world = World::new().await;
    world.add(&text(TOPICS[0], 7), &["*"]).await;
    let (ann, ben) = (holder(&world, 1), holder(&world, 2));
    let asked = ask_in(&world, &ann, None).await;
    world.pass(Duration::from_secs(5));
    ask_in(&world, &ann, Some(&asked.session_id)).await;
    // Whoever knows a conversation's id can speak in it; each has their own part.
    ask_in(&world, &ben, Some(&asked.session_id)).await;
    rate(&world, &ann, &asked).await;

    let (held, _) = all(&world, id(&ann)).await;
    let messages = &held.conversations[0].messages;
    let speakers: Vec<Speaker> = messages.iter().map(|message| message.speaker).collect();
    assert_eq!(held.conversations.len(), 1);
    assert_eq!(speakers, [Speaker::User, Speaker::Assistant, Speaker::User, Speaker::Assistant]);
    assert_eq!(messages[0].text, question(TOPICS[0]));
    assert!(messages[1].text.contains('7'), "{}", messages[1].text);
    assert_eq!(messages[2].at, messages[0].at + Duration::from_secs(5));
    assert_eq!(held.feedback[0].comment.as_deref(), Some("good"));
    assert_eq!((held.usage.len(), held.usage[0].usage.requests), (1, 2));
    assert!(held.key.is_none());

    let receipt = erase(&world, id(&ann)).await;
    assert!(receipt.done, "{receipt:?}");
    assert_eq!(
        (receipt.conversations_deleted, receipt.messages_deleted, receipt.feedback_deleted),
        (1, 4, 1)
    );
    assert_eq!((receipt.conversations_remaining, receipt.feedback_remaining), (0, 0));
    let (left, _) = all(&world, id(&ann)).await;
    assert!(left.conversations.is_empty() && left.feedback.is_empty());
    assert_eq!(left.usage, held.usage, "sums add up");
    let refused = world.process().conversation(&ann, &asked.session_id).await.unwrap_err();
    assert!(matches!(refused, FlowError::NotFound("session")));
    let (of_ben, _) = all(&world, id(&ben)).await;
    assert_eq!(of_ben.conversations[0].messages.len(), 2);

    let again = erase(&world, id(&ann)).await;
    assert_eq!((again.done, again.messages_deleted, again.feedback_deleted), (true, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_administrator_of_the_account_is_told_and_erases() {
    let world = World::new().await;
    let ann = holder(&world, 1);
    ask_in(&world, &ann, None).await;
    let flow = subjects(&world);
    for caller in [&ann, &holder(&world, 2)] {
        let refused = flow.show(caller, id(&ann), None).await.unwrap_err();
        assert!(matches!(refused, FlowError::Forbidden(_)));
        let refused = flow.erase(caller, id(&ann), LONG).await.unwrap_err();
        assert!(matches!(refused, FlowError::Forbidden(_)));
        let named = Named::Visitor { key_id: id(&ann).clone(), visitor: "v".into() };
        assert!(matches!(flow.id_of(caller, &named), Err(FlowError::Forbidden(_))));
    }
    let other = world.of("other").await;
    let (nothing, _) = all(&other, id(&ann)).await;
    assert_eq!(nothing, HeldOnSubject::default());
    assert_eq!(erase(&other, id(&ann)).await.messages_deleted, 0);
    assert_eq!(all(&world, id(&ann)).await.0.conversations.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_shown_and_stays() {
    let world = World::new().await;
    let pepper = LiveSecret::from("pepper");
    let keys = Keys::new(world.tables.clone(), pepper, world.clock());
    let (key, _) = keys.create(&world.tenant, NewKey::full("site")).await.unwrap();
    let (held, _) = all(&world, &key.id).await;
    assert_eq!(held.key.as_ref().map(|key| &*key.name), Some("site"));
    assert!(erase(&world, &key.id).await.done);
    let left = world.tables.keys().get(&world.tenant, &key.id).await.unwrap();
    assert!(left.is_some_and(|key| key.revoked_at.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cites_a_document_that_is_gone_is_withheld() {
    let world = World::new().await;
    let document = world.add(&text(TOPICS[0], 7), &["*"]).await;
    let ann = holder(&world, 1);
    ask_in(&world, &ann, None).await;
    world.delete(&document).await;
    let (held, _) = all(&world, id(&ann)).await;
    let messages = &held.conversations[0].messages;
    assert_eq!((&*messages[0].text, &*messages[1].text), (&*question(TOPICS[0]), WITHDRAWN));
}

/// Puts conversations of so many exchanges each into the table.
async fn talk(world: &World, caller: &Caller, conversations: u128, exchanges: u64) {
    let now = world.now();
    for number in 0..conversations {
        let session = SessionId::new(now, number);
        for exchange in 0..exchanges {
            let at = now + Duration::from_millis(exchange);
            let detail = json!({ WHOSE: id(caller) });
            let message = |speaker| SessionMessage {
                query_id: QueryId::new(at, number),
                speaker,
                text: format!("{number} {exchange}"),
                detail: detail.as_object().unwrap().clone(),
                at,
            };
            let messages = [message(Speaker::User), message(Speaker::Assistant)];
            let (sessions, until) = (world.tables.sessions(), at + LONG);
            let added =
                sessions.append(&world.tenant, &session, caller.subject(), &messages, until);
            added.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_bounded_and_leave_nothing_out() {
    let world = World::new().await;
    let ann = holder(&world, 1);
    talk(&world, &ann, 3, 90).await;
    let admin = world.caller(&[]);
    let first = subjects(&world).show(&admin, id(&ann), None).await.unwrap();
    let count = |held: &HeldOnSubject| {
        held.conversations.iter().map(|one| one.messages.len()).sum::<usize>()
    };
    assert_eq!((count(&first), first.next.is_some()), (MAX_RECORDS, true));
    let (whole, pages) = all(&world, id(&ann)).await;
    assert_eq!((count(&whole), pages), (540, 3));
    let mut texts: Vec<_> =
        whole.conversations.iter().flat_map(|one| &one.messages).map(|it| &it.text).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 270, "each exchange once");
    // Many conversations of nothing are many reads, of which a page has so many.
    let ben = holder(&world, 2);
    talk(&world, &ben, 130, 1).await;
    world.pass(2 * LONG);
    let (expired, pages) = all(&world, id(&ben)).await;
    assert_eq!((count(&expired), pages), (0, 2));

    for cursor in ["", "s_x", "m_01ARZ3NDEKTSV4RRFFQ69G5FAV_x", "u_1_9999"] {
        let refused = subjects(&world).show(&admin, id(&ann), Some(cursor)).await.unwrap_err();
        assert!(matches!(refused, FlowError::Invalid(_)), "{cursor}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_without_time_does_a_step_and_goes_on_when_called_again() {
    let world = World::new().await;
    let (ann, admin) = (holder(&world, 1), world.caller(&[]));
    talk(&world, &ann, 60, 1).await;
    let flow = subjects(&world);
    let (mut calls, mut conversations, mut messages) = (0, 0, 0);
    loop {
        let receipt = flow.erase(&admin, id(&ann), Duration::ZERO).await.unwrap();
        calls += 1;
        conversations += receipt.conversations_deleted;
        messages += receipt.messages_deleted;
        assert_eq!(receipt.conversations_remaining, 60 - conversations);
        if receipt.done {
            break;
        }
    }
    assert_eq!((calls, conversations, messages), (3, 60, 120));

    // A long conversation stays on the list until its last page is gone.
    talk(&world, &ann, 1, 60).await;
    let first = flow.erase(&admin, id(&ann), Duration::ZERO).await.unwrap();
    assert_eq!(
        (first.done, first.messages_deleted, first.conversations_remaining),
        (false, 100, 1)
    );
    let second = flow.erase(&admin, id(&ann), Duration::ZERO).await.unwrap();
    assert_eq!((second.done, second.messages_deleted), (true, 20));
}

#[test]
fn ids_follow_from_names() {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let world = tokio.block_on(World::new());
    let (flow, admin) = (subjects(&world), world.caller(&[]));
    let token = |issuer: &str, subject: &str| Named::Token {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
    };
    let named = flow.id_of(&admin, &token("https://login.example", "u-1")).unwrap();
    assert_eq!(named, KeyId::of_subject("https://login.example", "acme", "u-1"));
    // A restored incarnation is the same account.
    let restored = Caller { tenant: admin.tenant.in_incarnation(2), ..admin.clone() };
    assert_eq!(flow.id_of(&restored, &token("https://login.example", "u-1")).unwrap(), named);
    let longest = "i".repeat(MAX_ISSUER_BYTES);
    assert!(flow.id_of(&admin, &token(&longest, &"s".repeat(256))).is_ok());
    for (issuer, subject) in
        [("", "s"), ("i", ""), (&*"i".repeat(MAX_ISSUER_BYTES + 1), "s"), ("i", &*"s".repeat(257))]
    {
        let refused = flow.id_of(&admin, &token(issuer, subject)).unwrap_err();
        assert!(matches!(refused, FlowError::Invalid(_)));
    }
}
