//! Any interleaving of questions, updates, deletions and changes of ACL: a cached answer is the answer that
//! would be made now.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use lectern_app::ask::{Ask, AskEvent, AskRequest, Asked};
use lectern_core::{document::Version, ids::DocumentId};
use lectern_tables::Tables;
use proptest::{prelude::*, test_runner::TestRunner};

use crate::world::{self, TOPICS, World, ask_with, request};

/// What the documents are about: two of them answer the same question, so that a new document changes an answer.
const SLOTS: [&str; 3] = [TOPICS[0], TOPICS[0], TOPICS[1]];
const CALLERS: [&[&str]; 2] = [&["ops"], &["hr"]];
const ACLS: [&[&str]; 4] = [&["*"], &["ops"], &["hr"], &["ops", "hr"]];
const STEPS: std::ops::Range<usize> = 15..40;

#[derive(Clone, Debug)]
enum Step {
    /// A new version, or a new document, is accepted and brought live.
    Publish {
        topic: usize,
        acl: usize,
    },
    /// One is accepted only.
    Accept {
        topic: usize,
        acl: usize,
    },
    /// What was accepted last goes live.
    Finish {
        topic: usize,
    },
    Delete {
        topic: usize,
    },
    /// A caller asks at one of two processes, then at the other.
    Ask {
        first: usize,
        caller: usize,
        topic: usize,
    },
    /// Time passes, in minutes.
    Wait {
        minutes: u64,
    },
    /// Settings change to what they were.
    Touch,
}

fn step() -> impl Strategy<Value = Step> {
    let topic = 0..SLOTS.len();
    let acl = 0..ACLS.len();
    prop_oneof![
        2 => (topic.clone(), acl.clone()).prop_map(|(topic, acl)| Step::Publish { topic, acl }),
        2 => (topic.clone(), acl).prop_map(|(topic, acl)| Step::Accept { topic, acl }),
        1 => topic.clone().prop_map(|topic| Step::Finish { topic }),
        1 => topic.clone().prop_map(|topic| Step::Delete { topic }),
        14 => (0..2_usize, 0..CALLERS.len(), topic)
            .prop_map(|(first, caller, topic)| Step::Ask { first, caller, topic }),
        1 => (0..200_u64).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Touch),
    ]
}

/// What the model knows of a topic's document.
#[derive(Clone, Debug, Default)]
struct Known {
    document: Option<DocumentId>,
    latest: Version,
    live: Option<Version>,
    /// Of the version accepted last; counts at once.
    acl: usize,
    /// Of the live version's passages.
    live_acl: usize,
    /// The text that was accepted and is not live.
    waiting: Option<String>,
}

impl Known {
    /// The version a caller is shown: its passages and the newest accepted ACL both admit the caller.
    fn shows_to(&self, caller: usize) -> Option<(&DocumentId, Version)> {
        let admits = |acl: usize| {
            let acl = ACLS[acl];
            acl.contains(&"*") || CALLERS[caller].iter().any(|name| acl.contains(name))
        };
        let seen = admits(self.acl) && admits(self.live_acl);
        Some((self.document.as_ref()?, self.live?)).filter(|_| seen)
    }
}

struct Model {
    world: World,
    topics: Vec<Known>,
    texts: usize,
    hits: u64,
}

impl Model {
    async fn accept(&mut self, topic: usize, acl: usize) {
        self.texts += 1;
        let (name, number) = (SLOTS[topic], self.texts);
        let text = world::text(name, number);
        let known = &self.topics[topic];
        let accepted = self.world.accept(known.document.as_ref(), &text, ACLS[acl]).await;
        let known = &mut self.topics[topic];
        (known.document, known.latest) = (Some(accepted.0), accepted.1);
        (known.acl, known.waiting) = (acl, Some(text));
    }

    async fn finish(&mut self, topic: usize) {
        let known = &mut self.topics[topic];
        if let (Some(document), Some(text)) = (&known.document, known.waiting.take()) {
            self.world.make_live(document, known.latest, &text).await;
            (known.live, known.live_acl) = (Some(known.latest), known.acl);
        }
    }

