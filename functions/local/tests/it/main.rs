//! The built program, from the outside: arguments in, text, JSON and exit codes out.

#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod audit;
mod budget;
mod chat;
mod conversations;
mod crash;
mod deletion;
mod documents;
mod evaluation;
mod experiments;
mod fetching;
mod followups;
mod gate;
mod hostile;
mod idempotency;
mod lectern;
mod limits;
mod load;
mod logs;
mod measured;
mod origins;
mod permissions;
mod personal;
mod portable;
mod process;
mod production;
mod runbooks;
mod server;
mod settings;
mod stack;
mod subjects;
mod tokens;
mod traces;
mod validation;
mod watching;
mod widgets;

use serde_json::Value;

use crate::lectern::{Lectern, NO_ANSWER, OK, USAGE};

const BACKUP: &str =
    "# Backups\n\nBackups run daily at 03:00 UTC. They are kept for thirty days.\n";
const HOLIDAYS: &str = "# Holidays\n\nEvery employee has twenty-eight days of holiday a year.\n";

/// A data directory with two documents in it.
fn with_two_documents() -> Lectern {
    let lectern = Lectern::new();
    lectern.file("docs/backup.md", BACKUP.as_bytes());
    lectern.file("docs/holidays.md", HOLIDAYS.as_bytes());
    let ingested = lectern.run(&["ingest", "docs"]);
    assert_eq!(ingested.code, OK, "{ingested:?}");
    let notes: Vec<&str> = ingested.err.lines().collect();
    assert!(notes.iter().all(|line| line.starts_with("note: ")), "{ingested:?}");
    assert!(
        ingested.out.starts_with("2 accepted, 0 unchanged, 2 ready with 2 chunks"),
        "{ingested:?}"
    );
    lectern
}

#[test]
fn two_files_are_ingested_asked_searched_and_deleted() {
    let lectern = with_two_documents();

    let asked = lectern.run(&["ask", "When do backups run?"]);
    assert_eq!(asked.code, OK, "{asked:?}");
    assert!(asked.out.contains("Backups run daily at 03:00 UTC."), "{asked:?}");
    assert!(asked.out.contains("[1] docs/backup.md l. 3  “Backups run daily"), "{asked:?}");

    let found = lectern.json(&["search", "days of holiday", "--limit", "1"]);
    let passages = found["passages"].as_array().unwrap();
    assert_eq!((passages.len(), &passages[0]["document_name"]), (1, &"docs/holidays.md".into()));

    let listed = lectern.run(&["documents", "list"]);
    assert_eq!(listed.out.lines().count(), 3, "{listed:?}");
    let documents = lectern.json(&["documents", "list"]);
    let backup = by_name(&documents, "docs/backup.md");
    let id = backup["id"].as_str().unwrap();
    assert!(lectern.run(&["documents", "show", id]).out.contains("docs/backup.md"));

    // Nobody can be asked here, so a deletion needs a yes.
    assert_eq!(lectern.run(&["documents", "delete", id]).code, USAGE);
    let receipt = lectern.json(&["documents", "delete", id, "--yes"]);
    assert_eq!(
        (&receipt["passages_deleted"], &receipt["passages_remaining"]),
        (&1.into(), &0.into())
    );
    let gone = lectern.run(&["search", "backups daily"]);
    assert!(!gone.out.contains("03:00"), "{gone:?}");
}

