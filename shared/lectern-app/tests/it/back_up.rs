//! Backups: what they hold, what they store anew, and what is found when something of them is lost.

mod damage;
mod erasing;
pub(crate) mod failing;
mod hostile;
mod kill;
mod moving;
mod power;
mod pruning;
mod rounds;
pub(crate) mod sealing;
pub(crate) mod site;
mod writers;

use lectern_app::back_up::{
    Backup, BackupCounts, BackupState, Part, PartLimits,
    manifest::{SCHEMA, VectorsOf},
    records::{Kind, PassageLine},
};
use lectern_core::{
    auth::Permission,
    ids::CollectionId,
    passage::Scope,
    ports::{PassageReader as _, PassageWriter as _},
};
use serde_json::json;

use self::site::{LONG, Site};
use crate::world::text;

/// So small that a few documents make many parts.
pub(crate) const TINY: PartLimits = PartLimits {
    min_bytes: 1 << 10,
    max_bytes: 8 << 10,
    checkpoint_bytes: 64 << 10,
    inline_bytes: 0,
};

fn hashes(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.sha256.as_str()).collect()
}

#[tokio::test]
async fn a_complete_backup_holds_what_is_there() {
    let site = Site::new().await;
    site.world.set(json!({"language": "eng"})).await;
    let long = "پشتیبان 😀 ".repeat(20_000);
    let heron = site.add(&long, &["*"]).await;
    let otter = site.add(&text("otter", 2), &["team:blue"]).await;
    // A version on its way answers nothing; its record is there and its passages are not.
    let (_, second) = site.world.accept(Some(&otter), &text("otter", 3), &["*"]).await;
    let (waiting, _) = site.world.accept(None, &text("marten", 4), &["*"]).await;

    let backup = site.run().await;
    assert_eq!((backup.state, backup.failure.as_deref()), (BackupState::Complete, None));
    let counts = backup.counts;
    assert_eq!((counts.collections, counts.documents, counts.versions), (1, 3, 4));
    assert_eq!((counts.texts, counts.passages), (2, 2));
    assert_eq!((counts.missing_texts, counts.missing_passages), (0, 0));
    // The files of the two versions on their way were never stored.
    assert_eq!((counts.originals, counts.missing_originals, counts.keys), (2, 2, 0));
    let caller = site.world.caller(&[]);
    assert_eq!(site.back_up().show(&caller, &backup.id).await.unwrap(), backup);

    let manifest = site.manifest(&backup).await;
    assert_eq!((manifest.schema, &manifest.backup_id), (SCHEMA, &backup.id));
    assert_eq!((manifest.counts, Some(&manifest.digest)), (counts, backup.digest.as_ref()));
    let model = VectorsOf { model: "bag-of-words".into(), dimensions: 64 };
    assert_eq!(manifest.embedding_model, Some(model));
    assert!(manifest.cut.is_exact, "{:?}", manifest.cut);
    let total: u64 = manifest.parts.iter().map(|part| part.size_bytes).sum();
    assert_eq!((manifest.parts.len() as u64, total), (backup.parts, backup.size_bytes));

    let collections = site.lines(&manifest, Kind::Collection).await;
    assert_eq!(collections[0]["id"], "default");
    assert_eq!(collections[0]["settings"], json!({"language": "eng"}));
    let documents = site.documents(&manifest).await;
    for id in [&heron, &otter, &waiting] {
        let live = site.world.tables.documents().get(&site.world.tenant, id).await.unwrap();
        assert_eq!(documents.iter().find(|document| document.id == *id), live.as_ref());
    }
    let versions = site.lines(&manifest, Kind::Version).await;
    let of_otter = |version: &&serde_json::Value| version["document_id"] == otter.as_str();
    let numbers: Vec<_> = versions.iter().filter(of_otter).map(|line| &line["version"]).collect();
    assert_eq!(numbers, [&json!(1), &json!(second)]);
    assert!(versions.iter().all(|version| version["sha256"].as_str().unwrap().len() == 64));
    // The small file stands in a part, the large one lies by itself.
    let small = site.lines(&manifest, Kind::File).await;
    assert_eq!((small.len(), &small[0]["document_id"]), (1, &json!(otter.as_str())));
    assert_eq!(small[0]["text"], json!(text("otter", 2)));
    let large = site.lines(&manifest, Kind::Original).await;
    assert_eq!((large.len(), &large[0]["size_bytes"]), (1, &json!(long.len())));
    assert_eq!(site.text(&manifest, &heron).await, long);
    assert_eq!(site.text(&manifest, &otter).await, text("otter", 2));

    let tenant = site.world.tenant.clone();
    let scope = Scope::tenant(&tenant);
    let points = site.world.index.scroll(&scope, None, 10).await.unwrap().points;
    let mut expected: Vec<PassageLine> = points.into_iter().map(PassageLine::from).collect();
    let mut held: Vec<PassageLine> = site.passages(&manifest).await;
    expected.sort_by(|one, other| one.id.cmp(&other.id));
    held.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(held, expected);
    assert!(held.iter().all(|line| line.dense.is_some() && !line.sparse.is_empty()));
}

