//! Backups of what never rests: what is restored is what was there at one moment.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use lectern_core::{
    document::Document,
    ids::{CollectionId, DocumentId},
};
use serde_json::json;
use tokio::sync::watch;

use super::{TINY, site::LONG, site::Site};
use crate::world::text;

/// What callers can see of a document: its version and who may.
type Shown = BTreeMap<DocumentId, (u32, Vec<String>)>;

fn shown(documents: &[Document]) -> Shown {
    let live = documents.iter().filter_map(|document| {
        let version = document.live_version.filter(|version| document.shows(*version))?;
        Some((document.id.clone(), (version, document.acl.clone())))
    });
    live.collect()
}

/// What answers, and by which settings.
type State = (Shown, serde_json::Value);

/// Returns the generation and what is there in it.
async fn state(site: &Site) -> (u64, State) {
    let (documents, collections) = (site.world.tables.documents(), site.world.tables.collections());
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (page, next) = documents.every(&site.world.tenant, 100, cursor.as_ref()).await.unwrap();
        all.extend(page);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    let id = CollectionId::default_collection();
    let collection = collections.get(&site.world.tenant, &id).await.unwrap().unwrap();
    (collection.generation, (shown(&all), collection.settings.into()))
}

/// What was there in each generation.
#[derive(Debug, Default)]
struct History(HashMap<u64, State>);

impl History {
    async fn note(&mut self, site: &Site) {
        let (generation, state) = state(site).await;
        self.0.insert(generation, state);
    }
}

/// Writes as fast as it can until it is told to stop; it alone writes. Says how often it did.
async fn write(
    site: Arc<Site>,
    stop: Arc<AtomicBool>,
    steps: watch::Sender<usize>,
) -> HashMap<u64, State> {
    let mut history = History::default();
    history.note(&site).await;
    let mut documents: Vec<DocumentId> = Vec::new();
    for number in 1.. {
        match number % 7 {
            0 if documents.len() > 5 => drop(site.delete(&documents.remove(number % 5)).await),
            1 | 3 if !documents.is_empty() => {
                let (document, text) =
                    (&documents[number % documents.len()], text("otter", number));
                let (_, version) = site.world.accept(Some(document), &text, &["*"]).await;
                // One that was closed is open from here on, before this version is live.
                history.note(&site).await;
                site.make_live(document, version, &text).await;
            }
            5 => site.world.set(json!({"answers": {"refusal": format!("{number}")}})).await,
            6 if !documents.is_empty() => {
                // Closed, and not live yet.
                let document = &documents[number % documents.len()];
                site.world.accept(Some(document), &text("marten", number), &["hr"]).await;
            }
            _ => documents.push(site.add(&text("heron", number), &["*"]).await),
        }
        history.note(&site).await;
        steps.send_replace(number);
        if stop.load(Ordering::SeqCst) {
            break;
        }
    }
    history.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_restored_is_what_was_there_at_one_moment() {
    let mut site = Site::new().await;
    site.limits = TINY;
    for number in 0..120 {
        site.add(&text("heron", 1_000 + number), &["*"]).await;
    }
    let site = Arc::new(site);
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, mut steps) = watch::channel(0);
    let writer = tokio::spawn(write(Arc::clone(&site), Arc::clone(&stop), sender));
    let mut backups = Vec::new();
    for round in 1..=4 {
        steps.wait_for(|step| *step >= 8 * round).await.unwrap();
        backups.push(site.run().await);
        site.world.pass(LONG);
    }
    let while_running = *steps.borrow();
    stop.store(true, Ordering::SeqCst);
    let history = writer.await.unwrap();
    assert!(while_running > 32, "the writer went on while it was backed up: {while_running}");

    for backup in backups {
        assert!(backup.is_exact, "writers waited for the last look");
        let manifest = site.manifest(&backup).await;
        let generation = manifest.cut.collections[0].generation_after.unwrap();
        let expected = &history[&generation];
        assert_eq!(&shown(&site.documents(&manifest).await), &expected.0);

        let restored = site.restored(&backup).await;
        let place = site.of(restored.target().as_str()).await;
        assert_eq!(&state(&place).await.1, expected);
        site.restore().discard(&site.world.caller(&[]), &restored.id).await.unwrap();
    }
}
