//! A POST that is sent again with its `Idempotency-Key`.

use futures::future::join_all;
use reqwest::{
    Response, StatusCode,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::{gate::create_key, process::Server};

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotent-replayed";

impl Server {
    async fn post_with(&self, key: &str, path: &str, body: &Value) -> Response {
        self.request("POST", path).header(KEY, key).json(body).send().await.unwrap()
    }

    async fn backups(&self) -> usize {
        let (_, listed) = self.get("/v1/backups").await;
        listed["backups"].as_array().unwrap().len()
    }
}

fn is_replay(response: &Response) -> bool {
    response.headers().contains_key(REPLAYED)
}

async fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap();
    (status, problem["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned())
}

#[tokio::test]
async fn what_was_done_is_not_done_again_and_said_again() {
    let data = tempfile::tempdir().unwrap();
    let key = |name| create_key(data.path(), &[name, "--permission", "query,upload,admin,backup"]);
    let (own, other) = (key("own"), key("other"));
    let server = Server::start(data.path(), &[], &[]).with_key(&own);
    let first = server.post_with("one", "/v1/backups", &json!({})).await;
    assert_eq!((first.status(), is_replay(&first)), (StatusCode::CREATED, false));
    let (media_type, first) =
        (first.headers()["content-type"].clone(), first.text().await.unwrap());
    let again = server.post_with("\"one\"", "/v1/backups", &json!({})).await;
    assert_eq!((again.status(), is_replay(&again)), (StatusCode::CREATED, true));
    assert_eq!(again.headers()["content-type"], media_type);
    assert_eq!(again.text().await.unwrap(), first);
    assert_eq!(server.backups().await, 1);
    let large = json!("x".repeat(64 << 10));
    let large = server.post_with("large", "/v1/backups", &large).await;
    assert_eq!(problem(large).await, (413, "too-large".into()), "a body is read to be compared");
    let own = server.with_key(&other);
    let others = own.post_with("one", "/v1/backups", &json!({})).await;
    assert_eq!((others.status(), is_replay(&others)), (StatusCode::CREATED, false));
    let server = own;

    // The key is of this one request.
    let reused = server.post_with("one", "/v1/backups", &json!({"other": 1})).await;
    assert_eq!(problem(reused).await, (422, "idempotency-key-reused".into()));
    let reused = server.post_with("one", "/v1/collections", &json!({})).await;
    assert_eq!(problem(reused).await, (422, "idempotency-key-reused".into()));
    let wrong = server.post_with(&"k".repeat(256), "/v1/backups", &json!({})).await;
    assert_eq!(problem(wrong).await, (400, "malformed".into()));
    assert_eq!(server.backups().await, 2);

    // What failed is not kept: it may succeed now.
    let collection = json!({"id": "manuals"});
    assert_eq!(server.post_with("two", "/v1/collections", &json!({"id": "?"})).await.status(), 422);
    let made = server.post_with("two", "/v1/collections", &collection).await;
    assert_eq!(made.status(), StatusCode::CREATED, "{:?}", made.text().await);
    let kept = server.post_with("two", "/v1/collections", &collection).await;
    assert_eq!((kept.status(), is_replay(&kept)), (StatusCode::CREATED, true));
    let anew = server.post_with("three", "/v1/collections", &collection).await;
    assert_eq!((anew.status(), is_replay(&anew)), (StatusCode::OK, false));

    // A client chooses the boundary of its form anew each time.
    let send = async || {
        let part = Part::bytes(b"Herons nest in March.".to_vec()).file_name("heron.txt");
        let request = server.request("POST", "/v1/documents").header(KEY, "form");
        request.multipart(Form::new().part("file", part)).send().await.unwrap()
    };
    let (first, again) = (send().await, send().await);
    assert_eq!((is_replay(&first), is_replay(&again)), (false, true));
    let (first, again) = (first.text().await.unwrap(), again.text().await.unwrap());
    assert_eq!(first, again);
}

#[tokio::test]
async fn of_many_at_once_one_is_carried_out() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::open(data.path());
    for number in 0..40 {
        let text = format!("Herons of lake {number} nest in March, later than those of the coast.");
        server.ready(&format!("{number}.md"), &text).await;
    }
    let nothing = json!({});
    let sent = (0..16).map(|_| server.post_with("one", "/v1/backups", &nothing));
    let mut done = 0;
    for response in join_all(sent).await {
        if response.status() == StatusCode::CREATED {
            done += u32::from(!is_replay(&response));
        } else {
            assert!(response.headers().contains_key("retry-after"));
            assert_eq!(problem(response).await, (409, "in-progress".into()));
        }
    }
    assert_eq!((done, server.backups().await), (1, 1));
}

#[tokio::test]
async fn an_answer_is_not_kept_for_who_asks_again() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let id = server.ready("backup.md", crate::BACKUP).await;
    let question = json!({"question": "When do backups run?"});
    let asked = server.post_with("one", "/v1/query", &question).await;
    assert!(asked.text().await.unwrap().contains("03:00"));
    server.delete(&format!("/v1/documents/{id}")).await;
    let again = server.post_with("one", "/v1/query", &question).await;
    assert_eq!((again.status(), is_replay(&again)), (StatusCode::OK, false));
    assert!(!again.text().await.unwrap().contains("03:00"), "the document is gone");

    // Nor what is streamed, which is passed on as it comes.
    for _ in 0..2 {
        let stream = server.request("POST", "/v1/query").header(KEY, "stream").json(&question);
        let streamed = stream.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!((streamed.status(), is_replay(&streamed)), (StatusCode::OK, false));
        assert!(streamed.text().await.unwrap().contains("event: "));
    }
}