    /// Asks both processes and without the caches: the answers are the same and cite only what is live and seen.
    async fn ask(&mut self, processes: [&Ask; 2], caller: usize, topic: usize) {
        let who = self.world.caller(CALLERS[caller]);
        let question = request(&world::question(SLOTS[topic]));
        let uncached = AskRequest { cache: false, ..question.clone() };
        let made = ask_with(processes[0], &who, &uncached).await.0.unwrap();
        assert!(!made.cache.is_hit());
        for process in processes {
            let (given, events) = ask_with(process, &who, &question).await;
            let given = given.unwrap();
            assert_eq!(
                given.answer, made.answer,
                "the cache says something else: {:?}",
                given.cache
            );
            assert_ne!(given.query_id, made.query_id);
            self.assert_visible(&given, events, caller);
            self.hits += u64::from(given.cache.is_hit());
        }
        let same = (0..SLOTS.len()).filter(|slot| SLOTS[*slot] == SLOTS[topic]);
        let answering = same.filter(|slot| self.topics[*slot].shows_to(caller).is_some()).count();
        assert_eq!(made.answer.citations().len(), answering, "{:?}", self.topics);
    }

    fn assert_visible(&self, given: &Asked, events: Vec<AskEvent>, caller: usize) {
        let visible: Vec<_> =
            self.topics.iter().filter_map(|known| known.shows_to(caller)).collect();
        for citation in given.answer.citations() {
            let cited = (&citation.document_id, citation.version);
            assert!(
                visible.contains(&cited),
                "{cited:?} is not live or not to be seen: {visible:?}"
            );
        }
        for event in events {
            let AskEvent::Retrieval { passages, .. } = event else { continue };
            for found in passages {
                let shown = (&found.passage.document_id, found.passage.version);
                assert!(visible.contains(&shown), "{shown:?} was shown: {visible:?}");
            }
        }
    }

    async fn run(&mut self, step: &Step, processes: &[Ask; 2]) {
        match *step {
            Step::Publish { topic, acl } => {
                self.accept(topic, acl).await;
                self.finish(topic).await;
            }
            Step::Accept { topic, acl } => self.accept(topic, acl).await,
            Step::Finish { topic } => self.finish(topic).await,
            Step::Delete { topic } => {
                if let Some(document) = std::mem::take(&mut self.topics[topic]).document {
                    self.world.delete(&document).await;
                }
            }
            Step::Ask { first, caller, topic } => {
                self.ask([&processes[first], &processes[1 - first]], caller, topic).await;
            }
            Step::Wait { minutes } => self.world.pass(Duration::from_secs(60 * minutes)),
            Step::Touch => self.world.set(serde_json::json!({})).await,
        }
    }
}

/// Runs many interleavings with a second tier; returns how many answers came from a cache.
fn interleave(cases: u32, store: &impl AsyncFn(&World) -> Tables) -> u64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (hits, tenants) = (AtomicU64::new(0), AtomicU64::new(0));
    let engines = runtime.block_on(World::new());
    let store = runtime.block_on(store(&engines));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let steps = proptest::collection::vec(step(), STEPS);
    let run = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async {
            let number = tenants.fetch_add(1, Ordering::SeqCst);
            let world = engines.of(&format!("acme-{number}")).await;
            let processes = [(); 2].map(|()| world.process_with(Some(store.clone())));
            let topics = vec![Known::default(); SLOTS.len()];
            let mut model = Model { world, topics, texts: 0, hits: 0 };
            for step in &steps {
                model.run(step, &processes).await;
            }
            hits.fetch_add(model.hits, Ordering::SeqCst);
        });
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
    hits.into_inner()
}

#[test]
fn a_cached_answer_is_the_answer_of_now() {
    let hits = interleave(16, &async |world| world.tables.clone());
    assert!(hits > 40, "the caches had next to nothing: {hits} hits");
}

#[test]
fn and_when_the_second_tier_fails() {
    // A table that was never created fails every call.
    let hits = interleave(5, &async |_| Tables::connect("embedded::memory:").await.unwrap());
    // How many there are depends on the interleavings; a memory that never hits would show none in any.
    assert!(hits > 0, "memory alone has nothing");
}
