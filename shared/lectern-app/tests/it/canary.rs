//! The canary: what pings call well and answers nothing is heard of.

use std::{sync::Arc, time::Duration};

use lectern_app::{
    backlog::Backlog,
    canary::{self, Canary},
    health::Status,
};
use lectern_core::{
    errors::ErrorKind,
    ids::CollectionId,
    passage::Scope,
    ports::{PassageReader, PassageWriter as _},
};
use lectern_testkit::faults::Faulty;

use crate::{behind, world::World};

/// Canaries of a world, each without a memory.
struct Garden {
    world: World,
    passages: Arc<Faulty<dyn PassageReader>>,
}

impl Garden {
    async fn new() -> Self {
        let world = World::new().await;
        let index: Arc<dyn PassageReader> = Arc::new(world.index.clone());
        Self { world, passages: Arc::new(Faulty::new(index)) }
    }

    async fn hear(&self) -> (Status, &'static str) {
        let mut ask = self.world.process();
        ask.search.passages = Arc::<Faulty<dyn PassageReader>>::clone(&self.passages);
        let upload = behind::upload(&self.world, Backlog::ignored());
        let check = Canary::new(ask, Some(upload)).check().await;
        assert_eq!(check.name, "canary");
        (check.status, check.detail.unwrap_or_default())
    }

    /// Does what the worker does with the newest version.
    async fn ingest(&self) {
        let garden = self.world.of(canary::TENANT).await;
        let documents = garden.tables.documents();
        let collection = CollectionId::default_collection();
        let page = documents.list(&garden.tenant, &collection, None, 10, None).await.unwrap();
        let [document] = page.items.as_slice() else { panic!("one document: {page:?}") };
        let text = "The canary of this deployment sings at 04:17 every morning.";
        garden.make_live(&document.id, document.latest_version, text).await;
    }

    async fn lose(&self) {
        let tenant = canary::TENANT.parse().unwrap();
        self.world.index.delete(&Scope::tenant(&tenant)).await.unwrap();
    }
}

#[tokio::test]
async fn it_is_planted_answers_and_says_what_is_lost() {
    let garden = Garden::new().await;
    let (status, detail) = garden.hear().await;
    assert_eq!(status, Status::Degraded);
    assert!(detail.contains("waits to be ingested"), "{detail}");
    garden.ingest().await;
    assert_eq!(garden.hear().await, (Status::Ok, ""));

    garden.passages.fail_all(ErrorKind::Unavailable);
    let (status, detail) = garden.hear().await;
    assert_eq!(
        (status, detail),
        (Status::Down, "questions are answered with an error: see the log")
    );
    garden.passages.heal();
    assert_eq!(garden.hear().await, (Status::Ok, ""));

    garden.lose().await;
    let (status, detail) = garden.hear().await;
    assert!(status == Status::Down && detail.contains("lost passages"), "{detail}");
    // What replaces the index gets the document again, a day later at the latest.
    garden.world.pass(Duration::from_secs(24 * 60 * 60));
    assert_eq!(garden.hear().await.0, Status::Down);
    garden.ingest().await;
    assert_eq!(garden.hear().await, (Status::Ok, ""));
}

#[tokio::test]
async fn what_was_heard_holds_for_a_while() {
    let garden = Garden::new().await;
    garden.hear().await;
    garden.ingest().await;
    let canary = Canary::new(garden.world.process(), None);
    assert_eq!(canary.check().await.status, Status::Ok);
    garden.lose().await;
    assert_eq!(canary.clone().check().await.status, Status::Ok, "a question costs money");
    assert_eq!(garden.hear().await.0, Status::Down);
}

#[tokio::test]
async fn an_answer_without_a_stage_holds_for_as_long_as_one_that_is_well() {
    let garden = Garden::new().await;
    garden.hear().await;
    garden.ingest().await;
    garden.world.embedder.faults.fail_all(ErrorKind::Unavailable);
    let canary = Canary::new(garden.world.process(), None);
    let first = canary.check().await;
    assert_eq!(first.status, Status::Degraded);
    assert!(first.detail.is_some_and(|detail| detail.contains("without a stage")), "{first:?}");
    garden.lose().await;
    assert_eq!(canary.check().await, first, "it was asked once");
}

#[tokio::test]
async fn it_is_nobody_who_is_backed_up() {
    let garden = Garden::new().await;
    garden.hear().await;
    let known = garden.world.tables.tenants().list(None).await.unwrap().items;
    assert!(known.iter().any(|tenant| tenant.tenant.as_str() == canary::TENANT));
    let standing = lectern_app::back_up::standing::Standing::read(&garden.world.tables).await;
    assert_eq!(standing.unwrap().backup, None);
}
