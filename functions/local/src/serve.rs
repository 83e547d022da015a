//! `lectern serve`: the API and the chat page, with the ingestion worker beside them.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use lectern_app::upload::NewDocument;
use lectern_core::{auth::Caller, document::Metadata, ids::CollectionId};
use lectern_runtime::telemetry;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use secrecy::ExposeSecret as _;
use tokio::{net::TcpListener, sync::mpsc};
use tracing::{info, warn};

use crate::{
    address,
    compose::Local,
    connections::{self, Limits},
    sources::{SourceFile, files_at},
};

/// How long requests under way may take after Ctrl-C.
const GRACE: Duration = Duration::from_secs(10);
/// What SIGUSR1 asks for: everything of ours, and the rest as always.
const CHATTY: &str = "debug,h2=warn,hyper=warn,hyper_util=warn,tower=warn,aws=warn,segment=warn,shard=warn,rustls=warn";
/// Changes that may wait.
const WATCH_BUFFER: usize = 4_096;
/// How long a changed file must be left alone before it is read.
const SETTLE: Duration = Duration::from_millis(300);

/// What is served.
#[derive(Clone, Debug)]
pub(crate) struct ServeOptions {
    /// Files and folders to ingest first.
    pub(crate) paths: Vec<PathBuf>,
    /// Where to listen.
    pub(crate) addr: SocketAddr,
    /// Whether anybody who can connect is the operator; on loopback only.
    pub(crate) open: bool,
    /// Whether changes of the files are followed.
    pub(crate) watch: bool,
    /// Which log lines are written unless a signal says otherwise.
    pub(crate) levels: String,
    /// Where the files' documents belong.
    pub(crate) collection: CollectionId,
}

/// Serves until Ctrl-C, or SIGTERM.
///
/// # Errors
/// When the address cannot be bound, `--open` is asked for beyond loopback, or a path does not exist.
pub(crate) async fn serve(local: &Local, options: &ServeOptions) -> Result<(), String> {
    if options.open && !options.addr.ip().is_loopback() {
        return Err("--open lets everybody in, so it works on a loopback address only; give people keys instead".into());
    }
    let files = files_at(&options.paths)?;
    let listener = TcpListener::bind(options.addr).await.map_err(|error| {
        format!("cannot listen at {}: {error}; choose another with --addr", options.addr)
    })?;
    let addr = listener.local_addr().map_err(|error| error.to_string())?;
    let _told = address::tell(&local.data, addr)
        .inspect_err(|error| warn!(%error, "nobody is told where the data directory is served"));
    welcome(local, options, addr).await?;

    let open_to = options.open.then(|| local.tenant.clone());
    let router = local.router(open_to);
    let server = connections::serve(listener, router, Limits::default(), async {
        stopped().await;
        info!("stopping: requests under way may finish");
    });
    let files_in = async {
        // Watching begins first, so that no change falls between reading and watching.
        let changes = if options.watch { Some(watch(options)?) } else { None };
        take_in(local, &options.collection, &files).await;
        if let Some(changes) = changes {
            follow_all(local, options, &files, changes).await;
        }
        std::future::pending::<Result<(), String>>().await
    };
    let serving = async {
        tokio::select! {
            () = server => Ok(()),
            failed = files_in => failed,
            () = too_slow() => Ok(()),
            never = follow_signals(&options.levels) => match never {},
        }
    };
    local.drive(serving).await
}

async fn welcome(local: &Local, options: &ServeOptions, addr: SocketAddr) -> Result<(), String> {
    let mut lines: Vec<String> = local.notices.clone();
    if options.open {
        lines.push("open: everybody who can reach this address is the operator".into());
    } else if let Some(key) = local.first_key().await.map_err(|error| error.to_string())? {
        lines.push(format!("API key (shown once): {}", key.expose_secret()));
    }
    lines.push(format!("Lectern listens at http://{addr}"));
    let mut out = io::stderr().lock();
    for line in lines {
        io::Write::write_fmt(&mut out, format_args!("{line}\n"))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Uploads files; a file that cannot be taken is named and left out.
async fn take_in(local: &Local, collection: &CollectionId, files: &[SourceFile]) {
    let total = files.len();
    let mut accepted = 0;
    for file in files {
        match upload(local, collection, file).await {
            Ok(()) => accepted += 1,
            Err(reason) => warn!(file = file.name, reason, "left a file out"),
        }
    }
    if total > 0 {
        info!(accepted, files = total, "took in the files");
    }
}

async fn upload(local: &Local, collection: &CollectionId, file: &SourceFile) -> Result<(), String> {
    let size = tokio::fs::metadata(&file.path).await.map_err(|error| error.to_string())?.len();
    if size > local.upload.max_bytes as u64 {
        return Err(format!("larger than {} bytes", local.upload.max_bytes));
    }
    let bytes = tokio::fs::read(&file.path).await.map_err(|error| error.to_string())?;
    let operator = Caller::operator(local.tenant.clone());
    let id = file.document_id();
    let known = local.documents.get(&operator, &id).await.is_ok();
    let new = NewDocument {
        collection: collection.clone(),
        document_id: known.then(|| id.clone()),
        new_id: Some(id),
        name: file.name.clone(),
        bytes: bytes.into(),
        acl: Vec::new(),
        metadata: Metadata::new(),
    };
    local.upload.upload(&operator, new).await.map(|_| ()).map_err(|error| error.to_string())
}

/// What a watcher saw. Dropping it ends the watching.
struct Changes {
    _watcher: RecommendedWatcher,
    paths: mpsc::Receiver<PathBuf>,
    roots: Vec<(PathBuf, PathBuf)>,
}

/// Watches the given paths from now on.
fn watch(options: &ServeOptions) -> Result<Changes, String> {
    let (sender, paths) = mpsc::channel::<PathBuf>(WATCH_BUFFER);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file is an event too, and following it would read the file again.
        let changed = event.ok().filter(|event| !event.kind.is_access());
        for path in changed.map(|event| event.paths).unwrap_or_default() {
            // A full buffer means that everything changes; the next change of the file comes again.
            if sender.try_send(path).is_err() {
                warn!("too many changes at once; some files keep their old version until they change again");
            }
        }
    })
    .map_err(|error| format!("cannot watch files: {error}"))?;
    for path in &options.paths {
        watcher
            .watch(path, RecursiveMode::Recursive)
            .map_err(|error| format!("cannot watch {}: {error}", path.display()))?;
    }
    info!(paths = options.paths.len(), "watching for changes");
    Ok(Changes { _watcher: watcher, paths, roots: relative_roots(&options.paths) })
}

