//! The checklist itself: its lines are the doctor's, and its commands print what it says.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    sync::{Arc, atomic::AtomicBool},
};

use serde_json::Value;

use super::{UNREACHABLE, directory::mended, expect, lines};
use crate::{BACKUP, gate::create_key, lectern::Lectern, process::Server, with_two_documents};

fn documented() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/PRODUCTION.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `") || line.starts_with("| by hand"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    rows.map(cells).filter(|row: &Vec<String>| row.len() > 3).collect()
}

#[test]
fn the_checklist_and_the_doctor_have_the_same_lines() {
    let nobody =
        Lectern::new().run(&["doctor", "--production", "--json", "--api", "http://127.0.0.1:1"]);
    assert_eq!(nobody.code, UNREACHABLE, "{nobody:?}");
    let lines = lines(&nobody);
    expect(&lines, &[("place.opens", "failed"), ("index.passages", "skipped")]);

    let rows = documented();
    for row in &rows {
        let [_, holds, command, prints] = &row[..] else { panic!("four cells: {row:?}") };
        assert!(!holds.is_empty() && !prints.is_empty(), "{row:?}");
        assert!(command.contains('`'), "a command proves it: {row:?}");
    }
    let ids = rows.iter().filter_map(|row| row[0].strip_prefix('`')?.strip_suffix('`'));
    let ids: Vec<&str> = ids.collect();
    let printed: BTreeSet<&str> = lines.keys().map(String::as_str).collect();
    assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), printed);
    assert_eq!(ids.len(), printed.len(), "each id once");
    let told: Value = serde_json::from_str(&nobody.out).unwrap();
    let order =
        told["checks"].as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap());
    assert_eq!(order.collect::<Vec<_>>(), ids, "in the order of the checklist");
}

/// Returns what a command must print, and what it must not, by the words in backticks of its cell: those after `no`. Alternatives
/// and what only a deployment prints are left out.
fn wanted(cell: &str) -> (Vec<&str>, Vec<&str>) {
    let cell = cell.split(", or ").next().unwrap();
    let cell = cell.split("; deployed").next().unwrap();
    let (positive, negative) = cell.split_once("no `").unwrap_or((cell, ""));
    (quoted(positive, 1), quoted(negative, 0))
}

/// Returns every second part between backticks, from `first` on; `…` ends one early.
fn quoted(text: &str, first: usize) -> Vec<&str> {
    let parts = text.split('`').skip(first).step_by(2).map(|part| part.split('…').next().unwrap());
    parts.filter(|part| !part.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_checklist_prints_what_it_says() {
    let directory = mended(with_two_documents(), Arc::new(AtomicBool::new(true))).await;
    let folder = directory.lectern.path("");
    fs::rename(directory.lectern.path("data"), directory.lectern.path("lectern-data")).unwrap();
    let served = tempfile::tempdir().unwrap();
    let monitor = create_key(served.path(), &["prometheus", "--permission", "monitor"]);
    let every = "query,upload,admin,backup";
    let key = create_key(served.path(), &["boss", "--permission", every, "--expires-in-days", "9"]);
    let server = Server::start(served.path(), &[], &[]).with_key(&key);
    server.ready("backup.md", BACKUP).await;
    let program = Path::new(env!("CARGO_BIN_EXE_lectern")).parent().unwrap().display().to_string();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut run, mut wrong) = (0, Vec::new());
    // Here keys stay on the machine.
    for row in documented().iter().filter(|row| row[0] != "by hand" && row[0] != "`tls.used`") {
        let command = quoted(&row[2], 1)[0];
        let script = format!("set -eu\nexec 2>&1\nPATH='{program}':$PATH\n{command}");
        let ran = Command::new("timeout")
            .args(["60", "bash", "-c", &script])
            // Where the stack is.
            .current_dir(if command.contains("--env") { &root } else { &folder })
            .envs(directory.env())
            .env("API", format!("http://{}", server.address()))
            .env("PROMETHEUS", &directory.prometheus)
            .envs([("KEY", &key), ("LECTERN_API_KEY", &key), ("LECTERN_MONITOR_KEY", &monitor)])
            .envs([("LECTERN_EMBEDDER", "none"), ("LECTERN_LOG", ""), ("LECTERN_AUDIT_DAYS", "")])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&ran.stdout);
        let (some, none) = wanted(&row[3]);
        let fits = some.iter().all(|word| printed.contains(word))
            && !none.iter().any(|word| printed.contains(word));
        run += 1;
        if !ran.status.success() || !fits {
            wrong.push(format!("{} {command}\nwants {some:?}, not {none:?}:\n{printed}", row[0]));
        }
    }
    assert!(run > 20, "{run} commands are few");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
