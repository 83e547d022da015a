//! `kill -9` at random moments of backups, restorations and prunings: what says it is complete is whole, what is kept is
//! there, and whoever comes next finishes.

use std::{
    fmt,
    io::{BufRead as _, BufReader},
    path::Path as FilePath,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};
use lectern_app::{
    back_up::{BackUp, Backup, BackupState, BackupStore, PartLimits, verify::Depth},
    blobs::{BlobName, Blobs},
    restore::{Restore, RestoreState},
};
use lectern_core::{auth::Caller, ids::BackupId, retention::Retention};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, local::LocalFileSystem, path::Path,
};
use sha2::{Digest as _, Sha256};

use super::{TINY, site::LONG};
use crate::world::{World, text};

const FOLDER: &str = "LECTERN_TEST_KILL_FOLDER";
const MILLIS: &str = "LECTERN_TEST_KILL_MILLIS";
/// A line before each change of a store.
const STEP: &str = "step ";
/// Moments at which the victim is killed.
const KILLS: u64 = 100;
/// Changes of a round, about: kills are spread over them.
const STEPS: u64 = 120;
/// So many kills after which two days pass, so that what nobody needs is old enough to go.
const KILLS_PER_DAY: u64 = 4;
const TWO_DAYS: Duration = Duration::from_secs(48 * 60 * 60);
const KEPT: Retention =
    Retention { last: 3, daily: 0, weekly: 0, monthly: 0, yearly: 0, within_seconds: 0 };

type Stored<T> = object_store::Result<T>;

/// A store on the disk that says when it is about to change.
#[derive(Debug)]
struct Announcing(LocalFileSystem);

impl fmt::Display for Announcing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("announcing")
    }
}

#[allow(clippy::print_stdout, reason = "the parent reads it")]
fn announce(what: &Path) {
    println!("\n{STEP}{what}");
}

#[async_trait]
impl ObjectStore for Announcing {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Stored<PutResult> {
        announce(location);
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Stored<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Stored<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Stored<Path>>,
    ) -> BoxStream<'static, Stored<Path>> {
        let locations = locations.inspect(|location| location.iter().for_each(announce));
        self.0.delete_stream(locations.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Stored<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Stored<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Stored<()> {
        self.0.copy_opts(from, to, options).await
    }
}

/// Everything on the disk, as after a restart.
struct Place {
    world: World,
    restore: Restore,
    caller: Caller,
}

impl Place {
    async fn open(folder: &FilePath, millis: u64) -> Self {
        let world = World::at(folder, millis).await;
        let files = |name: &str| {
            let path = folder.join(name);
            std::fs::create_dir_all(&path).unwrap();
            let store = Announcing(LocalFileSystem::new_with_prefix(path).unwrap());
            Blobs::new(Arc::new(store), None)
        };
        let back_up = BackUp {
            tables: world.tables.clone(),
            blobs: files("blobs"),
            backups: BackupStore { objects: files("backups").store, seal: None, barrier: None },
            reader: Arc::new(world.index.clone()),
            model: Some(world.embedder.model.clone()),
            originals: true,
            lease: Duration::ZERO,
            limits: PartLimits { checkpoint_bytes: 1 << 10, ..TINY },
            retention: KEPT,
            clock: world.clock(),
        };
        let writer = Arc::new(world.index.clone());
        let restore = Restore { back_up, writer, embedder: None, bulk: None };
        let caller = world.caller(&[]);
        Self { world, restore, caller }
    }

    async fn add(&self, text: &str) {
        let (id, version) = self.world.accept(None, text, &["*"]).await;
        let blobs = &self.restore.back_up.blobs;
        let raw = BlobName::raw(&self.world.tenant, &id, &hex::encode(Sha256::digest(text)));
        blobs.put(&raw, text.to_owned().into()).await.unwrap();
        let name = BlobName::text(&self.world.tenant, &id, version);
        blobs.put(&name, text.to_owned().into()).await.unwrap();
        self.world.make_live(&id, version, text).await;
    }

