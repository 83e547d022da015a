//! A collection leaves as a folder and comes back, and records of another system come in, by the built program.

use std::path::Path;

use serde_json::{Value, json};

use crate::lectern::{Lectern, OK, USAGE};

const BACKUP: &str =
    "# Backups\n\nBackups run daily at 03:00 UTC. The newest is 26 hours old at most.\n";
const HOLIDAYS: &str = "Everybody has 30 days of holiday. They are asked for in March.\n";
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/models/all-MiniLM-L6-v2");

/// Lets the program have the model in a data directory; returns whether it is installed.
fn with_model(lectern: &Lectern, data: &str) -> bool {
    let models = lectern.path(data).join("models");
    std::fs::create_dir_all(&models).unwrap();
    let is_there = Path::new(MODEL).is_dir();
    if is_there {
        std::os::unix::fs::symlink(MODEL, models.join("all-MiniLM-L6-v2")).unwrap();
    }
    is_there
}

fn lines(lectern: &Lectern, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(lectern.path(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_exported_collection_is_readable_and_comes_back_with_its_vectors() {
    let lectern = Lectern::new();
    let has_model = with_model(&lectern, "data") && with_model(&lectern, "other");
    lectern.file("docs/backup.md", BACKUP.as_bytes());
    lectern.file("docs/holidays.txt", HOLIDAYS.as_bytes());
    assert_eq!(lectern.run(&["ingest", "docs"]).code, OK);
    let exported = lectern.json(&["export", "out"]);
    assert_eq!((&exported["documents"], &exported["id"]), (&json!(2), &json!("default")));

    let documents = lines(&lectern, "out/documents.jsonl");
    let backup = documents.iter().find(|one| one["name"] == "docs/backup.md").unwrap();
    let file = backup["file"].as_str().unwrap();
    assert!(file.starts_with("files/") && file.ends_with("-docs_backup.md"), "{file}");
    assert_eq!(std::fs::read_to_string(lectern.path("out").join(file)).unwrap(), BACKUP);
    let text = lectern.path("out").join(backup["text"].as_str().unwrap());
    let text = std::fs::read_to_string(text).unwrap();
    let passages = lines(&lectern, "out/passages.jsonl");
    assert_eq!(json!(passages.len()), exported["passages"]);
    for passage in passages.iter().filter(|one| one["document_id"] == backup["id"]) {
        let at = |name: &str| usize::try_from(passage[name].as_u64().unwrap()).unwrap();
        assert_eq!(text[at("start")..at("end")], *passage["text"].as_str().unwrap());
        let vector = passage["vector"].as_array();
        assert_eq!(vector.map_or(0, Vec::len), if has_model { 384 } else { 0 });
    }
    let again = lectern.run(&["export", "out"]);
    assert_eq!(again.code, USAGE, "{again:?}");
    assert!(again.err.contains("is not empty"), "{again:?}");

    // Elsewhere: the same ids, the same bytes, no passage embedded again.
    let imported = lectern.json(&["import", "out", "--data", "other"]);
    assert_eq!((&imported["ready"], &imported["failed"]), (&json!(2), &json!(0)), "{imported}");
    assert_eq!(imported["chunks"], exported["passages"]);
    let taken = if has_model { exported["passages"].clone() } else { json!(0) };
    assert_eq!(imported["vectors_used"], taken);
    let id = backup["id"].as_str().unwrap();
    let shown = lectern.json(&["documents", "show", id, "--data", "other"]);
    assert_eq!((&shown["state"], &shown["name"]), (&json!("ready"), &json!("docs/backup.md")));
    let answer = |data: &str| {
        let asked = lectern.json(&["ask", "When do backups run?", "--data", data]);
        (asked["answer"].clone(), asked["citations"][0]["document_id"].clone())
    };
    assert_eq!(answer("other"), answer("data"));
    let imported = lectern.json(&["import", "out", "--data", "other"]);
    assert_eq!((&imported["ready"], &imported["unchanged"]), (&json!(0), &json!(2)));

    // What is not whole, or leads elsewhere, is not read.
    lectern.file("out/documents.jsonl", b"{\"broken");
    assert_eq!(lectern.run(&["import", "out", "--data", "third"]).code, 1);
    std::fs::remove_file(lectern.path("out/collection.json")).unwrap();
    let refused = lectern.run(&["import", "out", "--data", "third"]);
    assert!(refused.err.contains("an export that was interrupted has none"), "{refused:?}");
}

#[test]
fn records_of_another_system_come_in_with_the_vectors_they_have() {
    let lectern = Lectern::new();
    let has_model = with_model(&lectern, "data");
    let mut vector = vec![0.0_f32; 384];
    vector[7] = 1.0;
    let records = [
        json!({"id": 7, "content": "Backups run daily at 03:00 UTC.", "embedding": vector, "team": "ops", "deep": {"x": 1}}),
        json!({"id": "holidays", "content": "Everybody has 30 days of holiday.", "embedding": null}),
        json!({"id": "short", "content": "Doors open at nine.", "embedding": [1.0, 2.0]}),
        json!({"id": "none"}),
    ];
    let text: Vec<String> = records.iter().map(Value::to_string).collect();
    lectern.file("chunks.jsonl", text.join("\n").as_bytes());
    let import =
        ["import", "chunks.jsonl", "--text-field", "content", "--vector-field", "embedding"];
    let ran = lectern.run(&[&import[..], &["--vectors-of", "all-MiniLM-L6-v2", "--json"]].concat());
    assert_eq!(ran.code, 1, "one record has no text: {ran:?}");
    assert!(ran.err.contains("chunks.jsonl:4: no text in the field `content`"), "{ran:?}");
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&said["ready"], &said["failed"]), (&json!(3), &json!(1)), "{said}");
    assert_eq!(said["vectors_used"], json!(u64::from(has_model)), "the short one is none: {said}");

    lectern.json(&["export", "out"]);
    let documents = lines(&lectern, "out/documents.jsonl");
    let first = documents.iter().find(|one| one["name"] == "chunks 7.txt").unwrap();
    assert_eq!(first["metadata"], json!({"team": "ops"}));
    let passages = lines(&lectern, "out/passages.jsonl");
    let of_first = passages.iter().find(|one| one["document_id"] == first["id"]).unwrap();
    if has_model {
        assert_eq!(of_first["vector"][7], json!(1.0));
    }
    let answer = lectern.json(&["ask", "When do backups run?"]);
    assert!(answer["answer"].as_str().unwrap().contains("03:00"), "{answer}");
}