/// Follows changes: a changed file becomes a new version, a removed one is deleted. The folders are
/// walked anew each time, so that what is hidden or ignored stays out and moved folders are noticed.
async fn follow_all(
    local: &Local,
    options: &ServeOptions,
    known: &[SourceFile],
    mut changes: Changes,
) {
    let mut known: BTreeMap<PathBuf, SourceFile> = by_path(known.to_vec());
    while let Some(first) = changes.paths.recv().await {
        let mut changed = HashSet::from([as_given(&first, &changes.roots)]);
        while let Ok(Some(more)) = tokio::time::timeout(SETTLE, changes.paths.recv()).await {
            changed.insert(as_given(&more, &changes.roots));
        }
        let there: Vec<PathBuf> =
            options.paths.iter().filter(|path| path.exists()).cloned().collect();
        let current = match files_at(&there) {
            Ok(files) => by_path(files),
            Err(reason) => {
                warn!(reason, "could not look for changes");
                continue;
            }
        };
        for file in current.values() {
            if changed.contains(&file.path) || !known.contains_key(&file.path) {
                report(file, upload(local, &options.collection, file).await);
            }
        }
        for file in known.values().filter(|file| !current.contains_key(&file.path)) {
            report(file, remove(local, file).await);
        }
        known = current;
    }
}

fn by_path(files: Vec<SourceFile>) -> BTreeMap<PathBuf, SourceFile> {
    files.into_iter().map(|file| (file.path.clone(), file)).collect()
}

async fn remove(local: &Local, file: &SourceFile) -> Result<(), String> {
    let operator = Caller::operator(local.tenant.clone());
    let gone = local.worker.forget.forget(&operator, &file.document_id()).await;
    gone.map(|_| ()).map_err(|error| error.to_string())
}

fn report(file: &SourceFile, outcome: Result<(), String>) {
    match outcome {
        Ok(()) => info!(file = file.name, "followed a change"),
        Err(reason) => warn!(file = file.name, reason, "could not follow a change"),
    }
}

/// Returns each path as given with its absolute form: watchers report absolute paths.
fn relative_roots(paths: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let absolute = |path: &PathBuf| std::fs::canonicalize(path).ok();
    paths.iter().filter_map(|path| Some((absolute(path)?, path.clone()))).collect()
}

fn as_given(path: &Path, roots: &[(PathBuf, PathBuf)]) -> PathBuf {
    let inside = roots.iter().find_map(|(absolute, given)| {
        let rest = path.strip_prefix(absolute).ok()?;
        Some(if rest.as_os_str().is_empty() { given.clone() } else { given.join(rest) })
    });
    inside.unwrap_or_else(|| path.to_owned())
}

async fn stopped() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// SIGUSR1 makes the log chatty, SIGUSR2 as it was: to see more of what goes on now, without a restart that ends it.
#[cfg(unix)]
async fn follow_signals(levels: &str) -> std::convert::Infallible {
    use tokio::signal::unix::{SignalKind, signal};
    let (chatty, quiet) =
        (signal(SignalKind::user_defined1()), signal(SignalKind::user_defined2()));
    let (Ok(mut chatty), Ok(mut quiet)) = (chatty, quiet) else {
        return std::future::pending().await;
    };
    loop {
        let wanted = tokio::select! {
            _ = chatty.recv() => CHATTY,
            _ = quiet.recv() => levels,
        };
        match telemetry::set_levels(wanted) {
            Ok(()) => info!(levels = wanted, "log levels were changed"),
            Err(reason) => warn!(reason, "log levels stay as they are"),
        }
    }
}

#[cfg(not(unix))]
async fn follow_signals(_: &str) -> std::convert::Infallible {
    std::future::pending().await
}

async fn too_slow() {
    stopped().await;
    tokio::time::sleep(GRACE).await;
}
