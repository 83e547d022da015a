//! The runbooks, carried out: the fault that each is about is injected, where one process can have it, its commands are run, and what
//! it says they print is looked for.
//!
//! A fence that begins with three backticks and `sh run` is run, all of a file in one shell; a `text` fence after it has lines that
//! occur in what it printed, `…` for any text. `<!-- fault: NAME -->` says what is broken.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use lectern_testkit::chat::{Reply, ScriptedChat};
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

use crate::{BACKUP, HOLIDAYS, gate::create_key, process::Server};

const QUESTIONS: [&str; 3] =
    ["When do backups run?", "How many days of holiday?", "Who won the chess match in Reykjavik?"];
/// How late the slow model is.
const SLOW: Duration = Duration::from_secs(8);
const MARK: &str = "@@fence";

/// One fence that is run, and what it should print.
#[derive(Default)]
struct Fence {
    commands: String,
    printed: Vec<String>,
}

struct Runbook {
    name: String,
    fault: String,
    fences: Vec<Fence>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks")
}

fn read(path: &Path) -> Runbook {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let fault = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("<!-- fault: ")?.strip_suffix(" -->"));
    let (mut fences, mut inside, mut follows) = (Vec::<Fence>::new(), None, false);
    for line in text.lines() {
        let line = line.trim_start();
        match (line.strip_prefix("```"), inside) {
            (Some("sh run"), None) => {
                fences.push(Fence::default());
                (inside, follows) = (Some("run"), true);
            }
            (Some("text"), None) if follows => (inside, follows) = (Some("text"), false),
            (Some(_), None) => (inside, follows) = (Some("other"), false),
            (Some(_), Some(_)) => inside = None,
            (None, Some("run")) => {
                fences.last_mut().unwrap().commands.push_str(&format!("{line}\n"))
            }
            (None, Some("text")) => fences.last_mut().unwrap().printed.push(line.to_owned()),
            // Words between a command and a listing make it something else.
            (None, None) if !line.is_empty() && !line.starts_with("Expected") => follows = false,
            _ => {}
        }
    }
    Runbook { name, fault: fault.unwrap_or("none").to_owned(), fences }
}

/// What a runbook is carried out on. Fields are dropped in this order: the server first.
struct Broken {
    server: Option<Server>,
    _chat: Option<ScriptedChat>,
    api: String,
    key: String,
    monitor: String,
    directory: TempDir,
}

impl Broken {
    async fn by(fault: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("served");
        let key = create_key(&data, &["app", "--permission", "query,upload,admin,backup"]);
        let monitor = create_key(&data, &["prometheus", "--permission", "monitor"]);
        let chat = chat(fault);
        let url = chat.as_ref().map(ScriptedChat::base_url).unwrap_or_default();
        let mut variables = vec![("LECTERN_KEY_CONCURRENCY", "64")];
        if chat.is_some() {
            variables.extend([("LECTERN_CHAT", "openai:scripted"), ("LECTERN_MODEL_URL", &url)]);
        }
        let server = Server::start(&data, &[], &variables).with_key(&key);
        server.ready("backup.md", BACKUP).await;
        server.ready("holidays.md", HOLIDAYS).await;
        match fault {
            "broken-document" => {
                let (status, _) =
                    server.upload("broken.pdf", b"%PDF-1.7\nnothing follows".to_vec()).await;
                assert_eq!(status, StatusCode::ACCEPTED);
            }
            "stopped-spending" => {
                let request = server.request("PATCH", "/v1/budget").json(&json!({"stopped": true}));
                assert!(request.send().await.unwrap().status().is_success());
            }
            _ => {}
        }
        let bodies = QUESTIONS.map(|question| json!({"question": question}));
        let asked = bodies.iter().map(|body| server.post("/v1/query", body));
        futures::future::join_all(asked).await;
        let api = format!("http://{}", server.address());
        let offline = directory.path().join("data");
        let server = match fault {
            "gone" => {
                server.kill();
                // Its directory is what there is to work with.
                fs::rename(&data, &offline).unwrap();
                None
            }
            "lost-data" => {
                let (status, backup) = server.post("/v1/backups", &json!({})).await;
                assert!(status.is_success(), "{backup}");
                server.kill();
                fs::create_dir(&offline).unwrap();
                fs::rename(data.join("backups"), offline.join("backups")).unwrap();
                fs::copy(data.join("pepper"), offline.join("pepper")).unwrap();
                None
            }
            _ => {
                used(&offline);
                Some(server)
            }
        };
        Self { server, _chat: chat, api, key, monitor, directory }
    }

