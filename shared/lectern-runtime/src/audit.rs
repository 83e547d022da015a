//! The audit log of a process: one record for each request behind the gate (`lectern_core::audit` says what is in it).
//!
//! A record is written when its request has ended, however it ended: answered, refused, failed, or left by a client that hung up.
//! It goes past the log's levels, to a file or, on Lambda, to standard output, from where the stack ships it to a store of its own.

use std::{
    fmt,
    io::Write,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, Request},
    http::{StatusCode, request::Parts},
    response::Response,
};
use lectern_app::clock::{Clock, entropy};
use lectern_core::{
    audit::{Chain, Decision, Entry, Head, MAX_PATH_BYTES, Used},
    auth::Caller,
    time::Timestamp,
};
use tracing::error;

use crate::{problem::Problem, trace::RequestId};

/// How many records may be written before the table hears of them.
const WITNESS_RECORDS: u64 = 100;
/// How old the table's knowledge of a stream may become, as long as requests come.
const WITNESS_INTERVAL: Duration = Duration::from_secs(60);

/// The audit log. Clones write the same stream.
#[derive(Clone)]
pub struct Audit {
    shared: Arc<Mutex<Stream>>,
    clock: Clock,
}

struct Stream {
    chain: Chain,
    out: Box<dyn Write + Send>,
    witnessed: u64,
    witnessed_at: Timestamp,
}

impl fmt::Debug for Audit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Audit").finish_non_exhaustive()
    }
}

impl Audit {
    /// Returns a new stream that is written to `out`, each record at once.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static, clock: Clock) -> Self {
        let now = clock.now();
        let stream = Stream {
            chain: Chain::new(now, entropy()),
            out: Box::new(out),
            witnessed: 0,
            witnessed_at: now,
        };
        Self { shared: Arc::new(Mutex::new(stream)), clock }
    }

    /// Returns a new stream that is written to standard output.
    #[must_use]
    pub fn to_stdout(clock: Clock) -> Self {
        Self::new(std::io::stdout(), clock)
    }

    /// Begins the record of a request.
    pub(crate) fn begin(&self, request: &Request, address: Option<IpAddr>) -> Audited {
        let request_id = request.extensions().get::<RequestId>();
        let path = request.uri().path();
        let entry = Entry {
            at: self.clock.now().to_rfc3339(),
            request_id: request_id.map_or_else(String::new, |id| id.0.clone()),
            decision: Decision::Allow,
            method: request.method().to_string(),
            path: path[..path.floor_char_boundary(MAX_PATH_BYTES)].to_owned(),
            status: None,
            reason: None,
            tenant: None,
            key_id: None,
            visitor: None,
            address,
            used: Used::default(),
        };
        Audited(Arc::new(Pending { audit: self.clone(), entry: Mutex::new(entry) }))
    }

    /// Returns where the stream ends, when the table should hear of it: it is told every [`WITNESS_INTERVAL`] and every
    /// [`WITNESS_RECORDS`], as long as requests come.
    pub(crate) fn to_witness(&self) -> Option<Head> {
        let now = self.clock.now();
        let mut stream = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let head = stream.chain.head(now);
        let unseen = head.length - stream.witnessed;
        let is_old = now.since(stream.witnessed_at) >= WITNESS_INTERVAL;
        if unseen == 0 || (unseen < WITNESS_RECORDS && !is_old) {
            return None;
        }
        // Taken before it is told: what could not be told is part of what is told next.
        (stream.witnessed, stream.witnessed_at) = (head.length, now);
        Some(head)
    }

    /// Returns where the stream ends.
    #[must_use]
    pub fn head(&self) -> Head {
        let stream = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        stream.chain.head(self.clock.now())
    }

    fn write(&self, entry: &Entry) {
        let mut stream = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = stream.chain.append(entry);
        line.push('\n');
        let written = stream.out.write_all(line.as_bytes()).and_then(|()| stream.out.flush());
        if let Err(failure) = written {
            error!(error = %failure, "failed to write an audit record");
        }
    }
}

/// The record of a request that is under way. Clones are the same record, which is written when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Audited(Arc<Pending>);

#[derive(Debug)]
struct Pending {
    audit: Audit,
    entry: Mutex<Entry>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let entry = self.entry.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.audit.write(entry);
    }
}

