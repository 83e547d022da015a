//! A store that fails when told, and backups that meet it.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{TryStreamExt as _, stream::BoxStream};
use lectern_app::{
    back_up::{BackupState, PartLimits, verify::Depth},
    blobs::Barrier,
};
use lectern_core::{
    errors::{ErrorKind, PortError},
    passage::{Candidates, Passage, PassageQuery, PointId, Scope, ScrollPage, Visibility},
    ports::PassageReader,
};
use lectern_index::Edge;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    memory::InMemory, path::Path,
};

use super::{TINY, site::LONG, site::Site};
use crate::world::text;

type Stored<T> = object_store::Result<T>;

/// What happens to a write.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Written,
    Failed,
    /// It never ends.
    Hangs,
}

type Judge = Arc<dyn Fn(usize, &Path) -> Fate + Send + Sync>;

pub(crate) struct Failing {
    inner: Arc<InMemory>,
    writes: AtomicUsize,
    // A lock for what tests set and writes look at for an instant.
    judge: Mutex<Judge>,
    /// What a power cut would take.
    unsynced: Mutex<BTreeSet<Path>>,
}

impl Failing {
    pub(crate) fn new(inner: Arc<InMemory>) -> Self {
        Self {
            inner,
            writes: AtomicUsize::new(0),
            judge: Mutex::new(Arc::new(|_, _| Fate::Written)),
            unsynced: Mutex::default(),
        }
    }

    /// The power goes, and with it what nobody made stay: names, or what they name.
    pub(crate) async fn cut_power(&self) {
        let lost = std::mem::take(&mut *self.unsynced.lock().unwrap());
        for (number, place) in lost.iter().enumerate() {
            match number % 3 {
                // Some of it was on the disk by chance: checkpoints, which come first.
                0 => {}
                1 => self.inner.delete(place).await.unwrap(),
                _ => {
                    let size = self.inner.head(place).await.unwrap().size;
                    let zeros = vec![0; usize::try_from(size).unwrap()];
                    self.inner.put(place, zeros.into()).await.unwrap();
                }
            }
        }
    }

    /// Decides about writes from here on, by their number from 1 and their name.
    pub(crate) fn judge(&self, judge: impl Fn(usize, &Path) -> Fate + Send + Sync + 'static) {
        self.writes.store(0, Ordering::SeqCst);
        *self.judge.lock().unwrap() = Arc::new(judge);
    }

    pub(crate) fn heal(&self) {
        self.judge(|_, _| Fate::Written);
    }
}

impl fmt::Debug for Failing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Failing")
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("failing")
    }
}