#[test]
fn a_collection_is_set_up_from_the_command_line() {
    let lectern = Lectern::new();
    let created =
        lectern.json(&["collections", "set", "manuals", r#"{"retrieval": {"passages": 3}}"#]);
    assert_eq!(
        (&created["revision"], &created["settings"]["retrieval"]["passages"]),
        (&1.into(), &3.into())
    );
    let changed =
        lectern.json(&["collections", "set", "manuals", r#"{"retrieval": {"neighbours": 0}}"#]);
    assert_eq!(
        (&changed["revision"], &changed["settings"]["retrieval"]["passages"]),
        (&2.into(), &3.into())
    );
    let shown = lectern.run(&["collections", "get", "manuals"]);
    assert!(shown.out.contains("\"neighbours\": 0"), "{shown:?}");
    assert!(lectern.run(&["collections", "list"]).out.contains("manuals"));
    let wrong =
        lectern.run(&["collections", "set", "manuals", r#"{"retrieval": {"passages": 99}}"#]);
    assert!(wrong.code == 1 && wrong.err.contains("/settings/retrieval/passages"), "{wrong:?}");
}

fn by_name<'listing>(listing: &'listing Value, name: &str) -> &'listing Value {
    listing["documents"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn a_question_that_nothing_answers_exits_with_three() {
    let lectern = with_two_documents();
    let refused = lectern.run(&["ask", "Who won the chess tournament in Reykjavik?", "--json"]);
    assert_eq!(refused.code, NO_ANSWER, "{refused:?}");
    let answer: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!(answer["refused"], true);
}

#[test]
fn ingesting_again_changes_what_changed_only() {
    let lectern = with_two_documents();
    lectern.file("docs/backup.md", b"# Backups\n\nBackups run hourly now.\n");
    let again = lectern.run(&["ingest", "docs"]);
    assert!(again.out.starts_with("1 accepted, 1 unchanged"), "{again:?}");
    let documents = lectern.json(&["documents", "list"]);
    assert_eq!(documents["documents"].as_array().unwrap().len(), 2, "{documents}");
    assert_eq!(by_name(&documents, "docs/backup.md")["latest_version"], 2);
    let asked = lectern.run(&["ask", "When do backups run?"]);
    assert!(asked.out.contains("hourly") && !asked.out.contains("03:00"), "{asked:?}");
}

#[test]
fn a_document_that_cannot_be_read_is_named_and_fails_the_command() {
    let lectern = Lectern::new();
    lectern.file("docs/good.md", BACKUP.as_bytes());
    lectern.file("docs/broken.pdf", b"%PDF-1.7\nnothing of a PDF follows");
    let ingested = lectern.run(&["ingest", "docs", "--json"]);
    assert_eq!(ingested.code, 1, "{ingested:?}");
    let lines: Vec<Value> =
        ingested.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed = lines.iter().find(|line| line["event"] == "failed").unwrap();
    assert_eq!(failed["name"], "docs/broken.pdf");
    assert!(failed["failure"]["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    let summary = lines.last().unwrap();
    assert_eq!((&summary["ready"], &summary["failed"]), (&1.into(), &1.into()));

    let id = failed["id"].as_str().unwrap();
    assert_eq!(lectern.run(&["documents", "retry", id]).code, 1, "still broken");
    let listed = lectern.run(&["documents", "list"]);
    assert!(listed.out.contains("failed: "), "{listed:?}");
}

#[test]
fn keys_are_shown_once_listed_and_revoked() {
    let lectern = Lectern::new();
    let created =
        lectern.json(&["keys", "create", "app", "--permission", "query,upload", "--rate", "7"]);
    let (id, key) = (created["id"].as_str().unwrap(), created["key"].as_str().unwrap());
    assert!(key.starts_with("lk_"), "{created}");
    let listed = lectern.run(&["keys", "list", "--json"]);
    assert!(!listed.out.contains(key), "a key is shown once");
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed["keys"][0]["rate_per_minute"], 7);
    assert_eq!(lectern.run(&["keys", "revoke", id]).code, OK);
    assert!(lectern.run(&["keys", "list"]).out.contains("revoked"));
    assert_eq!(lectern.run(&["keys", "revoke", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).code, 1);
    assert_eq!(lectern.run(&["keys", "list", "--api", "http://127.0.0.1:1"]).code, USAGE);
}

#[test]
fn the_doctor_finds_nothing_wrong_and_names_every_wrong_setting() {
    let lectern = with_two_documents();
    let healthy = lectern.run(&["doctor", "--json"]);
    assert_eq!(healthy.code, OK, "{healthy:?}");
    let told: Value = serde_json::from_str(&healthy.out).unwrap();
    let checks = told["checks"].as_array().unwrap();
    for name in
        ["directory", "space", "settings", "model", "parser", "table", "index", "blobs", "queue"]
    {
        assert!(checks.iter().any(|check| check["name"] == name), "{name}: {told}");
    }
    assert_eq!(checks.iter().find(|check| check["name"] == "model").unwrap()["status"], "warn");

    let wrong = [("LECTERN_CHAT", "telepathy"), ("LECTERN_INGEST_WORKERS", "many")];
    let ill = lectern.run_with(&["doctor"], &wrong);
    assert_eq!(ill.code, 1);
    for (name, _) in wrong {
        assert!(ill.out.contains(name), "{ill:?}");
    }
    let refused = lectern.run_with(&["search", "x"], &wrong);
    assert_eq!(refused.code, USAGE);
    assert_eq!(refused.err.matches("LECTERN_").count(), 2, "all at once: {refused:?}");
}

#[test]
fn wrong_usage_and_missing_things_have_their_exit_codes() {
    let lectern = Lectern::new();
    assert_eq!(lectern.run(&["frobnicate"]).code, USAGE);
    assert_eq!(lectern.run(&["search", "x", "--limit", "0"]).code, USAGE);
    let nothing = lectern.run(&["ask", "x"]);
    assert_eq!(nothing.code, 1);
    assert!(nothing.err.contains("lectern ingest"), "{nothing:?}");
    for reading in [
        &["backup", "list"][..],
        &["backup", "create"],
        &["usage"],
        &["audit", "verify"],
        &["doctor", "--production"],
    ] {
        let nothing = lectern.run(reading);
        assert_eq!(nothing.code, 1, "{nothing:?}");
        assert!(nothing.err.contains("there is no data directory data"), "{nothing:?}");
    }
    let plain = lectern.run(&["doctor"]);
    assert!(plain.out.contains("there is no data directory data"), "{plain:?}");
    assert!(!lectern.path("data").exists(), "a reading command makes no directory");
    lectern.file("docs/a.md", b"# A");
    let other = lectern.run(&["search", "x", "--data", "docs"]);
    assert!(other.code == 1 && other.err.contains("no data directory docs"), "{other:?}");
    assert_eq!(std::fs::read_dir(lectern.path("docs")).unwrap().count(), 1);
    let unreachable = lectern.run(&["ask", "x", "--api", "http://127.0.0.1:1"]);
    assert_eq!(unreachable.code, 4, "{unreachable:?}");
    assert_eq!(lectern.run(&["model", "status"]).code, 1);
    let script = lectern.run(&["completions", "bash"]);
    assert!(script.code == OK && script.out.contains("_lectern()"));
}
