//! The built `lectern serve`, driven over HTTP.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A process that is killed with SIGKILL when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A running server.
pub(crate) struct Server {
    process: Process,
    url: String,
    key: Option<String>,
    client: Client,
    log: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

impl Server {
    /// Starts `lectern serve` on a free port, open to everybody on loopback.
    pub(crate) fn open(data: &Path) -> Self {
        Self::start(data, &["--open"], &[])
    }

    /// Starts `lectern serve` on a free port and waits until it listens.
    pub(crate) fn start(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lectern"))
            .arg("--data")
            .arg(data)
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(arguments)
            .env("LECTERN_EMBEDDER", "none")
            .env("LECTERN_LOG", "info")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let process = Process(child);
        let log = Arc::new(Mutex::new(Vec::new()));
        let (sender, lines) = mpsc::channel();
        let kept = Arc::clone(&log);
        let path = data.with_extension("log");
        let reader = std::thread::spawn(move || {
            let mut file = std::fs::File::create(path).ok();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // A directory of a test may be gone before its server is.
                if let Some(file) = &mut file {
                    writeln!(file, "{line}").ok();
                }
                kept.lock().unwrap().push(line.clone());
                sender.send(line).ok();
            }
        });
        let (mut url, mut key) = (None, None);
        while url.is_none() {
            let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("serve did not start: {:?}", log.lock().unwrap());
            });
            key = key.or_else(|| after(&line, "API key (shown once): "));
            url = after(&line, "listens at ");
        }
        // A second test in this process finds it installed, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        Self { process, url: url.unwrap(), key, client, log, reader }
    }

    /// The key printed at the first start.
    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().expect("a first start prints a key")
    }

    /// Sends every request with this key from here on.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Returns the same server, each of whose requests has a connection of its own: one that is used again may be closing by
    /// then, of which a client knows nothing.
    pub(crate) fn without_pool(mut self) -> Self {
        self.client =
            Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap();
        self
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.anonymous(method, path);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends a request without a credential.
    pub(crate) fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request("GET", path)).await
    }

    /// Gets with another key.
    pub(crate) async fn get_as(&self, key: &str, path: &str) -> (StatusCode, Value) {
        answer(self.anonymous("GET", path).bearer_auth(key)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request("DELETE", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.request("POST", path).json(body)).await
    }

    /// Uploads bytes; `None` when the server went away meanwhile.
    pub(crate) async fn try_upload(
        &self,
        name: &str,
        bytes: Vec<u8>,
    ) -> Option<(StatusCode, Value)> {
        let request = self.request("POST", "/v1/documents").query(&[("name", name)]).body(bytes);
        let response = request.send().await.ok()?;
        let status = response.status();
        Some((status, response.json().await.ok()?))
    }

    pub(crate) async fn upload(&self, name: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        self.try_upload(name, bytes).await.expect("the server answers")
    }

    /// Uploads text and waits until it is ready.
    pub(crate) async fn ready(&self, name: &str, text: &str) -> String {
        let (status, accepted) = self.upload(name, text.as_bytes().to_vec()).await;
        assert!(status.is_success(), "{accepted}");
        let id = accepted["id"].as_str().unwrap().to_owned();
        let document = self.settled(&id).await;
        assert_eq!(document["state"], "ready", "{document}");
        id
    }

    /// Waits until a document is neither queued nor processing.
    pub(crate) async fn settled(&self, id: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, document) = self.get(&format!("/v1/documents/{id}")).await;
            let state = document["state"].as_str().unwrap_or("");
            if status.is_success() && !matches!(state, "queued" | "processing") {
                return document;
            }
            assert!(
                Instant::now() < deadline,
                "{id} does not settle: {document} {:#?}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn ask(&self, question: &str) -> Value {
        let (status, answer) = self.post("/v1/query", &json!({ "question": question })).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    pub(crate) async fn search(&self, question: &str) -> Vec<Value> {
        let body = json!({ "question": question, "limit": 100 });
        let (status, found) = self.post("/v1/search", &body).await;
        assert_eq!(status, StatusCode::OK, "{found}");
        found["passages"].as_array().unwrap().clone()
    }

    /// Asserts that every citation's quote is the canonical text at its offsets.
    pub(crate) async fn assert_citations_hold(&self, answer: &Value) {
        for citation in answer["citations"].as_array().unwrap() {
            let path = format!(
                "/v1/documents/{}/text?start={}&end={}&version={}",
                citation["document_id"].as_str().unwrap(),
                citation["start"],
                citation["end"],
                citation["version"]
            );
            let (status, piece) = self.get(&path).await;
            assert_eq!(status, StatusCode::OK, "{piece}");
            assert_eq!(piece["text"], citation["quote"]);
            let offsets = (&citation["start"], &citation["end"]);
            assert_eq!((&piece["start"], &piece["end"]), offsets);
        }
    }

    /// Where the server listens, `127.0.0.1:8080`.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The most memory the server had so far.
    pub(crate) fn peak_memory_kb(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.0.id());
        let status = std::fs::read_to_string(path).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Everything the server has logged.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Stops the server as an operator does; returns everything it has logged.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> Vec<String> {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.process.0.wait().unwrap().success());
        self.reader.join().unwrap();
        self.log.lock().unwrap().clone()
    }

    /// Kills the server as the kernel would: nothing is flushed, nothing is said.
    pub(crate) fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }
}

fn after(line: &str, prefix: &str) -> Option<String> {
    line.split_once(prefix).map(|(_, rest)| rest.trim().to_owned())
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