#[async_trait]
impl Barrier for Failing {
    async fn sync(&self) -> Result<(), PortError> {
        self.unsynced.lock().unwrap().clear();
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Stored<PutResult> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let judge = Arc::clone(&self.judge.lock().unwrap());
        match judge(number, location) {
            Fate::Written => {
                self.unsynced.lock().unwrap().insert(location.clone());
                self.inner.put_opts(location, payload, options).await
            }
            Fate::Failed => Err(Error::Generic { store: "failing", source: "secret host".into() }),
            Fate::Hangs => std::future::pending().await,
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
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Stored<Path>>,
    ) -> BoxStream<'static, Stored<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Stored<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Stored<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Stored<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

async fn manifests(site: &Site) -> usize {
    let prefix = Path::from(format!("manifests/{}", site.world.tenant));
    site.kept.list(Some(&prefix)).try_collect::<Vec<_>>().await.unwrap().len()
}

async fn many(site: &mut Site) {
    site.limits = TINY;
    for number in 0..60 {
        site.add(&text("heron", number), &["*"]).await;
    }
}

#[tokio::test]
async fn a_store_that_fails_anywhere_leaves_no_complete_backup() {
    let mut site = Site::new().await;
    many(&mut site).await;
    let (back_up, tenant) = (site.back_up(), site.world.tenant.clone());
    let mut failed = 0_u64;
    for last in [1, 2, 7, 20] {
        site.store.judge(move |number, _| if number < last { Fate::Written } else { Fate::Failed });
        let error = back_up.run(&tenant, LONG).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        failed += 1;
        let newest = &back_up.list(&site.world.caller(&[]), 1, None).await.unwrap().items[0];
        assert_eq!((newest.state, newest.digest.as_ref()), (BackupState::Failed, None));
        assert_eq!(newest.failure.as_deref(), Some("store backup failed: unavailable"));
        assert!(newest.ended_at.is_some());
        let denied = back_up.verify(&site.world.caller(&[]), &newest.id, Depth::Structure).await;
        assert_eq!(denied.unwrap_err().to_string(), "the backup is not complete");
        assert_eq!(manifests(&site).await, 0);
        site.world.pass(Duration::from_secs(1));
    }
    assert_eq!(failed, 4);
    assert_eq!(site.world.tables.backups().newest_complete(&tenant).await.unwrap(), None);

    site.store.heal();
    let backup = site.run().await;
    assert_eq!((backup.state, manifests(&site).await), (BackupState::Complete, 1));
    assert!(backup.new_parts < backup.parts, "what the failed ones stored is of use");
    let whole = back_up.verify(&site.world.caller(&[]), &backup.id, Depth::ReadData).await.unwrap();
    assert_eq!((whole.damaged, whole.parts), (0, backup.parts + backup.counts.originals));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_stored_is_no_backup() {
    let mut site = Site::new().await;
    many(&mut site).await;
    let is_manifest = |path: &Path| path.as_ref().starts_with("manifests/");
    site.store.judge(move |_, path| if is_manifest(path) { Fate::Failed } else { Fate::Written });
    let error = site.back_up().run(&site.world.tenant, LONG).await.unwrap_err();
    assert_eq!(error.to_string(), "store backup failed: unavailable");
    assert_eq!(manifests(&site).await, 0);
    site.store.heal();
    let backup = site.run().await;
    assert_eq!((backup.state, backup.new_parts), (BackupState::Complete, 0));
}

#[tokio::test]
async fn who_dies_leaves_a_backup_that_says_running() {
    let mut site = Site::new().await;
    many(&mut site).await;
    for last in [1, 10, usize::MAX] {
        site.store.judge(move |number, path| {
            let is_end = number >= last || path.as_ref().starts_with("manifests/");
            if is_end { Fate::Hangs } else { Fate::Written }
        });
        let (back_up, tenant) = (site.back_up(), site.world.tenant.clone());
        let dying = tokio::time::timeout(Duration::from_millis(1_500), back_up.run(&tenant, LONG));
        assert!(dying.await.is_err());
        let newest = &back_up.list(&site.world.caller(&[]), 1, None).await.unwrap().items[0];
        assert_eq!((newest.state, newest.ended_at), (BackupState::Running, None));
        assert_eq!(manifests(&site).await, 0);
        site.world.pass(LONG);
    }
    site.store.heal();
    assert_eq!(site.run().await.state, BackupState::Complete);
}

#[tokio::test]
async fn a_backup_without_time_goes_on_where_it_was() {
    let mut site = Site::new().await;
    many(&mut site).await;
    let caller = site.world.caller(&[]);
    site.store.judge(|_, _| Fate::Hangs);
    let left = site.back_up().back_up(&caller, Duration::from_millis(500)).await.unwrap();
    assert_eq!((left.state, left.ended_at), (BackupState::Running, None));
    assert_eq!(manifests(&site).await, 0);

    // Somebody else need not wait for its lease: who had no time gave it back.
    site.store.heal();
    let backup = site.back_up().back_up(&caller, LONG).await.unwrap();
    assert_eq!((backup.id, backup.state), (left.id, BackupState::Complete));
    assert_eq!(manifests(&site).await, 1);
}

#[tokio::test]
async fn what_is_copied_before_a_checkpoint_is_not_copied_again() {
    let mut site = Site::new().await;
    site.limits = PartLimits { checkpoint_bytes: 1, ..TINY };
    for number in 0..250 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let whole = site.run().await;

    let mut other = Site::new().await;
    other.limits = site.limits;
    for number in 0..250 {
        other.add(&text("heron", number), &["*"]).await;
    }
    // Dies behind its second checkpoint; whoever goes on finds it.
    let is_late = |seen: &Path| seen.as_ref().starts_with("checkpoints/");
    let checkpoints = AtomicUsize::new(0);
    other.store.judge(move |_, path| {
        let behind = checkpoints.fetch_add(usize::from(is_late(path)), Ordering::SeqCst) >= 2;
        if behind { Fate::Hangs } else { Fate::Written }
    });
    let (back_up, tenant) = (other.back_up(), other.world.tenant.clone());
    let dying = tokio::time::timeout(Duration::from_secs(3), back_up.run(&tenant, LONG));
    assert!(dying.await.is_err());
    other.world.pass(LONG);
    other.store.heal();
    let counted = Counting::of(&other);
    let resumed = other.back_up_reading(Arc::clone(&counted) as Arc<dyn PassageReader>);
    let resumed = resumed.run(&tenant, LONG).await.unwrap();
    assert_eq!((resumed.state, resumed.counts), (BackupState::Complete, whole.counts));
    assert_eq!(counted.scrolled(), 50, "two hundred of them are behind a checkpoint");
    let listed = other.back_up().list(&other.world.caller(&[]), 10, None).await.unwrap().items;
    assert_eq!(listed.len(), 1);
    let depth = Depth::ReadData;
    let found = other.back_up().verify(&other.world.caller(&[]), &resumed.id, depth).await.unwrap();
    assert_eq!(found.damaged, 0);
}

/// An index that counts documents whose passages are read.
#[derive(Debug)]
struct Counting {
    index: Edge,
    scrolled: AtomicUsize,
}

impl Counting {
    fn of(site: &Site) -> Arc<Self> {
        Arc::new(Self { index: site.world.index.clone(), scrolled: AtomicUsize::new(0) })
    }

    fn scrolled(&self) -> usize {
        self.scrolled.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl PassageReader for Counting {
    async fn search(&self, query: &PassageQuery) -> Result<Candidates, PortError> {
        self.index.search(query).await
    }

    async fn get(
        &self,
        visibility: &Visibility,
        ids: &[PointId],
    ) -> Result<Vec<Passage>, PortError> {
        self.index.get(visibility, ids).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64, PortError> {
        self.index.count(scope).await
    }

    async fn scroll(
        &self,
        scope: &Scope,
        from: Option<PointId>,
        limit: usize,
    ) -> Result<ScrollPage, PortError> {
        let documents = scope.document_ids.as_ref().map_or(0, Vec::len);
        self.scrolled.fetch_add(documents, Ordering::SeqCst);
        self.index.scroll(scope, from, limit).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.index.ping().await
    }
}
