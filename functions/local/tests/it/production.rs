//! `lectern doctor --production`: each line of docs/PRODUCTION.md comes out well and badly, on a real data directory and a real
//! server.

mod checklist;
mod directory;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;

use self::directory::{Directory, elsewhere, mended};
use crate::{
    BACKUP,
    lectern::{Lectern, OK, Ran},
    process::Server,
    with_two_documents,
};

/// Lines whose other outcome no process can have here: an address beyond this machine, a document that waits for five minutes,
/// another release. Tests of their functions have it.
const HALF_HERE: [&str; 3] = ["tls.used", "documents.stuck", "place.opens"];
const UNREACHABLE: i32 = 4;

/// What each line said, by its id.
type Lines = BTreeMap<String, (String, String)>;

/// The verdicts that each line has had.
#[derive(Default)]
struct Verdicts(BTreeMap<String, BTreeSet<String>>);

impl Verdicts {
    fn note(&mut self, lines: &Lines) {
        for (id, (verdict, _)) in lines {
            self.0.entry(id.clone()).or_default().insert(verdict.clone());
        }
    }

    /// Returns the lines that came out in one way only, of all that were looked at.
    fn one_way(&self) -> Vec<&str> {
        let has = |verdicts: &BTreeSet<String>, wanted: &[&str]| {
            wanted.iter().any(|verdict| verdicts.contains(*verdict))
        };
        let both = |verdicts: &BTreeSet<String>| {
            has(verdicts, &["ok"]) && has(verdicts, &["attention", "failed"])
        };
        let one_way = self.0.iter().filter(|(_, verdicts)| !both(verdicts));
        one_way.map(|(id, _)| id.as_str()).collect()
    }
}

