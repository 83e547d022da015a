//! A deleted document never answers again, from the moment DELETE returns.

use std::fmt::Write as _;

use serde_json::json;

use crate::process::Server;

async fn assert_gone(server: &Server, id: &str, word: &str) {
    assert!(server.search(word).await.is_empty());
    let answer = server.ask(&format!("What is said of {word}?")).await;
    assert_eq!((&answer["refused"], &answer["citations"]), (&json!(true), &json!([])));
    let (status, _) = server.get(&format!("/v1/documents/{id}")).await;
    assert_eq!(status, 404);
    let (status, _) = server.get(&format!("/v1/documents/{id}/text")).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn right_after_a_query() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    let id = server.ready("secret.md", "The quokka lives on Rottnest Island.").await;
    let answer = server.ask("Where does the quokka live?").await;
    assert_eq!(answer["refused"], false, "{answer}");
    let (status, receipt) = server.delete(&format!("/v1/documents/{id}")).await;
    assert_eq!(status, 200, "{receipt}");
    assert_eq!(
        (&receipt["passages_remaining"], &receipt["passages_deleted"]),
        (&json!(0), &json!(1))
    );
    assert_gone(&server, &id, "quokka").await;
    let (_, again) = server.delete(&format!("/v1/documents/{id}")).await;
    assert_eq!(again, receipt);

    // Nor after a restart, nor do the same bytes bring the old document back.
    server.kill();
    let server = Server::open(data.path());
    assert_gone(&server, &id, "quokka").await;
    let new_id = server.ready("secret.md", "The quokka lives on Rottnest Island.").await;
    assert_ne!(new_id, id);
}

#[tokio::test]
async fn at_many_moments_of_ingestion() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    for round in 0_u64..12 {
        let word = format!("wallaby{round}");
        let mut text = String::new();
        for line in 0..600 {
            writeln!(text, "The {word} was seen near marker {line} on that day.\n").unwrap();
        }
        let (_, accepted) = server.upload(&format!("{round}.md"), text.into_bytes()).await;
        let id = accepted["id"].as_str().unwrap().to_owned();
        tokio::time::sleep(std::time::Duration::from_millis(round * 25)).await;
        let (status, receipt) = server.delete(&format!("/v1/documents/{id}")).await;
        assert_eq!(
            (status.as_u16(), &receipt["passages_remaining"]),
            (200, &json!(0)),
            "{receipt}"
        );
        assert_gone(&server, &id, &word).await;
    }
    // The worker that was in the middle of it must not bring anything back.
    let last = server.ready("last.md", "The numbat is the last one.").await;
    for round in 0..12 {
        assert!(server.search(&format!("wallaby{round}")).await.is_empty());
    }
    assert_eq!(server.search("numbat").await[0]["document_id"], json!(last));
}
