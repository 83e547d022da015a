//! Parses in a child process that the kernel bounds, and turns every way it can end into an answer.
//!
//! A child serves many documents, one at a time, and is replaced after any failure. It inherits no
//! environment, writes no file, and its standard error never leaves this module.

mod death;
mod wire;
mod worker;

use std::{
    ffi::OsString,
    fmt, io,
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::Semaphore,
    time::timeout,
};

pub use self::worker::worker_main;
use crate::{
    Parsed, check_size,
    error::ParseError,
    limits::ParseLimits,
    sandbox::{death::cause_of_death, wire::Request},
};

/// Children that parse at the same time unless said otherwise.
pub const DEFAULT_CONCURRENCY: usize = 2;
/// Documents one child serves before it is replaced, so that what libraries leak stays bounded.
pub const DOCUMENTS_PER_CHILD: u32 = 200;
/// Bytes of a child's standard error that are looked at.
const MAX_STDERR_BYTES: usize = 4_096;
/// How long a child that broke off may take to end before it is killed.
const DEATH_TIME: Duration = Duration::from_secs(2);

/// Runs parses in child processes.
pub struct Sandbox {
    program: PathBuf,
    arguments: Vec<OsString>,
    permits: Semaphore,
    /// A plain mutex: held for a push or a pop, never across an await.
    idle: Mutex<Vec<Worker>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sandbox").field("program", &self.program).finish_non_exhaustive()
    }
}

/// A child that waits for its next document. Dropping it kills it.
struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    served: u32,
}

impl Sandbox {
    /// Returns a sandbox whose children run `program` with `arguments`, which must call
    /// [`worker_main`]. Nothing is started yet.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self::with_concurrency(program, arguments, DEFAULT_CONCURRENCY)
    }

    /// Returns a sandbox with at most `concurrency` children, at least one.
    #[must_use]
    pub fn with_concurrency(
        program: PathBuf,
        arguments: Vec<OsString>,
        concurrency: usize,
    ) -> Self {
        let permits = Semaphore::new(concurrency.max(1));
        Self { program, arguments, permits, idle: Mutex::default() }
    }

    /// Parses `bytes` in a child within `limits`. Waiting for a free child counts as time.
    ///
    /// # Errors
    /// Every [`ParseError`]; `timeout` and `crashed` may be retried.
    pub async fn parse(
        &self,
        bytes: Bytes,
        name: &str,
        limits: &ParseLimits,
    ) -> Result<Parsed, ParseError> {
        check_size(&bytes, limits)?;
        let allowed_ms = limits.wall_time.as_millis().try_into().unwrap_or(u64::MAX);
        // On timeout the future and the worker in it are dropped, which kills the child.
        timeout(limits.wall_time, self.parse_unhurried(&bytes, name, limits))
            .await
            .unwrap_or(Err(ParseError::Timeout { allowed_ms }))
    }

    async fn parse_unhurried(
        &self,
        bytes: &Bytes,
        name: &str,
        limits: &ParseLimits,
    ) -> Result<Parsed, ParseError> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut worker = match idle {
            Some(worker) => worker,
            None => self
                .spawn()
                .map_err(|error| ParseError::Crashed { how: format!("spawn: {}", error.kind()) })?,
        };
        let request =
            Request { name: name.into(), limits: limits.clone(), body_bytes: bytes.len() as u64 };
        let mut stderr = Vec::new();
        let answer = tokio::select! {
            answer = exchange(&mut worker.stdin, &mut worker.stdout, &request, bytes) => answer,
            () = drain(&mut worker.stderr, &mut stderr) => unreachable!("draining never ends"),
        };
        let answer = match answer.and_then(|json| Ok(serde_json::from_slice(&json)?)) {
            Ok(answer) => answer,
            Err(_) => return Err(post_mortem(worker, stderr, bytes, name, limits).await),
        };
        worker.served += 1;
        if worker.served < DOCUMENTS_PER_CHILD {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
        answer
    }

    fn spawn(&self) -> io::Result<Worker> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("pipe missing");
        Ok(Worker {
            stdin: child.stdin.take().ok_or_else(missing)?,
            stdout: child.stdout.take().ok_or_else(missing)?,
            stderr: child.stderr.take().ok_or_else(missing)?,
            child,
            served: 0,
        })
    }
}

/// Sends the request and returns the bytes of the answer.
async fn exchange(
    stdin: &mut ChildStdin,
    stdout: &mut ChildStdout,
    request: &Request,
    body: &Bytes,
) -> io::Result<Vec<u8>> {
    stdin.write_all(&wire::header(request)?).await?;
    stdin.write_all(body).await?;
    stdin.flush().await?;
    let length = stdout.read_u64_le().await?;
    if length > wire::max_answer_bytes(&request.limits) {
        return Err(io::Error::other("answer too long"));
    }
    let mut answer = Vec::new();
    stdout.take(length).read_to_end(&mut answer).await?;
    if answer.len() as u64 == length {
        Ok(answer)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Keeps the child's standard error flowing, and the first bytes of it, until dropped.
async fn drain(stderr: &mut (impl AsyncRead + Unpin), kept: &mut Vec<u8>) {
    read_kept(stderr, kept).await;
    std::future::pending().await
}

async fn read_kept(stderr: &mut (impl AsyncRead + Unpin), kept: &mut Vec<u8>) {
    let mut buffer = [0; 1_024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let room = MAX_STDERR_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
}

/// Finds out why a child broke off.
async fn post_mortem(
    mut worker: Worker,
    mut stderr: Vec<u8>,
    bytes: &Bytes,
    name: &str,
    limits: &ParseLimits,
) -> ParseError {
    drop(worker.stdin);
    let ended = timeout(DEATH_TIME, async {
        read_kept(&mut worker.stderr, &mut stderr).await;
        worker.child.wait().await
    });
    match ended.await {
        Ok(Ok(status)) => cause_of_death(status, &stderr, bytes, name, limits),
        Ok(Err(error)) => ParseError::Crashed { how: format!("wait: {}", error.kind()) },
        Err(_) => ParseError::Crashed { how: "broke off without ending".into() },
    }
}
