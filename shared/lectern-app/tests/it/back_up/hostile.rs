//! A store in which anything may go wrong, and backups, prunings and restorations that meet it.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _, stream, stream::BoxStream};
use lectern_app::{
    back_up::{BackUp, Backup, BackupState, BackupStore, prune::GRACE, verify::Depth},
    clock::Clock,
    restore::{Restore, RestoreState},
};
use lectern_core::retention::Retention;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, path::Path,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::{
    TINY,
    failing::Failing,
    site::{LONG, Site},
};
use crate::world::text;

type Stored<T> = object_store::Result<T>;

const SEEDS: u64 = 24;
const STEPS: usize = 6;
/// What one run under faults may take: a call that never ends takes all of it.
const SHORT: Duration = Duration::from_millis(250);
const LAST: Retention =
    Retention { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0, within_seconds: 0 };

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Done,
    /// Nothing happened, and the store says so.
    Refused,
    /// It was done, and the answer was lost.
    AnswerLost,
    /// Others get their turn first, many times.
    Slow,
    /// Half of the bytes arrived before the connection broke. Where an object is already, a write leaves it as it was: S3 and a
    /// rename replace whole objects or none.
    Torn,
    /// It never ends.
    Hangs,
}

struct Hostile {
    inner: Arc<dyn ObjectStore>,
    dice: Mutex<StdRng>,
    /// How many calls of a thousand go wrong.
    odds: AtomicU32,
    met: AtomicU32,
    /// The time by which everything here goes, and when what was stored by it.
    clock: Clock,
    stored: Arc<Mutex<HashMap<Path, u64>>>,
}

impl Hostile {
    fn of(site: &Site, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::<Failing>::clone(&site.store),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            odds: AtomicU32::new(0),
            met: AtomicU32::new(0),
            clock: site.world.clock(),
            stored: Arc::default(),
        })
    }

    async fn store(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Stored<PutResult> {
        let now = self.clock.now().as_millis();
        self.stored.lock().unwrap().insert(location.clone(), now);
        self.inner.put_opts(location, payload, options).await
    }

    fn roll(&self) -> Fate {
        let mut dice = self.dice.lock().unwrap();
        if dice.random_range(0..1_000) >= self.odds.load(Ordering::SeqCst) {
            return Fate::Done;
        }
        self.met.fetch_add(1, Ordering::SeqCst);
        match dice.random_range(0..20) {
            0..6 => Fate::Refused,
            6..11 => Fate::AnswerLost,
            11..14 => Fate::Slow,
            14..19 => Fate::Torn,
            _ => Fate::Hangs,
        }
    }

    /// Rolls for a call and lets `Slow` and `Hangs` happen.
    async fn fate(&self) -> Fate {
        let fate = self.roll();
        match fate {
            Fate::Slow => {
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
            }
            Fate::Hangs => std::future::pending().await,
            _ => {}
        }
        fate
    }
}

/// Says of an object that it was stored when it was, by the time of the test.
fn dated(mut meta: ObjectMeta, stored: &Mutex<HashMap<Path, u64>>) -> ObjectMeta {
    let real = u64::try_from(meta.last_modified.timestamp_millis()).unwrap();
    if let Some(at) = stored.lock().unwrap().get(&meta.location) {
        meta.last_modified += Duration::from_millis(at.saturating_sub(real));
        meta.last_modified -= Duration::from_millis(real.saturating_sub(*at));
    }
    meta
}

fn broken() -> Error {
    Error::Generic { store: "hostile", source: "500".into() }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hostile")
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("hostile")
    }
}