impl Audited {
    fn set(&self, change: impl FnOnce(&mut Entry)) {
        change(&mut self.0.entry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Says who calls.
    pub(crate) fn by(&self, caller: &Caller) {
        self.set(|entry| {
            entry.tenant = Some(caller.tenant.clone());
            entry.key_id.clone_from(&caller.key_id);
            entry.visitor.clone_from(&caller.visitor);
        });
    }

    /// Says what was answered.
    pub(crate) fn answered(&self, response: &Response) {
        let status = response.status();
        let problem = response.extensions().get::<Problem>();
        self.set(|entry| {
            entry.status = Some(status.as_u16());
            entry.decision = decision(status);
            entry.reason = problem.map(name);
        });
    }

    /// Says what the request used.
    pub fn used(&self, used: Used) {
        self.set(|entry| entry.used = used);
    }

    /// Says that it failed after its response had begun.
    pub fn failed(&self, problem: &Problem) {
        self.set(|entry| {
            entry.decision = Decision::Fail;
            entry.reason = Some(name(problem));
        });
    }
}

/// Returns what a status says of the decision.
fn decision(status: StatusCode) -> Decision {
    match status {
        StatusCode::UNAUTHORIZED
        | StatusCode::PAYMENT_REQUIRED
        | StatusCode::FORBIDDEN
        | StatusCode::TOO_MANY_REQUESTS => Decision::Deny,
        status if status.is_client_error() || status.is_server_error() => Decision::Fail,
        _ => Decision::Allow,
    }
}

/// Returns the last word of a problem's type.
fn name(problem: &Problem) -> String {
    problem.r#type.rsplit(':').next().unwrap_or_default().to_owned()
}

impl<S: Send + Sync> FromRequestParts<S> for Audited {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let begun = parts.extensions.get::<Self>().cloned();
        begun.ok_or_else(|| lectern_app::errors::FlowError::Unauthenticated.into())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::atomic::{AtomicU64, Ordering},
    };

    use axum::body::Body;

    use super::*;

    /// What was written, and a clock that is set by hand.
    struct World {
        audit: Audit,
        written: Written,
        millis: Arc<AtomicU64>,
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl World {
        fn new() -> Self {
            let (written, millis) = (Written::default(), Arc::new(AtomicU64::new(1_000)));
            let now = Arc::clone(&millis);
            let clock = Clock::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
            Self { audit: Audit::new(written.clone(), clock), written, millis }
        }

        fn pass(&self, time: Duration) {
            let millis = u64::try_from(time.as_millis()).unwrap();
            self.millis.fetch_add(millis, Ordering::Relaxed);
        }

        fn begin(&self, path: &str) -> Audited {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            self.audit.begin(&request, None)
        }

        fn entries(&self) -> Vec<Entry> {
            let text = String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    #[test]
    fn a_record_is_written_once_when_its_request_has_ended_even_without_an_answer() {
        let world = World::new();
        let audited = world.begin("/v1/query");
        let streamed = audited.clone();
        drop(audited);
        assert!(world.entries().is_empty());
        drop(streamed);
        let entries = world.entries();
        assert_eq!((entries.len(), entries[0].status), (1, None));
    }

    #[test]
    fn a_long_path_is_cut() {
        let world = World::new();
        let path = format!("/{}", "a".repeat(MAX_PATH_BYTES));
        drop(world.begin(&path));
        drop(world.begin(&path[..MAX_PATH_BYTES]));
        let entries = world.entries();
        assert_eq!(entries[0].path.len(), MAX_PATH_BYTES);
        assert_eq!(entries[1].path, path[..MAX_PATH_BYTES]);
    }

    #[test]
    fn the_table_hears_of_the_end_every_so_many_records_and_every_so_often() {
        let world = World::new();
        assert_eq!(world.audit.to_witness(), None, "there is nothing to tell");
        for _ in 1..WITNESS_RECORDS {
            drop(world.begin("/"));
            assert_eq!(world.audit.to_witness(), None);
        }
        drop(world.begin("/"));
        assert_eq!(world.audit.to_witness().map(|head| head.length), Some(WITNESS_RECORDS));
        assert_eq!(world.audit.to_witness(), None, "it was told");

        drop(world.begin("/"));
        world.pass(WITNESS_INTERVAL - Duration::from_millis(1));
        assert_eq!(world.audit.to_witness(), None);
        world.pass(Duration::from_millis(1));
        assert_eq!(world.audit.to_witness().map(|head| head.length), Some(WITNESS_RECORDS + 1));
        world.pass(2 * WITNESS_INTERVAL);
        assert_eq!(world.audit.to_witness(), None, "nothing is new");
    }
}