    fn run(&self, fences: &[Fence]) -> String {
        let path = self.directory.path();
        let work = path.join("work");
        fs::create_dir_all(&work).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_lectern"));
        let folder = program.parent().unwrap().display();
        let mut script = format!("set -u\nexec 2>&1\nPATH='{folder}':$PATH\n");
        for (at, fence) in fences.iter().enumerate() {
            script.push_str(&format!("printf '\\n{MARK} {at}\\n'\n{}", fence.commands));
        }
        let output = Command::new("timeout")
            .args(["180", "bash", "-c", &script])
            .current_dir(&work)
            .env("API", &self.api)
            .env("LECTERN_API_URL", &self.api)
            .env("LECTERN_API_KEY", &self.key)
            .env("LECTERN_EMBEDDER", "none")
            .env("LECTERN", program)
            .env("MONITOR_KEY", &self.monitor)
            .env("LOG", path.join("served.log"))
            .env("WORK", &work)
            .env("DATA", path.join("data"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Makes a data directory that was used and that nobody has open.
fn used(data: &Path) {
    let lectern = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lectern"));
        command.arg("--data").arg(data).args(arguments).env("LECTERN_EMBEDDER", "none");
        assert!(command.output().unwrap().status.success(), "{arguments:?}");
    };
    let file = data.with_file_name("backup.md");
    fs::write(&file, BACKUP).unwrap();
    lectern(&["ingest", file.to_str().unwrap()]);
    lectern(&["search", "backups"]);
}

/// Returns the model that the fault is about.
fn chat(fault: &str) -> Option<ScriptedChat> {
    let good = || Reply::tokens(&["Backups run daily at 03:00 UTC [1]."]);
    let chat = ScriptedChat::start([]);
    match fault {
        "model-errors" => chat.always(|| Reply::status(500), Duration::ZERO),
        "model-quota" => chat.always(|| Reply::rate_limited("1"), Duration::ZERO),
        "model-slow" => chat.always(good, SLOW),
        "stopped-spending" => chat.always(good, Duration::ZERO),
        _ => return None,
    }
    Some(chat)
}

/// Whether a line has these words in this order, `…` between them for any text.
fn has(line: &str, wanted: &str) -> bool {
    let mut rest = line;
    wanted.split('…').map(str::trim).all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_what_its_runbook_says() {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    let (mut wrong, mut run) = (Vec::new(), 0);
    for path in paths {
        let Runbook { name, fault, fences } = read(&path);
        if fences.is_empty() {
            continue;
        }
        let broken = Broken::by(&fault).await;
        let printed = broken.run(&fences);
        let parts: Vec<&str> = printed.split(MARK).skip(1).collect();
        run += fences.len();
        for (at, fence) in fences.iter().enumerate() {
            let part = parts.get(at).copied().unwrap_or_default();
            for line in fence.printed.iter().filter(|line| !line.trim().is_empty()) {
                if !part.lines().any(|found| has(found, line)) {
                    wrong.push(format!(
                        "{name}: `{}`\nwants: {line}\nprinted:{part}",
                        fence.commands.trim()
                    ));
                }
            }
        }
        drop(broken.server);
    }
    assert!(run >= 20, "{run} commands are few");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn each_runbook_has_what_somebody_looks_for_at_night() {
    for name in [
        "high-error-rate",
        "high-latency",
        "index-down",
        "table-throttled",
        "ingestion-stuck",
        "service-down",
        "security-incident",
        "data-loss",
        "cost-runaway",
        "model-down",
        "bad-release",
    ] {
        let text = fs::read_to_string(folder().join(format!("{name}.md"))).unwrap();
        for part in ["**You see**", "scalate", "Tried", "```sh run"] {
            assert!(text.contains(part), "{name}: {part}");
        }
    }
}