#[tokio::test]
async fn an_unchanged_tenant_stores_no_part_again() {
    let mut site = Site::new().await;
    site.limits = TINY;
    for number in 0..40 {
        site.add(&text("heron", number), &["*"]).await;
    }
    let first = site.run().await;
    let stored = first.size_bytes + first.counts.original_bytes;
    assert_eq!((first.new_parts, first.new_bytes), (first.parts, stored));
    site.world.pass(LONG);
    let second = site.run().await;
    assert_eq!((second.new_parts, second.new_bytes), (0, 0));
    assert_eq!((&second.digest, second.parts), (&first.digest, first.parts));
    let (one, other) = (site.manifest(&first).await, site.manifest(&second).await);
    assert_eq!(hashes(&one.parts), hashes(&other.parts));
    assert_ne!(first.id, second.id);
}

#[tokio::test]
async fn one_changed_document_makes_few_new_parts() {
    let mut site = Site::new().await;
    site.limits = TINY;
    let mut documents = Vec::new();
    for number in 0..240 {
        documents.push(site.add(&text("heron", number), &["*"]).await);
        site.world.pass(std::time::Duration::from_millis(1));
    }
    let first = site.run().await;
    assert!(first.parts > 100, "{}", first.parts);

    // One of the first of its partition: all that stands behind it must stay in its parts.
    site.change(&documents[3], &text("otter", 7).repeat(40)).await;
    let second = site.run().await;
    let without_sizes = |backup: &Backup| BackupCounts { original_bytes: 0, ..backup.counts };
    assert_eq!(without_sizes(&second), without_sizes(&first));
    assert!((3..=8).contains(&second.new_parts), "{} of {}", second.new_parts, second.parts);

    site.delete(&documents[5]).await;
    let third = site.run().await;
    assert_eq!(third.counts.documents, 239);
    assert!((1..=8).contains(&third.new_parts), "{} of {}", third.new_parts, third.parts);
}

#[tokio::test]
async fn parts_are_bounded_and_of_one_kind() {
    let mut site = Site::new().await;
    site.limits = TINY;
    for number in 0..100 {
        site.add(&text("marten", number).repeat(3), &["*"]).await;
    }
    let backup = site.run().await;
    let manifest = site.manifest(&backup).await;
    let mut lines = 0;
    for part in &manifest.parts {
        let unpacked = site.unpacked(part).await;
        let longest = unpacked.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).max();
        assert!(unpacked.len() < TINY.max_bytes + longest.unwrap(), "{part:?}");
        let records = unpacked.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(records, part.records, "{part:?}");
        lines += records;
    }
    let counts = backup.counts;
    let all = counts.collections + counts.documents + counts.versions + counts.texts;
    let all = all + counts.originals;
    assert_eq!(lines, all + counts.passages, "short texts are one line each");
}