#[async_trait]
impl ObjectStore for Hostile {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Stored<PutResult> {
        match self.fate().await {
            Fate::Refused => Err(broken()),
            Fate::AnswerLost => {
                self.store(location, payload, options).await?;
                Err(broken())
            }
            Fate::Torn if self.inner.head(location).await.is_ok() => Err(broken()),
            Fate::Torn => {
                let whole: Vec<u8> = payload.iter().flatten().copied().collect();
                let half = whole[..whole.len() / 2].to_vec();
                self.store(location, half.into(), options).await?;
                Err(broken())
            }
            _ => self.store(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Stored<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Stored<GetResult> {
        let fate = self.fate().await;
        if matches!(fate, Fate::Refused | Fate::AnswerLost) {
            return Err(broken());
        }
        let is_head = options.head;
        let found = self.inner.get_opts(location, options).await?;
        let meta = dated(found.meta.clone(), &self.stored);
        let found = GetResult { meta, ..found };
        if fate != Fate::Torn || is_head {
            return Ok(found);
        }
        let (mut pieces, payload) = (Vec::new(), GetResultPayload::Stream(stream::empty().boxed()));
        let torn = GetResult { payload, ..found };
        let bytes = self.inner.get(&torn.meta.location).await?.bytes().await?;
        pieces.push(Ok(bytes.slice(..bytes.len() / 2)));
        pieces.push(Err(broken()));
        let payload = GetResultPayload::Stream(stream::iter(pieces).boxed());
        Ok(GetResult { payload, ..torn })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Stored<Path>>,
    ) -> BoxStream<'static, Stored<Path>> {
        match self.roll() {
            Fate::Refused | Fate::Torn => stream::iter([Err(broken())]).boxed(),
            Fate::AnswerLost => {
                let deleted = self.inner.delete_stream(locations);
                deleted.map(|_| Err(broken())).boxed()
            }
            Fate::Hangs => stream::pending().boxed(),
            _ => self.inner.delete_stream(locations),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Stored<ObjectMeta>> {
        let stored = Arc::clone(&self.stored);
        let dated = move |meta: Stored<ObjectMeta>| meta.map(|meta| dated(meta, &stored));
        let listed = self.inner.list(prefix).map(dated).boxed();
        match self.roll() {
            Fate::Refused => stream::iter([Err(broken())]).boxed(),
            Fate::AnswerLost | Fate::Torn => {
                listed.take(1).chain(stream::iter([Err(broken())])).boxed()
            }
            Fate::Hangs => stream::pending().boxed(),
            _ => listed,
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Stored<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Stored<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A tenant whose backups are behind a hostile store.
struct Siege {
    site: Site,
    store: Arc<Hostile>,
}

impl Siege {
    fn back_up(&self) -> BackUp {
        let store = Arc::<Hostile>::clone(&self.store);
        BackUp {
            backups: BackupStore { objects: store, ..self.site.back_up().backups },
            ..self.site.back_up()
        }
    }

    fn restore(&self) -> Restore {
        Restore { back_up: self.back_up(), ..self.site.restore() }
    }

    async fn backups(&self) -> Vec<Backup> {
        self.site.back_up().list(&self.site.world.caller(&[]), 100, None).await.unwrap().items
    }

    async fn newest(&self) -> Backup {
        let complete = |backup: &Backup| backup.state == BackupState::Complete;
        self.backups().await.into_iter().find(complete).expect("the newest backup was lost")
    }

    /// Does something under faults, whatever becomes of it.
    async fn step(&self, action: u32, odds: u32) {
        let caller = self.site.world.caller(&[]);
        let newest = self.newest().await;
        self.store.odds.store(odds, Ordering::SeqCst);
        let (back_up, restore) = (self.back_up(), self.restore());
        match action {
            0..4 => drop(back_up.run(&self.site.world.tenant, SHORT).await),
            4..6 => drop(tokio::time::timeout(SHORT, back_up.prune(&caller, &LAST, false)).await),
            _ => drop(restore.restore(&caller, &newest.id, SHORT).await),
        }
        self.store.odds.store(0, Ordering::SeqCst);
    }

    /// Whatever says it is complete is.
    async fn check(&self, seed: u64) {
        let caller = self.site.world.caller(&[]);
        for backup in self.backups().await {
            if backup.state == BackupState::Complete {
                let found = self.back_up().verify(&caller, &backup.id, Depth::ReadData).await;
                assert_eq!(found.unwrap().damages, [], "{backup:?} of seed {seed}");
            }
        }
    }
}

#[tokio::test]
async fn no_fault_of_the_store_makes_a_backup_that_is_none_or_loses_one() {
    let mut world = Site::new().await;
    world.limits = TINY;
    let (mut met, mut restored) = (0, 0);
    for seed in 0..SEEDS {
        let mut dice = StdRng::seed_from_u64(1_000 + seed);
        let mut site = world.of(&format!("siege-{seed}")).await;
        site.limits = TINY;
        let store = Hostile::of(&site, seed);
        for number in 0..8 {
            site.add(&text("heron", number), &["*"]).await;
        }
        let siege = Siege { site, store };
        siege.back_up().run(&siege.site.world.tenant, LONG).await.unwrap();
        for step in 0..STEPS {
            let number = 100 + step;
            siege.site.add(&text("otter", number), &["*"]).await;
            // What is old enough to go, and what is not.
            siege.site.world.pass(if step % 2 == 0 { GRACE } else { Duration::from_secs(90) });
            let odds = [20, 60, 200][dice.random_range(0..3)];
            siege.step(dice.random_range(0..8), odds).boxed().await;
            siege.check(seed).await;
        }

        // The store is well again: what was left goes on and ends.
        let caller = siege.site.world.caller(&[]);
        siege.site.world.pass(LONG);
        let newest = siege.back_up().run(&siege.site.world.tenant, LONG).await.unwrap();
        assert_eq!(newest.state, BackupState::Complete, "seed {seed}");
        let restore = siege.restore();
        let ready = restore.restore(&caller, &newest.id, LONG).await.unwrap();
        assert_eq!((ready.state, ready.counts), (RestoreState::Ready, newest.counts));
        restored += 1;
        for left in restore.list(&caller, 100, None).await.unwrap().items {
            match restore.discard(&caller, &left.id).await {
                Ok(dropped) => assert_eq!(dropped.state, RestoreState::Dropped),
                Err(error) => assert!(left.ended_at.is_some(), "{error}"),
            }
        }
        let pruned = siege.back_up().prune(&caller, &LAST, false).await.unwrap();
        assert_eq!(pruned.kept.len(), 1, "seed {seed}: {pruned:?}");
        siege.check(seed).await;
        assert_eq!(siege.newest().await.id, newest.id);
        met += siege.store.met.load(Ordering::SeqCst);
    }
    assert_eq!(restored, SEEDS);
    assert!(met > 100, "only {met} faults were met");
}

/// A store that answers late or not at all is no reason to remove what a restoration wrote: it goes on.
#[tokio::test]
async fn a_restoration_that_meets_faults_goes_on_where_it_was() {
    let mut site = Site::new().await;
    site.limits = TINY;
    for number in 0..40 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let backup = site.run().await;
    let caller = site.world.caller(&[]);
    let store = Hostile::of(&site, 7);
    let siege = Siege { site, store };
    let mut failed = 0;
    for odds in [300, 100, 60, 40, 20, 10, 5] {
        siege.store.odds.store(odds, Ordering::SeqCst);
        match siege.restore().restore(&caller, &backup.id, SHORT).await {
            Ok(ready) => {
                assert_eq!(ready.state, RestoreState::Ready);
                break;
            }
            Err(error) => {
                failed += 1;
                let said = error.to_string();
                let is_known = said.contains("unavailable") || said.contains("time was over");
                assert!(is_known, "{said}");
            }
        }
    }
    siege.store.odds.store(0, Ordering::SeqCst);
    let ready = siege.restore().restore(&caller, &backup.id, LONG).await.unwrap();
    assert_eq!((ready.state, ready.counts), (RestoreState::Ready, backup.counts));
    assert!(failed > 0);
    let all = siege.restore().list(&caller, 100, None).await.unwrap().items;
    assert_eq!(all.iter().filter(|one| one.state == RestoreState::Failed).count(), 0);
}