    /// A document more, a backup, a restoration beside what is live, a pruning. What earlier restorations left goes first.
    async fn round(&self, number: usize) -> Backup {
        for left in self.restore.list(&self.caller, 100, None).await.unwrap().items {
            if [RestoreState::Running, RestoreState::Ready].contains(&left.state) {
                self.restore.discard(&self.caller, &left.id).await.unwrap();
            }
        }
        self.add(&text("heron", number)).await;
        let back_up = &self.restore.back_up;
        let backup = back_up.back_up(&self.caller, LONG).await.unwrap();
        let restored = self.restore.restore(&self.caller, &backup.id, LONG).await.unwrap();
        assert_eq!(restored.state, RestoreState::Ready);
        self.restore.discard(&self.caller, &restored.id).await.unwrap();
        back_up.prune(&self.caller, &KEPT, false).await.unwrap();
        backup
    }

    /// Returns the complete backups, newest first, each of which was read and is whole.
    async fn complete(&self) -> Vec<BackupId> {
        let back_up = &self.restore.back_up;
        let listed = back_up.list(&self.caller, 100, None).await.unwrap().items;
        let mut complete = Vec::new();
        for backup in listed.into_iter().filter(|one| one.state == BackupState::Complete) {
            let found = back_up.verify(&self.caller, &backup.id, Depth::ReadData).await.unwrap();
            assert_eq!(found.damages, [], "{backup:?}");
            complete.push(backup.id);
        }
        complete
    }

    async fn documents(&self) -> usize {
        let documents = self.world.tables.documents();
        documents.every(&self.world.tenant, 100, None).await.unwrap().0.len()
    }
}

/// The victim: round after round.
#[tokio::test]
#[ignore = "started and killed by `kill_at_a_hundred_moments_loses_no_backup`"]
async fn victim() {
    let folder = std::env::var_os(FOLDER).expect("the parent names the folder");
    let millis = std::env::var_os(MILLIS).unwrap().into_string().unwrap().parse().unwrap();
    let place = Place::open(FilePath::new(&folder), millis).await;
    loop {
        let number = place.documents().await;
        place.round(number).await;
        place.world.pass(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn kill_at_a_hundred_moments_loses_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut millis = u64::try_from(now.as_millis()).unwrap();
    let mut known: Vec<BackupId> = Vec::new();
    for kill in 0..KILLS {
        // Spread over a round, and a few over many.
        kill_after(folder.path(), millis, 1 + kill * 37 % STEPS);
        millis += 60_000;
        if kill % KILLS_PER_DAY == 0 {
            millis += u64::try_from(TWO_DAYS.as_millis()).unwrap();
        }
        let place = Place::open(folder.path(), millis).await;
        let complete = place.complete().await;
        // The rule keeps the newest three: each stays until there are three newer ones.
        for id in &known {
            let newer = complete.iter().filter(|other| *other > id).count();
            assert!(complete.contains(id) || newer >= KEPT.last, "{id} of {known:?}: {complete:?}");
        }
        known = complete;
    }

    // Whoever comes next finishes what was begun, and everything is there.
    let place = Place::open(folder.path(), millis).await;
    let documents = place.documents().await;
    let backup = place.round(documents).await;
    assert_eq!(backup.state, BackupState::Complete);
    assert!(backup.counts.documents > 5, "it was never killed before its first round");
    assert_eq!(place.complete().await.len(), KEPT.last);
    let restored = place.restore.restore(&place.caller, &backup.id, LONG).await.unwrap();
    assert_eq!(restored.counts, backup.counts);
}

/// Starts the victim and kills it after so many changes of its stores.
fn kill_after(folder: &FilePath, millis: u64, steps: u64) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "back_up::kill::victim", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(MILLIS, millis.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = 0;
    for line in lines {
        seen += u64::from(line.starts_with(STEP));
        if seen == steps {
            break;
        }
    }
    // SIGKILL, while the change is under way.
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(seen, steps, "the victim ended by itself");
}
