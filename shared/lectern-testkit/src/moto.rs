//! AWS on loopback, by moto: S3, SQS, Secrets Manager and what else it knows.
//!
//! What it is no evidence for: signatures, rights, expiry, and atomic counters (tables are tested on
//! `dynamodb_server`).

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use crate::raw_http;

/// Names the program.
const PROGRAM: &str = "LECTERN_MOTO_SERVER";
/// Where `cargo xtask test --install` puts it, in the workspace.
const INSTALLED: &str = "target/tools/bin/moto_server";
/// What it says once it listens, before its address.
const LISTENS: &str = "Running on http://";

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Moto {
    /// Starts an empty server, which takes a second or two.
    ///
    /// # Panics
    /// When there is no moto, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        let program = program();
        let mut process = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| missing(&program, &error));
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line.split_once(LISTENS).map(|(_, address)| address.trim().parse());
            said.push(line);
            address
        });
        let Some(Ok(address)) = address else {
            let _ = process.kill();
            panic!("{} did not start:\n{}", program.display(), said.join("\n"))
        };
        let log = Arc::new(Mutex::new(said));
        let written = Arc::clone(&log);
        // A pipe that nobody empties would stop the server.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { process, address, log }
    }

    /// Returns the address, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the variables that lead an AWS SDK here.
    #[must_use]
    pub fn environment(&self) -> BTreeMap<String, String> {
        let variables = [
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
            ("AWS_SESSION_TOKEN", "testing".to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Forgets everything.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn reset(&self) {
        let answer = raw_http::request(self.address, "POST", "/moto-api/reset", &[], "");
        let (status, body) = answer.unwrap();
        assert_eq!(status, 200, "moto did not reset: {body}");
    }

    /// Returns what the server wrote: its requests and why it failed.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> PathBuf {
    if let Some(named) = env::var_os(PROGRAM).filter(|named| !named.is_empty()) {
        return named.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(INSTALLED);
    if installed.is_file() { installed } else { "moto_server".into() }
}

fn missing(program: &Path, error: &std::io::Error) -> ! {
    panic!(
        "cannot start moto ({}: {error}). `cargo xtask test --install` installs it in {INSTALLED}; {PROGRAM} \
         names one that is somewhere else",
        program.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint>\
         </CreateBucketConfiguration>";

    #[test]
    fn buckets_are_kept_until_the_reset() {
        let moto = Moto::start();
        let signature = "AWS4-HMAC-SHA256 Credential=testing/20261121/eu-central-1/s3/aws4_request, \
                         SignedHeaders=host, Signature=00";
        let headers = [("Authorization", signature), ("Host", "localhost")];
        let ask = |method, path, body| {
            raw_http::request(moto.address, method, path, &headers, body).unwrap()
        };
        let (status, answer) = ask("PUT", "/documents", BUCKET);
        assert_eq!(status, 200, "{answer}");
        assert!(ask("GET", "/", "").1.contains("<Name>documents</Name>"));
        moto.reset();
        assert!(!ask("GET", "/", "").1.contains("<Name>documents</Name>"));
        assert_eq!(moto.environment()["AWS_ENDPOINT_URL"], moto.url());
    }
}
