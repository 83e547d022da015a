//! Readers and writers at the same time, judged afterwards by when each thing could have been seen.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use lectern_app::ask::{Ask, AskEvent, AskRequest};
use lectern_core::{document::Version, ids::DocumentId};

use crate::world::{self, TOPICS, World, ask_with, request};

const CALLERS: [&str; 2] = ["ops", "hr"];
const ROUNDS: usize = 12;
const READERS: usize = 6;

/// When a caller could have seen a version: from before the call that showed it began until after the call that
/// ended it returned.
#[derive(Clone, Copy, Debug)]
struct Seen {
    from: Instant,
    until: Option<Instant>,
}

type Shown = (DocumentId, Version, &'static str);

/// What was visible when, and what was cited when.
#[derive(Default)]
struct History {
    seen: Mutex<HashMap<Shown, Seen>>,
    cited: Mutex<Vec<(Shown, Instant, Instant)>>,
    is_over: AtomicBool,
}

impl History {
    fn begin(&self, document: &DocumentId, version: Version, acl: &[&'static str], from: Instant) {
        for caller in acl {
            let seen = Seen { from, until: None };
            self.seen.lock().unwrap().insert((document.clone(), version, caller), seen);
        }
    }

    /// What was to be seen of a document is not any more, for callers and versions that `ends` names.
    fn end(&self, document: &DocumentId, ends: impl Fn(Version, &str) -> bool) {
        let now = Instant::now();
        for ((id, version, caller), seen) in self.seen.lock().unwrap().iter_mut() {
            if id == document && ends(*version, caller) {
                seen.until.get_or_insert(now);
            }
        }
    }
}

/// Publishes, narrows, widens and deletes one topic's document again and again.
async fn write(world: Arc<World>, history: Arc<History>, topic: &'static str) {
    for round in 0..ROUNDS {
        let text = |part: usize| world::text(topic, 2 * round + part);
        let from = Instant::now();
        let (id, first) = world.accept(None, &text(1), &CALLERS).await;
        history.begin(&id, first, &CALLERS, from);
        world.make_live(&id, first, &text(1)).await;
        tokio::task::yield_now().await;

        // The next version closes the document to one caller when it is accepted, and replaces the first
        // when it is live.
        let open: &[&'static str] = &CALLERS[..1];
        let (_, second) = world.accept(Some(&id), &text(2), open).await;
        history.end(&id, |_, caller| !open.contains(&caller));
        tokio::task::yield_now().await;
        history.begin(&id, second, open, Instant::now());
        world.make_live(&id, second, &text(2)).await;
        history.end(&id, |version, _| version == first);
        tokio::task::yield_now().await;

        // The last one stays, for the questions that are asked when all is quiet.
        if round + 1 < ROUNDS {
            world.delete(&id).await;
            history.end(&id, |_, _| true);
        }
    }
}

/// Asks about every topic as every caller until the writers are done.
async fn read(world: Arc<World>, history: Arc<History>, process: Ask, number: usize) -> u64 {
    let mut hits = 0;
    for turn in number.. {
        if history.is_over.load(Ordering::SeqCst) {
            break;
        }
        let name = CALLERS[turn % CALLERS.len()];
        let topic = TOPICS[turn / CALLERS.len() % TOPICS.len()];
        let question = request(&world::question(topic));
        let from = Instant::now();
        let (asked, events) = ask_with(&process, &world.caller(&[name]), &question).await;
        let (asked, until) = (asked.unwrap(), Instant::now());
        hits += u64::from(asked.cache.is_hit());
        let citations = asked.answer.citations().iter();
        let mut shown: Vec<Shown> =
            citations.map(|cited| (cited.document_id.clone(), cited.version, name)).collect();
        for event in events {
            let AskEvent::Retrieval { passages, .. } = event else { continue };
            shown.extend(
                passages
                    .into_iter()
                    .map(|found| (found.passage.document_id, found.passage.version, name)),
            );
        }
        let mut cited = history.cited.lock().unwrap();
        cited.extend(shown.into_iter().map(|shown| (shown, from, until)));
    }
    hits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_cited_that_was_not_live_and_visible_while_it_was_asked() {
    let world = Arc::new(World::new().await);
    let history = Arc::new(History::default());
    let processes = [world.process(), world.process()];
    let readers: Vec<_> = (0..READERS)
        .map(|number| {
            let (world, history) = (Arc::clone(&world), Arc::clone(&history));
            tokio::spawn(read(world, history, processes[number % 2].clone(), number))
        })
        .collect();
    let writers: Vec<_> = TOPICS
        .map(|topic| tokio::spawn(write(Arc::clone(&world), Arc::clone(&history), topic)))
        .into_iter()
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    history.is_over.store(true, Ordering::SeqCst);
    let mut hits = 0;
    for reader in readers {
        hits += reader.await.unwrap();
    }

    // When all is quiet, nothing that was kept in the noise is given any more.
    for (caller, topic) in CALLERS.iter().flat_map(|caller| TOPICS.map(|topic| (caller, topic))) {
        let (who, question) = (world.caller(&[caller]), request(&world::question(topic)));
        let uncached = AskRequest { cache: false, ..question.clone() };
        let made = ask_with(&processes[0], &who, &uncached).await.0.unwrap();
        assert_eq!(made.answer.is_refused(), *caller != CALLERS[0], "{caller} asks of {topic}");
        for process in &processes {
            let given = ask_with(process, &who, &question).await.0.unwrap();
            assert_eq!(given.answer, made.answer, "{caller} asks of {topic}: {:?}", given.cache);
        }
    }

    let seen = history.seen.lock().unwrap();
    let cited = history.cited.lock().unwrap();
    for (shown, from, until) in cited.iter() {
        let when = seen.get(shown).unwrap_or_else(|| panic!("{shown:?} was never to be seen"));
        let overlaps = when.from <= *until && when.until.is_none_or(|ended| ended >= *from);
        assert!(overlaps, "{shown:?} was shown outside {when:?}: {from:?} to {until:?}");
    }
    assert!(cited.len() > 50, "only {} citations were judged", cited.len());
    assert!(hits > 0, "no answer came from a cache");
}
