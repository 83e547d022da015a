//! Downloads one file over HTTP, and goes on where a cut connection stopped.

use std::{
    error::Error,
    io::{Seek, Write},
    path::PathBuf,
    time::Duration,
};

use futures::StreamExt;
use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE},
};
use tempfile::NamedTempFile;
use tokio::time::{sleep, timeout};
use url::Url;

use super::{files::ModelError, install::Progress};

/// How long and how often a download is tried.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// Most requests for one file.
    pub(super) attempts: u32,
    /// Waited before the second request, doubled before each further one.
    pub(super) pause: Duration,
    /// Longest silence while connecting or between two pieces.
    pub(super) silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 6, pause: Duration::from_secs(1), silence: Duration::from_secs(30) }
    }
}

/// One file to download.
pub(super) struct Fetch<'patience> {
    pub(super) url: Url,
    /// Most bytes the file may have.
    pub(super) limit_bytes: u64,
    /// Where the temporary file is made.
    pub(super) directory: PathBuf,
    pub(super) patience: &'patience Patience,
}

/// Why one request did not bring the whole file.
enum Interruption {
    /// Another request may go on.
    Passing(Box<dyn Error + Send + Sync>),
    /// No further request can help.
    Final(ModelError),
}

impl<E: Error + Send + Sync + 'static> From<E> for Interruption {
    fn from(error: E) -> Self {
        Self::Passing(error.into())
    }
}

impl Fetch<'_> {
    /// Returns the downloaded bytes in a file that vanishes with the returned value.
    pub(super) async fn run(&self, progress: &Progress) -> Result<NamedTempFile, ModelError> {
        let mut file = NamedTempFile::new_in(&self.directory)
            .map_err(|error| ModelError::io("write in", &self.directory, error))?;
        let client = crate::http::client().connect_timeout(self.patience.silence).build();
        let client = client.map_err(|error| failed(0, error.into()))?;
        let mut pause = self.patience.pause;
        let mut attempt = 1;
        loop {
            match self.request(&client, &mut file, progress).await {
                Ok(()) => return Ok(file),
                Err(Interruption::Final(error)) => return Err(error),
                Err(Interruption::Passing(error)) if attempt >= self.patience.attempts => {
                    return Err(failed(attempt, error));
                }
                Err(Interruption::Passing(_)) => sleep(pause).await,
            }
            pause *= 2;
            attempt += 1;
        }
    }

    async fn request(
        &self,
        client: &Client,
        file: &mut NamedTempFile,
        progress: &Progress,
    ) -> Result<(), Interruption> {
        let received = file.as_file_mut().stream_position()?;
        let mut request = client.get(self.url.clone()).header(ACCEPT_ENCODING, "identity");
        if received > 0 {
            request = request.header(RANGE, format!("bytes={received}-"));
        }
        let response = timeout(self.patience.silence, request.send()).await??;
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ModelError::Status(status.as_u16()).into());
        }
        let mut done = received;
        if !continues(&response, received) {
            file.as_file().set_len(0)?;
            file.rewind()?;
            done = 0;
        }
        if status == StatusCode::RANGE_NOT_SATISFIABLE && received > 0 {
            return Err(ModelError::Status(status.as_u16()).into());
        }
        if !status.is_success() {
            return Err(Interruption::Final(ModelError::Status(status.as_u16())));
        }
        let total = response.content_length().map(|rest| rest + done);
        let mut pieces = response.bytes_stream();
        while let Some(piece) = timeout(self.patience.silence, pieces.next()).await? {
            let piece = piece?;
            done += piece.len() as u64;
            if done > self.limit_bytes {
                let limit_bytes = self.limit_bytes;
                return Err(Interruption::Final(ModelError::TooLong { limit_bytes }));
            }
            // A piece is at most some 16 KB into the page cache: shorter than a hop to another thread.
            file.write_all(&piece)?;
            progress(done, total);
        }
        Ok(())
    }
}

fn failed(attempts: u32, source: Box<dyn Error + Send + Sync>) -> ModelError {
    ModelError::Download { attempts, source }
}

/// Whether `response` begins at byte `received`, as asked.
fn continues(response: &Response, received: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let begins = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    response.status() == StatusCode::PARTIAL_CONTENT
        && begins.and_then(|first| first.parse().ok()) == Some(received)
}
