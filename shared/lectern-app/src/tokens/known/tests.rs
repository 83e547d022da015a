use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::FutureExt as _;
use jsonwebtoken::Algorithm;
use lectern_core::issuers::Issuers;
use lectern_testkit::issuer::Signer;
use serde_json::json;

use super::*;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// An issuer that hangs or is down when the test says so.
#[derive(Debug, Default)]
struct Published {
    keys: Mutex<Vec<Value>>,
    hangs: AtomicBool,
    is_down: AtomicBool,
    asked: AtomicUsize,
}

#[async_trait]
impl IssuerKeys for Published {
    async fn fetch(&self, _issuer: &Issuer) -> Result<Vec<u8>, PortError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.is_down.load(Ordering::Relaxed) {
            return Err(PortError::bare(ErrorKind::Unavailable, "test"));
        }
        Ok(json!({"keys": *self.keys.lock().unwrap()}).to_string().into_bytes())
    }
}

struct World {
    published: Arc<Published>,
    issuer: Issuer,
    known: KnownKeys,
}

impl World {
    fn publish(keys: Vec<Value>) -> Self {
        let published = Arc::new(Published { keys: Mutex::new(keys), ..Published::default() });
        let settings = json!([{
            "issuer": "https://login.example.com", "audience": "lectern", "tenant": "acme", "permissions": ["query"]
        }]);
        let issuers: Issuers = settings.to_string().parse().unwrap();
        let issuer = issuers.iter().next().unwrap().clone();
        let known = KnownKeys::new(Arc::<Published>::clone(&published));
        Self { published, issuer, known }
    }

    /// Whether a key is found, if that is known without waiting. Who must wait hangs up.
    fn finds(&self, kid: &str, now: Timestamp) -> Option<Result<bool, PortError>> {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        let found = self.known.find(&self.issuer, &header, now).now_or_never();
        found.map(|found| found.map(|key| key.is_some()))
    }

    fn hang(&self, hangs: bool) {
        self.published.hangs.store(hangs, Ordering::Relaxed);
    }

    fn asked(&self) -> usize {
        self.published.asked.load(Ordering::Relaxed)
    }
}

#[test]
fn who_hangs_up_half_way_leaves_the_next_to_ask() {
    let world = World::publish(vec![Signer::new("one").jwk()]);
    world.hang(true);
    assert!(world.finds("one", START).is_none());
    world.hang(false);
    assert!(matches!(world.finds("one", START), Some(Ok(true))));
    assert_eq!(world.asked(), 2);
}

#[test]
fn keys_that_are_good_wait_for_nobody_who_asks() {
    let world = World::publish(vec![Signer::new("one").jwk()]);
    assert!(matches!(world.finds("one", START), Some(Ok(true))));
    world.hang(true);
    let later = START + FRESH;
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::ES256) };
    let mut asks = Box::pin(world.known.find(&world.issuer, &header, later));
    assert!(asks.as_mut().now_or_never().is_none(), "the first asks");
    assert!(matches!(world.finds("one", later), Some(Ok(true))), "the others need not");
    assert!(world.finds("two", later).is_none(), "but for a key that is not known");
    assert!(world.finds("one", START + STALE).is_none(), "or is not good any more");
    assert_eq!(world.asked(), 2);
}

#[test]
fn keys_that_cannot_be_read_are_not_counted() {
    let foreign = vec![json!({"kty": "new", "kid": "foreign"}); MAX_KEYS];
    let good = Signer::new("one").jwk();
    let world = World::publish(foreign.into_iter().chain([good]).collect());
    assert!(matches!(world.finds("one", START), Some(Ok(true))));
}

#[test]
fn no_more_keys_are_kept_than_allowed() {
    let keys = (1..=MAX_KEYS + 1).map(|number| Signer::new(&number.to_string()).jwk());
    let world = World::publish(keys.collect());
    assert!(matches!(world.finds(&MAX_KEYS.to_string(), START), Some(Ok(true))));
    let one_more = START + PAUSE;
    assert!(matches!(world.finds(&(MAX_KEYS + 1).to_string(), one_more), Some(Ok(false))));
}

#[test]
fn who_reads_the_log_learns_which_issuer_failed() {
    let world = World::publish(Vec::new());
    world.published.is_down.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let failed = world.finds("one", START).unwrap().unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Unavailable);
        assert!(chain(&failed).contains("https://login.example.com"), "{}", chain(&failed));
    }
}
