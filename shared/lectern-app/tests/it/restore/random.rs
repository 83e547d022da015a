//! Whatever there is comes back: random collections, from either index to the other, digests and answers the same.

use std::{collections::BTreeMap, sync::Arc};

use lectern_app::{
    back_up::{BackUp, Backup},
    restore::{Restoration, Restore, RestoreState},
};
use lectern_core::{
    analysis::query_vector,
    ids::{CollectionId, DocumentId, TenantId},
    passage::{PassageQuery, Scope, ScoredPassage},
    ports::{PassageReader, PassageWriter},
};
use lectern_index::{IndexSettings, Qdrant, Timeouts};
use lectern_testkit::qdrant_facade::Facade;
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    back_up::{
        TINY,
        sealing::identity,
        site::{LONG, Site},
    },
    world::World,
};

/// Questions asked of both.
const QUESTIONS: usize = 100;
const ACLS: [&[&str]; 3] = [&["*"], &["ops"], &["ops", "hr"]];

#[derive(Clone, Debug)]
enum Step {
    Add {
        text: String,
        acl: usize,
        passages: usize,
    },
    Change {
        which: usize,
        text: String,
    },
    Delete {
        which: usize,
    },
    /// Deleted, and the same text added again.
    Renew {
        which: usize,
    },
    /// A version that no worker took.
    Accept {
        text: String,
    },
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{3,9}( [a-z]{3,9}){0,30}\\.",
        2 => "[\\p{Arabic}\\p{Devanagari}\\p{Han}\\p{Cyrillic} ]{1,60}",
        1 => "\\PC{0,80}",
        1 => Just("line\r\n\ttab \u{0}\u{200d}\u{1F469}\u{200d}\u{1F4BB} \"quoted\\\"".to_owned()),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any_text(), 0..ACLS.len(), 1..5_usize)
            .prop_map(|(text, acl, passages)| Step::Add { text, acl, passages }),
        2 => (any::<usize>(), any_text()).prop_map(|(which, text)| Step::Change { which, text }),
        1 => any::<usize>().prop_map(|which| Step::Delete { which }),
        1 => any::<usize>().prop_map(|which| Step::Renew { which }),
        1 => any_text().prop_map(|text| Step::Accept { text }),
    ]
}

/// Does the steps; returns the texts that answer.
async fn play(site: &Site, steps: &[Step]) -> Vec<String> {
    let mut documents: Vec<(DocumentId, String)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        // Equal contents are one document: a number tells them apart.
        let own = |text: &str| format!("{text} {number}");
        site.world.pass(std::time::Duration::from_millis(3));
        match step {
            Step::Add { text, acl, passages } => {
                let text = own(text);
                let id = site.add(&text, ACLS[*acl]).await;
                split(site, &id, *passages).await;
                documents.push((id, text));
            }
            Step::Change { which, text } => {
                if let Some((id, old)) = pick(&mut documents, *which) {
                    *old = own(text);
                    let text = old.clone();
                    site.change(&id.clone(), &text).await;
                }
            }
            Step::Delete { which } if !documents.is_empty() => {
                let (id, _) = documents.remove(which % documents.len());
                site.delete(&id).await;
            }
            Step::Renew { which } => {
                if let Some((id, text)) = pick(&mut documents, *which) {
                    site.delete(id).await;
                    *id = site.add(text, &["*"]).await;
                }
            }
            Step::Accept { text } => {
                site.world.accept(None, &own(text), &["*"]).await;
            }
            Step::Delete { .. } => {}
        }
    }
    documents.into_iter().map(|(_, text)| text).collect()
}

fn pick(documents: &mut [(DocumentId, String)], which: usize) -> Option<&mut (DocumentId, String)> {
    let count = documents.len();
    documents.get_mut(which.checked_rem(count)?)
}

/// Gives a document further passages.
async fn split(site: &Site, id: &DocumentId, passages: usize) {
    let scope = Scope::document(&site.world.tenant, id);
    let first = site.world.index.scroll(&scope, None, 1).await.unwrap().points.remove(0);
    let further = (1..passages).map(|ordinal| {
        let mut point = first.clone();
        point.passage.ordinal = u32::try_from(ordinal).unwrap();
        point.passage.text = format!("{} part {ordinal}", point.passage.text);
        point.dense = Some(site.world.embedder.vector(&point.passage.text));
        point
    });
    site.world.index.upsert(further.collect()).await.unwrap();
}

/// What a question finds: passages with their text, and how near each is.
type Found = BTreeMap<(DocumentId, u32, u32), (String, Option<f32>)>;

