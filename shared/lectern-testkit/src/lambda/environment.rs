//! The process of a function, its output and its end.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use axum::serve::ListenerExt as _;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{Notify, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

use super::{Bootstrap, PATIENCE, runtime_api::Api};

/// How long the last lines of an ended process may take to arrive.
const LAST_LINES: Duration = Duration::from_secs(2);
/// Ticks per second of `/proc/<pid>/stat`: Linux shows a hundred on every platform it runs on.
const TICKS_PER_SECOND: u64 = 100;

/// A panic elsewhere leaves what these locks guard readable.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a process has written, line by line, standard output and error as they came.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Mutex<Vec<String>>,
    grown: watch::Sender<usize>,
}

impl Log {
    /// Returns the lines so far.
    pub(super) fn lines(&self) -> Vec<String> {
        lock(&self.lines).clone()
    }

    /// Returns the first line that contains `part`, waiting for it.
    pub(super) async fn line(&self, part: &str) -> Option<String> {
        let mut grown = self.grown.subscribe();
        let found = async {
            loop {
                let found = self.lines().into_iter().find(|line| line.contains(part));
                // The sender lives as long as `self`.
                if found.is_some() || grown.changed().await.is_err() {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.ok().flatten()
    }

    async fn read(self: Arc<Self>, output: impl AsyncRead + Unpin) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(output.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            lock(&self.lines).push(text);
            self.grown.send_modify(|count| *count += 1);
            line.clear();
        }
    }
}

/// A running function and the Runtime API it talks to, on a thread of their own.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) api: Arc<Api>,
    pub(super) log: Arc<Log>,
    pub(super) pid: u32,
    pub(super) exited: watch::Receiver<Option<ExitStatus>>,
    kill: Arc<Notify>,
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Environment {
    /// Starts the process.
    pub(super) fn start(bootstrap: &Bootstrap) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let api = Arc::new(Api::new(&bootstrap.function_name, bootstrap.timeout, Instant::now()));
        let child = {
            let _entered = runtime.enter();
            spawn(bootstrap, address)
        };
        let pid = child.id().unwrap();
        let log = Arc::new(Log::default());
        let kill = Arc::new(Notify::new());
        let (exit, exited) = watch::channel(None);
        let (stop, stopped) = oneshot::channel();
        let life = Life {
            child,
            api: Arc::clone(&api),
            log: Arc::clone(&log),
            kill: Arc::clone(&kill),
            exit,
        };
        let thread = thread::spawn(move || runtime.block_on(life.live(listener, stopped)));
        let running = Mutex::new(Some((stop, thread)));
        Self { api, log, pid, exited, kill, running }
    }

    /// Kills the process, if it lives, and returns how it ended.
    pub(super) async fn kill(&self) -> ExitStatus {
        self.kill.notify_one();
        self.exit().await.unwrap_or_else(|| panic!("process {} cannot be killed", self.pid))
    }

    /// Returns how the process ended, waiting for it.
    pub(super) async fn exit(&self) -> Option<ExitStatus> {
        let mut exited = self.exited.clone();
        let exited = timeout(PATIENCE, exited.wait_for(Option::is_some)).await.ok()?;
        exited.ok().and_then(|status| *status)
    }

    /// Kills the process and ends the Runtime API.
    pub(super) fn stop(&self) {
        let running = lock(&self.running).take();
        if let Some((stop, thread)) = running {
            drop(stop);
            // A panic of the thread was printed; a second one here would hide the test's own.
            let _ = thread.join();
        }
    }

    /// Returns the largest resident set so far in bytes; nothing once the process has ended.
    pub(super) fn peak_rss_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1_024)
    }

    /// Returns the processor time so far; nothing once the process has ended.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        // The name, the second field, stands in brackets and may hold blanks and brackets.
        let fields = stat.rsplit_once(')')?.1;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        let ticks = ticks.next()?.ok()? + ticks.next()?.ok()?;
        Some(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
    }
}

fn spawn(bootstrap: &Bootstrap, runtime_api: SocketAddr) -> Child {
    let program = std::path::absolute(&bootstrap.program).unwrap();
    let mut command = Command::new(&program);
    command
        .current_dir(program.parent().unwrap())
        .args(&bootstrap.arguments)
        .env_clear()
        .envs(bootstrap.variables(runtime_api))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()))
}

/// What the thread of an environment owns.
struct Life {
    child: Child,
    api: Arc<Api>,
    log: Arc<Log>,
    kill: Arc<Notify>,
    exit: watch::Sender<Option<ExitStatus>>,
}

impl Life {
    async fn live(mut self, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        // What is measured is the function's own haste.
        let listener = listener.tap_io(|connection| connection.set_nodelay(true).unwrap());
        let served = axum::serve(listener, Arc::clone(&self.api).router());
        tokio::spawn(served.into_future());
        let mut readers = JoinSet::new();
        readers.spawn(Arc::clone(&self.log).read(self.child.stdout.take().unwrap()));
        readers.spawn(Arc::clone(&self.log).read(self.child.stderr.take().unwrap()));
        let is_over = tokio::select! {
            _ = self.child.wait() => false,
            () = self.kill.notified() => false,
            _ = &mut stopped => true,
        };
        // It may have ended by itself, which is what is wanted.
        let _ = self.child.start_kill();
        let status = self.child.wait().await.unwrap();
        // Who learns of the end may read why at once. A grandchild may hold the pipe open: not for long.
        let _ = timeout(LAST_LINES, async { while readers.join_next().await.is_some() {} }).await;
        self.exit.send_replace(Some(status));
        self.api.close();
        if !is_over {
            let _ = stopped.await;
        }
    }
}
