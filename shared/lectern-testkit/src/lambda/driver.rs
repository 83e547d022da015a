//! The driver of a function.

use std::{
    process::ExitStatus,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use tokio::time::timeout;

use super::{
    Bootstrap, Invocation, MAX_EVENT_BYTES, PATIENCE, Pending, Streaming,
    environment::Environment,
    runtime_api::{Delivery, Signals},
};

/// A function that runs, as one of Lambda's execution environments. Dropping it kills the process; a test that
/// panics prints what the process wrote. It measures real time: not for tests with a stopped clock.
#[derive(Debug)]
pub struct Driver {
    environment: Arc<Environment>,
    timeout: Duration,
    sent: AtomicU64,
}

impl Driver {
    /// Starts the process; it initialises while the test goes on.
    ///
    /// # Panics
    /// When there is no such program.
    #[must_use]
    pub fn start(bootstrap: &Bootstrap) -> Self {
        let environment = Arc::new(Environment::start(bootstrap));
        Self { environment, timeout: bootstrap.timeout, sent: AtomicU64::new(0) }
    }

    /// Returns how long the function took from its start to its first question for an event, waiting for it.
    ///
    /// # Panics
    /// When the function ends, reports that it cannot start, or does not ask within [`PATIENCE`].
    pub async fn first_poll(&self) -> Duration {
        let environment = &self.environment;
        let mut first_poll = environment.api.first_poll.subscribe();
        let mut init_error = environment.api.init_error.subscribe();
        let why = tokio::select! {
            biased;
            first = timeout(PATIENCE, first_poll.wait_for(Option::is_some)) => match first {
                Ok(Ok(first)) => return first.unwrap_or_default(),
                _ => format!("did not ask for an event within {PATIENCE:?}"),
            },
            Ok(error) = init_error.wait_for(Option::is_some) => format!("reported {:?}", *error),
            Some(status) = environment.exit() => format!("ended: {status}"),
        };
        panic!("the function {why}\n{}", self.log().join("\n"))
    }

    /// Sends an event and waits for the end of its answer.
    pub async fn invoke(&self, event: &Value) -> Invocation {
        self.send(event).outcome().await
    }

    /// Sends an event and waits for the beginning of a streamed answer.
    ///
    /// # Errors
    /// When the answer is not a stream.
    pub async fn invoke_streaming(&self, event: &Value) -> Result<Streaming, Box<Invocation>> {
        self.send(event).stream().await
    }

    /// Sends an event. The function gets it when it is done with those before.
    ///
    /// # Panics
    /// When the event is larger than Lambda takes.
    #[must_use = "what becomes of the event"]
    pub fn send(&self, event: &Value) -> Pending {
        let event = event.to_string();
        assert!(
            event.len() <= MAX_EVENT_BYTES,
            "Lambda answers 413 to an event of {} bytes",
            event.len()
        );
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        let request_id = format!("8476a536-e9f4-11e8-9739-{number:012x}");
        let (signals, receiver, severed) = Signals::new();
        let environment = Arc::clone(&self.environment);
        let pending =
            Pending::new(request_id.clone(), receiver, severed, environment, self.timeout);
        self.environment.api.submit(Delivery { request_id, event: event.into(), signals });
        pending
    }

    /// Kills the process, as `kill -9` does, and waits for its end.
    pub async fn kill(&self) -> ExitStatus {
        self.environment.kill().await
    }

    /// Returns how the process ended, waiting for it.
    ///
    /// # Panics
    /// When it lives on for [`PATIENCE`].
    pub async fn exit(&self) -> ExitStatus {
        let status = self.environment.exit().await;
        status.unwrap_or_else(|| panic!("the function still runs\n{}", self.log().join("\n")))
    }

    /// Returns whether the process runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.environment.exited.borrow().is_none()
    }

    /// Returns the lines the process has written so far, to both outputs. Those of an answered event may still
    /// be on their way: see [`Driver::log_line`].
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.environment.log.lines()
    }

    /// Returns the first line that contains `part`, waiting for it.
    ///
    /// # Panics
    /// When none comes within [`PATIENCE`].
    pub async fn log_line(&self, part: &str) -> String {
        let line = self.environment.log.line(part).await;
        line.unwrap_or_else(|| panic!("no line with {part:?}:\n{}", self.log().join("\n")))
    }

    /// Returns the process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.environment.pid
    }

    /// Returns the largest resident set so far in bytes.
    ///
    /// # Panics
    /// When the process has ended.
    #[must_use]
    pub fn peak_rss_bytes(&self) -> u64 {
        self.environment.peak_rss_bytes().expect("the process of the function has ended")
    }

    /// Returns the processor time so far, in steps of 10 ms.
    ///
    /// # Panics
    /// When the process has ended.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        self.environment.cpu_time().expect("the process of the function has ended")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.environment.stop();
        if thread::panicking() {
            eprintln!("what function {} wrote:\n{}", self.pid(), self.log().join("\n"));
        }
    }
}