/// Returns what a hundred questions find. Equal scores stand in the order of ids, which differ between incarnations, and what
/// is rare depends on all that an index has: so neither order nor weights of words are compared.
async fn found(site: &Site, reader: Arc<dyn PassageReader>, texts: &[String]) -> Vec<Found> {
    let words: Vec<&str> = texts.iter().flat_map(|text| text.split_whitespace()).collect();
    let mut found = Vec::new();
    for number in 0..QUESTIONS {
        let word = words.get(number * 7 % words.len().max(1)).copied().unwrap_or("nothing");
        let question = format!("What about {word} {number}?");
        let query = PassageQuery {
            tenant: site.world.tenant.clone(),
            collection: CollectionId::default_collection(),
            principals: vec![["ops", "hr"][number % 2].to_owned()],
            filter: None,
            hostile_from: None,
            dense: Some(site.world.embedder.vector(&question)),
            sparse: query_vector(&question, "eng"),
            limit: 200,
        };
        let candidates = reader.search(&query).await.unwrap();
        let mut of_it = Found::new();
        let key = |one: &ScoredPassage| {
            (one.passage.document_id.clone(), one.passage.version, one.passage.ordinal)
        };
        for one in &candidates.sparse {
            of_it.insert(key(one), (one.passage.text.clone(), None));
        }
        for one in &candidates.dense {
            let shown = of_it.entry(key(one)).or_insert((one.passage.text.clone(), None));
            shown.1 = Some(one.score);
        }
        found.push(of_it);
    }
    found
}

fn restore_to(site: &Site, index: &Arc<Qdrant>) -> Restore {
    let reader = Arc::clone(index) as Arc<dyn PassageReader>;
    let back_up = BackUp { reader, ..site.back_up() };
    let writer = Arc::clone(index) as Arc<dyn PassageWriter>;
    Restore { back_up, writer, ..site.restore() }
}

async fn restored(restore: &Restore, site: &Site, backup: &Backup) -> Restoration {
    let restored = restore.restore(&site.world.caller(&[]), &backup.id, LONG).await.unwrap();
    assert_eq!((restored.state, restored.counts), (RestoreState::Ready, backup.counts));
    restored
}

async fn round_trip(site: &Site, qdrant: &Arc<Qdrant>, steps: &[Step]) {
    let texts = play(site, steps).await;
    let backup = site.run().await;
    let edge: Arc<dyn PassageReader> = Arc::new(site.world.index.clone());
    let before = found(site, Arc::clone(&edge), &texts).await;

    // From the engine in process to a server.
    let there = restored(&restore_to(site, qdrant), site, &backup).await;
    let place = site.of(there.target().as_str()).await;
    let server = Arc::clone(qdrant) as Arc<dyn PassageReader>;
    assert_eq!(found(&place, Arc::clone(&server), &texts).await, before);

    // And from the server back.
    let live = site.restore().switch(&site.world.caller(&[]), &there.id).await.unwrap();
    let second = place.back_up_reading(server).run(&live.target(), LONG).await.unwrap();
    assert_eq!((&second.state_digest, &second.digest), (&backup.state_digest, &backup.digest));
    let back = restored(&site.restore(), site, &second).await;
    let place = site.of(back.target().as_str()).await;
    assert_eq!(found(&place, edge, &texts).await, before);
}

#[test]
fn whatever_there_is_comes_back_from_either_index_to_the_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let facade = Facade::start(folder.path());
    let (engines, qdrant) = runtime.block_on(async {
        let engines = Site::new().await;
        let settings = IndexSettings::new(Some(engines.world.embedder.model.clone())).unwrap();
        let qdrant = Qdrant::connect(&facade.url, None, settings, Timeouts::default()).unwrap();
        qdrant.ensure().await.unwrap();
        (engines, Arc::new(qdrant))
    });
    let config =
        ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    let steps = (proptest::collection::vec(any_step(), 0..25), any::<bool>(), any::<bool>());
    let tenants = std::sync::atomic::AtomicUsize::new(0);
    let run = TestRunner::new(config).run(&steps, |(steps, is_tiny, is_sealed)| {
        runtime.block_on(async {
            let number = tenants.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let name: TenantId = format!("tenant-{number}").parse().unwrap();
            let mut site = engines.of(name.as_str()).await;
            if is_tiny {
                site.limits = TINY;
            }
            if is_sealed {
                site = site.sealed(&identity());
            }
            // Somebody else's data stands beside it all along.
            let other = engines.of(&format!("other-{number}")).await;
            other.add("Somebody else's heron ledger lists 99 nests.", &["*"]).await;
            round_trip(&site, &qdrant, &steps).await;
            let theirs = World::of(&engines.world, &format!("other-{number}")).await;
            let documents = theirs.tables.documents().every(&theirs.tenant, 10, None).await;
            assert_eq!(documents.unwrap().0.len(), 1);
        });
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
}
