//! A document by its address: what is read is uploaded, and for nobody who could not upload it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use lectern_app::{
    backlog::Backlog,
    blobs::Blobs,
    errors::FlowError,
    fetch::{Fetch, Named},
    upload::{MAX_ACL, Upload},
};
use lectern_core::{
    auth::{Caller, Permission},
    document::{Job, MAX_NAME_BYTES, Metadata},
    errors::PortError,
    ids::{CollectionId, DocumentId},
    ports::JobQueue,
    web::{Page, PageError, WebReader},
};

use crate::world::World;

/// A web of one page, that counts who asks. The real reader reads nothing on this machine; its own tests say what it refuses.
#[derive(Debug, Default)]
struct Web {
    asked: AtomicUsize,
}

#[async_trait]
impl WebReader for Web {
    async fn read(&self, address: &str, max_bytes: usize) -> Result<Page, PageError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let bytes = b"# Leave\n\nStaff have 25 days.".to_vec();
        let page = |name: Option<&str>, media_type: Option<&str>| {
            let (name, media_type) = (name.map(str::to_owned), media_type.map(str::to_owned));
            Ok(Page { bytes: bytes.clone(), name, media_type })
        };
        match address {
            "https://docs.example.com/leave.md" if bytes.len() > max_bytes => {
                Err(PageError::TooLarge(max_bytes))
            }
            "https://docs.example.com/leave.md" => page(Some("leave.md"), Some("text/plain")),
            "https://docs.example.com/" => page(None, None),
            "https://docs.example.com/blank" => page(Some(" "), None),
            "https://docs.example.com/long" => page(Some(&"x".repeat(MAX_NAME_BYTES + 1)), None),
            "https://code.example.com/leave.md" => page(Some("leave.md"), Some("text/html")),
            "https://code.example.com/leave" => page(Some("leave"), Some("application/xhtml+xml")),
            "https://code.example.com/LEAVE.HTM" => page(Some("LEAVE.HTM"), Some("text/html")),
            "https://code.example.com/" => page(None, Some("text/plain")),
            "https://code.example.com/long" => {
                page(Some(&"x".repeat(MAX_NAME_BYTES)), Some("text/html"))
            }
            _ => Err(PageError::Status(404)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Doorbell;

#[async_trait]
impl JobQueue for Doorbell {
    async fn enqueue(&self, _job: &Job) -> Result<(), PortError> {
        Ok(())
    }
}

fn flow(world: &World, web: &Arc<Web>, max_bytes: usize) -> Fetch {
    let upload = Upload {
        tables: world.tables.clone(),
        blobs: Blobs::new(Arc::new(object_store::memory::InMemory::new()), None),
        jobs: Arc::new(Doorbell),
        clock: world.clock(),
        max_bytes,
        backlog: Backlog::of(world.tables.clone(), world.clock()),
    };
    Fetch { reader: Some(Arc::<Web>::clone(web)), upload }
}

fn named(url: &str) -> Named {
    Named {
        url: url.to_owned(),
        collection: CollectionId::default_collection(),
        document_id: None,
        name: None,
        acl: vec!["group:hr".to_owned()],
        metadata: Metadata::new(),
    }
}

#[tokio::test]
async fn what_an_address_holds_is_uploaded_once() {
    let (world, web) = (World::new().await, Arc::new(Web::default()));
    let (fetch, caller) = (flow(&world, &web, 1_000), Caller::operator(world.tenant.clone()));
    let first = fetch.fetch(&caller, named("https://docs.example.com/leave.md")).await.unwrap();
    assert!(first.created);
    assert_eq!(
        (first.document.name.as_str(), first.document.acl.as_slice()),
        ("leave.md", &["group:hr".to_owned()][..])
    );
    let again = fetch.fetch(&caller, named("https://docs.example.com/leave.md")).await.unwrap();
    assert_eq!((again.created, again.document.id), (false, first.document.id));
    let mut other = named("https://docs.example.com/");
    other.acl = vec!["group:it".to_owned()];
    assert_eq!(fetch.fetch(&caller, other).await.unwrap().document.name, "page.html");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_nothing_is_read_for_who_may_not_write() {
    let (world, web) = (World::new().await, Arc::new(Web::default()));
    let operator = Caller::operator(world.tenant.clone());
    let gone =
        flow(&world, &web, 1_000).fetch(&operator, named("https://docs.example.com/x")).await;
    assert!(
        matches!(&gone, Err(FlowError::Invalid(fields)) if fields[0].pointer == "/url" && fields[0].detail.contains("404")),
        "{gone:?}"
    );
    let large =
        flow(&world, &web, 10).fetch(&operator, named("https://docs.example.com/leave.md")).await;
    assert!(matches!(large, Err(FlowError::TooLarge { limit_bytes: 10 })), "{large:?}");

    let asked = web.asked.load(Ordering::Relaxed);
    let reader = Caller { permissions: vec![Permission::Query], ..operator.clone() };
    let elsewhere =
        Caller { collections: Some(vec!["other".parse().unwrap()]), ..operator.clone() };
    for caller in [reader, elsewhere] {
        let refused = flow(&world, &web, 1_000)
            .fetch(&caller, named("https://docs.example.com/leave.md"))
            .await;
        assert!(
            matches!(refused, Err(FlowError::Forbidden(_) | FlowError::NotFound(_))),
            "{refused:?}"
        );
    }
    let off = Fetch { reader: None, ..flow(&world, &web, 1_000) };
    let refused = off.fetch(&operator, named("https://docs.example.com/leave.md")).await;
    assert!(matches!(refused, Err(FlowError::Forbidden(_))), "{refused:?}");
    assert_eq!(web.asked.load(Ordering::Relaxed), asked);
}

#[tokio::test]
async fn nothing_is_read_for_a_request_that_is_wrong_anyway() {
    let (world, web) = (World::new().await, Arc::new(Web::default()));
    let operator = Caller::operator(world.tenant.clone());
    let fine = named("https://docs.example.com/leave.md");
    let nested = serde_json::json!({"owner": {"name": "hr"}}).as_object().unwrap().clone();
    for (pointer, wrong) in [
        ("/name", Named { name: Some(" ".to_owned()), ..fine.clone() }),
        ("/acl", Named { acl: vec!["x".to_owned(); MAX_ACL + 1], ..fine.clone() }),
        ("/metadata/owner", Named { metadata: nested, ..fine.clone() }),
    ] {
        let refused = flow(&world, &web, 1_000).fetch(&operator, wrong).await;
        assert!(
            matches!(&refused, Err(FlowError::Invalid(fields)) if fields[0].pointer == pointer),
            "{pointer}: {refused:?}"
        );
    }
    let nowhere = Named { collection: "nowhere".parse().unwrap(), ..fine.clone() };
    let unknown = Named { document_id: Some(DocumentId::new(world.clock().now(), 7)), ..fine };
    for (what, wrong) in [("collection", nowhere), ("document", unknown)] {
        let refused = flow(&world, &web, 1_000).fetch(&operator, wrong).await;
        assert!(
            matches!(&refused, Err(FlowError::NotFound(missing)) if *missing == what),
            "{what}: {refused:?}"
        );
    }
    assert_eq!(web.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_name_its_address_cannot_give_is_no_fault_of_the_client() {
    let (world, web) = (World::new().await, Arc::new(Web::default()));
    let (fetch, caller) = (flow(&world, &web, 1_000), Caller::operator(world.tenant.clone()));
    for address in ["https://docs.example.com/blank", "https://docs.example.com/long"] {
        let mut other = named(address);
        other.acl = vec![format!("group:{address}")];
        assert_eq!(fetch.fetch(&caller, other).await.unwrap().document.name, "page.html");
    }
}

#[tokio::test]
async fn html_is_taken_for_html_whatever_its_address_ends_in() {
    let (world, web) = (World::new().await, Arc::new(Web::default()));
    let (fetch, caller) = (flow(&world, &web, 1_000), Caller::operator(world.tenant.clone()));
    for (address, name, media_type) in [
        ("https://code.example.com/leave.md", "leave.md.html", "text/html"),
        ("https://code.example.com/leave", "leave.html", "text/html"),
        ("https://code.example.com/LEAVE.HTM", "LEAVE.HTM", "text/html"),
        ("https://code.example.com/long", "page.html", "text/html"),
        ("https://code.example.com/", "page", "text/plain"),
    ] {
        let mut page = named(address);
        page.acl = vec![format!("group:{address}")];
        let read = fetch.fetch(&caller, page).await.unwrap();
        assert_eq!(
            (read.document.name.as_str(), read.document.media_type.as_str()),
            (name, media_type),
            "{address}"
        );
    }
    let chosen =
        Named { name: Some("Leave".to_owned()), ..named("https://code.example.com/leave") };
    assert_eq!(fetch.fetch(&caller, chosen).await.unwrap().document.name, "Leave");
}