#[tokio::test]
async fn what_is_deleted_or_anothers_is_absent() {
    let site = Site::new().await;
    let kept = site.add(&text("heron", 1), &["*"]).await;
    let gone = site.add(&text("otter", 2), &["*"]).await;
    let theirs = site.of("globex").await;
    let foreign = theirs.add(&text("marten", 3), &["*"]).await;
    site.delete(&gone).await;
    // As a writer leaves it that died between its index and its record.
    let (stray, version) = site.world.accept(None, &text("marten", 5), &["*"]).await;
    let scope = Scope::document(&site.world.tenant, &kept);
    let mut points = site.world.index.scroll(&scope, None, 10).await.unwrap().points;
    points[0].passage.document_id = stray.clone();
    points[0].passage.version = version;
    site.world.index.upsert(points).await.unwrap();

    let backup = site.run().await;
    let manifest = site.manifest(&backup).await;
    let mut held = Vec::new();
    for part in &manifest.parts {
        held.extend(site.unpacked(part).await);
    }
    let held = String::from_utf8(held).unwrap();
    assert!(held.contains(kept.as_str()) && held.contains(stray.as_str()));
    assert!(!held.contains(gone.as_str()) && !held.contains(foreign.as_str()));
    assert!(!held.contains("globex"));
    assert_eq!((backup.counts.documents, backup.counts.passages), (2, 1));
    assert_eq!(site.passages(&manifest).await[0].passage.document_id, kept);

    let other = theirs.run().await;
    assert_eq!((other.counts.documents, other.counts.passages), (1, 1));
    let caller = site.world.caller(&[]);
    let denied = site.back_up().show(&caller, &other.id).await.unwrap_err();
    assert_eq!(denied.to_string(), "no such backup");
    assert_eq!(site.back_up().list(&caller, 10, None).await.unwrap().items, [backup]);
}

#[tokio::test]
async fn what_the_stores_have_lost_is_counted_and_hides_nothing() {
    let site = Site::new().await;
    let whole = site.add(&text("heron", 1), &["*"]).await;
    let hurt = site.world.add(&text("otter", 2), &["*"]).await;
    let scope = Scope::document(&site.world.tenant, &hurt);
    site.world.index.delete(&scope).await.unwrap();

    let backup = site.run().await;
    assert_eq!(backup.state, BackupState::Complete);
    assert_eq!((backup.counts.missing_texts, backup.counts.missing_passages), (1, 1));
    assert_eq!((backup.counts.documents, backup.counts.texts, backup.counts.passages), (2, 1, 1));
    let manifest = site.manifest(&backup).await;
    assert_eq!(site.text(&manifest, &whole).await, text("heron", 1));
}

#[tokio::test]
async fn only_who_may_back_everything_up_does() {
    let site = Site::new().await;
    let back_up = site.back_up();
    let backup = site.run().await;
    let mut without = site.world.caller(&[]);
    without.permissions.retain(|permission| *permission != Permission::Backup);
    let mut limited = site.world.caller(&[]);
    limited.collections = Some(vec![CollectionId::default_collection()]);
    for caller in [without, limited] {
        let structure = lectern_app::back_up::verify::Depth::Structure;
        let refused = [
            back_up.back_up(&caller, LONG).await.err(),
            back_up.list(&caller, 10, None).await.err(),
            back_up.show(&caller, &backup.id).await.err(),
            back_up.verify(&caller, &backup.id, structure).await.err(),
        ];
        for error in refused {
            assert!(error.unwrap().to_string().starts_with("the credential does not allow"));
        }
    }
}

#[tokio::test]
async fn backups_are_listed_newest_first_page_by_page() {
    let site = Site::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(site.run().await);
        site.world.pass(LONG);
    }
    made.reverse();
    let (back_up, caller) = (site.back_up(), site.world.caller(&[]));
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = back_up.list(&caller, 2, cursor.as_deref()).await.unwrap();
        assert!(page.items.len() <= 2);
        listed.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, made);
    for (limit, cursor, field) in
        [(0, None, "/limit"), (101, None, "/limit"), (1, Some("x"), "/cursor")]
    {
        let error = back_up.list(&caller, limit, cursor).await.unwrap_err();
        let lectern_app::errors::FlowError::Invalid(fields) = error else { panic!("{error}") };
        assert_eq!(fields[0].pointer, field);
    }
}
