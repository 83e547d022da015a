//! A store that fails when told, and backups that meet it.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{TryStreamExt as _, stream::BoxStream};
use lectern_app::back_up::{BackUpError, BackupState, verify::Depth};
use lectern_core::errors::ErrorKind;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory,
    path::Path,
};

use super::{TINY, site::LONG, site::Site};
use crate::world::text;

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
}

impl Failing {
    pub(crate) fn new(inner: Arc<InMemory>) -> Self {
        Self {
            inner,
            writes: AtomicUsize::new(0),
            judge: Mutex::new(Arc::new(|_, _| Fate::Written)),
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
impl ObjectStore for Failing {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let judge = Arc::clone(&self.judge.lock().unwrap());
        match judge(number, location) {
            Fate::Written => self.inner.put_opts(location, payload, options).await,
            Fate::Failed => Err(Error::Generic { store: "failing", source: "secret host".into() }),
            Fate::Hangs => std::future::pending().await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
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
        assert!(matches!(&error, BackUpError::Port(port) if port.kind == ErrorKind::Unavailable));
        failed += 1;
        let newest = &back_up.list(&site.world.caller(&[]), 1, None).await.unwrap().items[0];
        assert_eq!((newest.state, newest.digest.as_ref()), (BackupState::Failed, None));
        assert_eq!(newest.failure.as_deref(), Some("store part failed: unavailable"));
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
    assert_eq!((whole.damaged, whole.parts), (0, backup.parts));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_stored_is_no_backup() {
    let mut site = Site::new().await;
    many(&mut site).await;
    let is_manifest = |path: &Path| path.as_ref().starts_with("manifests/");
    site.store.judge(move |_, path| if is_manifest(path) { Fate::Failed } else { Fate::Written });
    let error = site.back_up().run(&site.world.tenant, LONG).await.unwrap_err();
    assert_eq!(error.to_string(), "store manifest failed: unavailable");
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
async fn time_that_is_over_ends_a_backup_and_says_what_to_do() {
    let site = Site::new().await;
    site.add(&text("heron", 1), &["*"]).await;
    site.store.judge(|_, _| Fate::Hangs);
    let (back_up, caller) = (site.back_up(), site.world.caller(&[]));
    let error = back_up.back_up(&caller, Duration::from_millis(500)).await.unwrap_err();
    assert!(error.to_string().contains("wait for the daily backup"), "{error}");
    let newest = &back_up.list(&caller, 1, None).await.unwrap().items[0];
    assert_eq!(newest.state, BackupState::Failed);
    let failure = newest.failure.as_deref().unwrap();
    assert_eq!(failure, "the time was over before everything was read");
}
