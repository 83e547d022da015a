//! What taking documents in depends on.

use lectern_testkit::{
    lambda::{Driver, HttpReply, RestEvent, schedule_event},
    wire::Fault::{Failing, Gone, Wrong},
};

use super::{Day, SLOW, send};

async fn upload(day: &Day, function: &Driver, text: &str) -> HttpReply {
    let event = RestEvent::post("/v1/documents").query("name", "note.md").bearer(&day.key);
    send(function, event.bytes("text/markdown", text.as_bytes())).await
}

async fn state(day: &Day, id: &str) -> String {
    let function = day.stack.function("upload").await;
    let event = RestEvent::get(&format!("/v1/documents/{id}")).resource("/v1/documents/{id}");
    let document = send(&function, event.bearer(&day.key)).await.json();
    document["state"].as_str().unwrap().to_owned()
}

/// A ring that is lost is no document that is lost: the sweep rings again.
#[tokio::test]
async fn without_the_queue_documents_are_taken_and_the_sweep_finds_them() {
    let day = Day::begin(&[]).await;
    let function = day.function("upload").await;
    let mut accepted = Vec::new();
    for (number, fault) in [SLOW, Failing, Wrong, Gone].into_iter().enumerate() {
        day.set("queue", fault);
        let reply = upload(&day, &function, &format!("Note {number} is kept.")).await;
        assert_eq!(reply.status, 202, "{fault:?}: {}", reply.text());
        accepted.push(reply.json()["id"].as_str().unwrap().to_owned());
    }
    day.heal();
    let ingest = day.function("ingest").await;
    day.stack.drain(&ingest).await;
    ingest.invoke(&schedule_event("sweep")).await;
    day.stack.drain(&ingest).await;
    for id in &accepted {
        assert_eq!(state(&day, id).await, "ready", "{:#?}", ingest.log());
    }
}

/// What is not stored is not promised.
#[tokio::test]
async fn without_the_files_nothing_is_taken() {
    let day = Day::begin(&[]).await;
    for fault in [Failing, Gone] {
        let function = day.function("upload").await;
        day.set("blobs", fault);
        let reply = upload(&day, &function, "Not kept.").await;
        assert_eq!(reply.status, 503, "{fault:?}: {}", reply.text());
        assert!(reply.header("retry-after").is_some());
        function.log_line("a dependency failed").await;
        day.heal();
        let event = RestEvent::get("/v1/documents").query("collection", "default");
        let listed = send(&function, event.bearer(&day.key)).await.json();
        assert_eq!(listed["documents"].as_array().map(Vec::len), Some(1), "{listed}");
    }
}

/// What ingestion meets stays pending, and is done when all is well.
#[tokio::test]
async fn ingestion_waits_for_what_it_needs() {
    let day = Day::begin(&[]).await;
    let function = day.function("upload").await;
    for (number, (wire, fault)) in
        [("index", Gone), ("index", Failing), ("blobs", Failing)].into_iter().enumerate()
    {
        let reply = upload(&day, &function, &format!("Note {number} arrives.")).await;
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let ingest = day.function("ingest").await;
        day.set(wire, fault);
        day.stack.poll(&ingest).await;
        assert_ne!(state(&day, &id).await, "failed", "{wire} {fault:?}: {:#?}", ingest.log());
        day.heal();
        // The message comes again when its visibility ends, or the sweep rings.
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while state(&day, &id).await != "ready" {
            assert!(std::time::Instant::now() < until, "{wire} {fault:?}: {:#?}", ingest.log());
            day.stack.drain(&ingest).await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    }
}

/// Of two things the one that must not be lost decides.
#[tokio::test]
async fn a_document_is_taken_when_its_file_and_its_record_are_kept() {
    let day = Day::begin(&[]).await;
    for (number, (broken, status)) in [
        ([("blobs", Gone), ("queue", Gone)], 503),
        ([("blobs", SLOW), ("queue", Failing)], 202),
        ([("table", SLOW), ("queue", Gone)], 202),
        ([("table", Gone), ("blobs", Gone)], 503),
        ([("table", Gone), ("queue", Gone)], 503),
    ]
    .into_iter()
    .enumerate()
    {
        let function = day.function("upload").await;
        for (wire, fault) in broken {
            day.set(wire, fault);
        }
        let reply = upload(&day, &function, &format!("Pair {number} is kept.")).await;
        assert_eq!(reply.status, status, "{broken:?}: {} {:#?}", reply.text(), function.log());
        day.heal();
    }
}