fn lines(ran: &Ran) -> Lines {
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    let checks = told["checks"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |check: &Value| {
        let has_next = check["next"].as_str().is_some_and(|next| !next.is_empty());
        let wants_next = matches!(check["verdict"].as_str(), Some("attention" | "failed"));
        assert_eq!(has_next, wants_next, "what to do is said where there is something: {check}");
        assert!(!check["found"].as_str().unwrap().is_empty(), "{check}");
        (text(&check["id"]), (text(&check["verdict"]), text(&check["found"])))
    };
    checks.map(line).collect()
}

/// Asserts the verdicts of some lines.
#[track_caller]
fn expect(lines: &Lines, expected: &[(&str, &str)]) {
    for (id, verdict) in expected {
        assert_eq!(lines[*id].0, *verdict, "{id}: {}\n{lines:#?}", lines[*id].1);
    }
}

/// Nobody did anything but ingest two documents.
fn neglected(verdicts: &mut Verdicts) -> Lectern {
    let lectern = with_two_documents();
    let ran = lectern.run(&["doctor", "--production", "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let lines = lines(&ran);
    verdicts.note(&lines);
    expect(
        &lines,
        &[
            ("place.opens", "ok"),
            ("keys.accepted", "skipped"),
            ("keys.pepper", "ok"),
            ("money.limits", "attention"),
            ("money.left", "skipped"),
            ("models.prices", "ok"),
            ("backups.fresh", "failed"),
            ("backups.drill", "attention"),
            ("backups.whole", "skipped"),
            ("backups.apart", "attention"),
            ("retention.documents", "attention"),
            ("metrics.readable", "attention"),
            ("logs.level", "ok"),
            ("traces.sent", "attention"),
            ("alarms.sent", "skipped"),
            ("documents.failed", "ok"),
            ("index.passages", "ok"),
            ("audit.chain", "ok"),
            ("tls.used", "skipped"),
        ],
    );
    // A backup that anybody could read.
    assert_eq!(lectern.run(&["backup", "create"]).code, OK);
    let ran = lectern.run(&["doctor", "--production", "--json"]);
    assert_eq!(ran.code, OK, "attention fails nothing: {ran:?}");
    let lines = self::lines(&ran);
    verdicts.note(&lines);
    expect(&lines, &[("backups.fresh", "ok"), ("backups.encrypted", "attention")]);
    lectern
}

/// Breaks what can be broken, all at once.
fn break_everything(directory: &Directory) {
    let lectern = &directory.lectern;
    directory.done(&["keys", "create", "forgotten", "--permission", "admin"]);
    directory.done(&["budget", "--stop"]);
    directory.done(&["collections", "set", "default", r#"{"answers": {"model": "openai:gone"}}"#]);
    lectern.file("docs/broken.pdf", b"%PDF-1.7\nnothing of a PDF follows");
    assert_eq!(lectern.run(&["ingest", "docs/broken.pdf"]).code, 1);
    fs::remove_dir_all(lectern.path("data/index")).unwrap();
    let part = directory.backups.path().join("parts/local").read_dir().unwrap().next();
    fs::remove_file(part.unwrap().unwrap().path()).unwrap();
    let log = lectern.path("data/audit").read_dir().unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&log).unwrap();
    fs::write(log, text.replacen("\"decision\":\"allow\"", "\"decision\":\"deny\"", 1)).unwrap();
    #[cfg(unix)]
    fs::set_permissions(
        lectern.path("data/pepper"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .unwrap();
}

/// Settings that are not for production.
const CARELESS: [(&str, &str); 8] = [
    ("LECTERN_CHAT", "openai:nobody-knows"),
    ("LECTERN_MODEL_URL", "http://127.0.0.1:1/v1"),
    ("LECTERN_AUDIT_DAYS", "30"),
    ("LECTERN_LOG", "warn"),
    ("LECTERN_TRACES", "otlp:http://127.0.0.1:1"),
    ("LECTERN_ALLOWED_ORIGINS", "*"),
    ("LECTERN_MONITOR_KEY", "lk_01ARZ3NDEKTSV4RRFFQ69G5FAV_wrong"),
    ("LECTERN_EMBEDDER", "none"),
];

/// What is said of the broken directory with these settings.
const BROKEN: [(&str, &str); 20] = [
    ("keys.admin_expiry", "attention"),
    ("keys.pepper", "failed"),
    ("money.limits", "ok"),
    ("money.left", "failed"),
    ("models.prices", "attention"),
    ("backups.fresh", "ok"),
    ("backups.whole", "failed"),
    ("retention.documents", "ok"),
    ("retention.audit", "attention"),
    ("ready.ok", "failed"),
    ("metrics.readable", "failed"),
    ("logs.level", "attention"),
    ("traces.sent", "failed"),
    ("alarms.sent", "failed"),
    ("models.reachable", "failed"),
    ("models.named", "attention"),
    ("documents.failed", "attention"),
    ("index.passages", "failed"),
    ("audit.chain", "failed"),
    ("origins.listed", "attention"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_line_comes_out_well_and_badly() {
    let mut verdicts = Verdicts::default();
    let lectern = neglected(&mut verdicts);
    let has_manager = Arc::new(AtomicBool::new(true));
    let directory = mended(lectern, Arc::clone(&has_manager)).await;
    let (code, lines) = directory.doctor(&[]);
    verdicts.note(&lines);
    assert_eq!(code, OK, "{lines:#?}");
    let well: Vec<_> = lines.iter().filter(|(_, (verdict, _))| verdict == "ok").collect();
    let skipped = ["keys.accepted", "keys.required", "tls.used"];
    let apart = usize::from(elsewhere().is_none());
    assert_eq!(well.len(), lines.len() - skipped.len() - apart, "{lines:#?}");

    break_everything(&directory);
    has_manager.store(false, Ordering::Relaxed);
    let (code, lines) = directory.doctor(&CARELESS);
    verdicts.note(&lines);
    assert_eq!(code, 1);
    expect(&lines, &BROKEN);
    let lost = &lines["index.passages"].1;
    assert!(lost.starts_with("lost passages: 2 of 2 documents"), "{lost}");

    let mut there: Vec<&str> = skipped.into_iter().chain(HALF_HERE).collect();
    there.extend((apart == 1).then_some("backups.apart"));
    let one_way = verdicts.one_way();
    let unexpected: Vec<&&str> = one_way.iter().filter(|id| !there.contains(*id)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}: {:#?}", verdicts.0);
}

/// Looks at a server with a key.
fn ask(server: &Server, key: &str, arguments: &[&str]) -> (i32, Lines) {
    let lectern = Lectern::new();
    let url = format!("http://{}", server.address());
    let env = [("LECTERN_API_URL", url.as_str()), ("LECTERN_API_KEY", key)];
    let ran = lectern.run_with(&[&["doctor", "--production", "--json"], arguments].concat(), &env);
    (ran.code, lines(&ran))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_looked_at_through_its_api() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let key = server.key().to_owned();
    server.ready("backup.md", BACKUP).await;
    let (code, lines) = ask(&server, &key, &[]);
    assert_eq!(code, 1, "{lines:#?}");
    expect(
        &lines,
        &[
            ("place.opens", "ok"),
            ("keys.accepted", "ok"),
            ("keys.required", "ok"),
            ("keys.admin_expiry", "attention"),
            ("keys.pepper", "skipped"),
            ("backups.fresh", "failed"),
            ("logs.level", "skipped"),
            ("documents.stuck", "ok"),
            ("index.passages", "ok"),
            ("audit.chain", "skipped"),
            ("tls.used", "ok"),
            ("origins.listed", "ok"),
        ],
    );
    let beside = ["--data", data.path().to_str().unwrap()];
    let (_, lines) = ask(&server, &key, &beside);
    expect(&lines, &[("keys.pepper", "ok"), ("audit.chain", "ok"), ("logs.level", "ok")]);
    let (code, lines) = ask(&server, "lk_wrong", &[]);
    assert_eq!(code, 1);
    expect(&lines, &[("keys.accepted", "failed"), ("money.limits", "skipped")]);
    // Who names the directory alone is told where it is served.
    let locked = Lectern::new();
    let locked = locked.run(&[&["doctor", "--production"][..], &beside].concat());
    assert_eq!(locked.code, 1);
    assert!(locked.out.contains(&format!("--api http://{}", server.address())), "{locked:?}");

    server.kill();
    fs::remove_dir_all(data.path().join("index")).unwrap();
    let server = Server::open(data.path());
    let (code, lines) = ask(&server, &key, &[]);
    assert_eq!(code, 1);
    expect(
        &lines,
        &[("ready.ok", "ok"), ("index.passages", "failed"), ("keys.required", "failed")],
    );
    assert!(lines["index.passages"].1.starts_with("lost passages: 1 of 1"), "{lines:#?}");
}
