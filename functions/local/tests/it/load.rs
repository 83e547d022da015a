//! Ten thousand clients at once, good and bad: what is refused is refused with a reason, and nothing accepted is lost.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};

use crate::{gate::create_key, process::Server};

const CLIENTS: usize = 10_000;
/// Most memory the server may have had, in a build without optimisation.
const MAX_MEMORY_KB: u64 = 2_000_000;
/// How long slow clients dribble.
const DRIBBLE: Duration = Duration::from_millis(500);

/// What became of a client.
#[derive(Debug)]
enum Outcome {
    /// It was answered; the id of what it uploaded.
    Answered(u16, Option<String>),
    /// It never meant to hear an answer.
    Gone,
    /// It was not: why.
    Failed(String),
}

async fn send(server: &Server, number: usize) -> Outcome {
    let search = json!({ "question": format!("How deep does whale {} dive?", number % 97) });
    let request = match number % 8 {
        0 | 1 => server.request("POST", "/v1/search").json(&search),
        2 => server.request("POST", "/v1/query").json(&search),
        3 => server.request("GET", "/v1/documents"),
        4 => {
            let text = format!("Whale {number} dives {} metres deep.", number * 3);
            let name = format!("whale-{number}.md");
            server.request("POST", "/v1/documents").query(&[("name", name)]).body(text)
        }
        5 => {
            let question = "x".repeat(100_000);
            server.request("POST", "/v1/query").json(&json!({ "question": question }))
        }
        _ => server
            .request("POST", "/v1/search")
            .header("content-type", "application/json")
            .body("{\"question\": "),
    };
    match request.send().await {
        Err(error) => Outcome::Failed(format!("{error:?}")),
        Ok(response) => {
            let status = response.status().as_u16();
            let retry = response.headers().contains_key("retry-after");
            let body: Value = response.json().await.unwrap_or_default();
            if status == 503 && !retry {
                return Outcome::Failed(format!("503 without a time to wait: {body}"));
            }
            let id = (status == 202).then(|| body["id"].as_str().unwrap_or_default().to_owned());
            Outcome::Answered(status, id)
        }
    }
}

/// Sends a request line by line, a byte now and then, until the others are done.
async fn dribble(server: &Server, done: &mut watch::Receiver<bool>) -> Outcome {
    let Ok(mut stream) = TcpStream::connect(server.address()).await else {
        return Outcome::Failed("the connection was refused".to_owned());
    };
    for byte in b"POST /v1/search HTTP/1.1\r\nHost: x\r\nX-Slow: ".iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() || *done.borrow() {
            break;
        }
        tokio::time::timeout(DRIBBLE, done.wait_for(|done| *done)).await.ok();
    }
    Outcome::Gone
}

/// Asks for a stream and hangs up at its first bytes.
async fn hang_up(server: &Server) -> Outcome {
    let body = json!({ "question": "How deep does a whale dive?", "stream": true });
    let asked = server.request("POST", "/v1/query").json(&body).send().await;
    if let Ok(mut response) = asked {
        response.chunk().await.ok();
    }
    Outcome::Gone
}

async fn client(server: &Server, number: usize, mut done: watch::Receiver<bool>) -> Outcome {
    match number % 16 {
        7 => dribble(server, &mut done).await,
        15 => hang_up(server).await,
        _ => send(server, number).await,
    }
}

#[tokio::test]
async fn ten_thousand_mixed_clients_lose_nothing_that_was_accepted() {
    let data = tempfile::tempdir().unwrap();
    let key = create_key(data.path(), &["load", "--permission", "query,upload", "--rate", "60000"]);
    // One key may have all there is: the bounds of the process are meant.
    let variables = [
        ("LECTERN_LOG", "error"),
        ("LECTERN_WRONG_KEYS_PER_MINUTE", "1000000"),
        ("LECTERN_KEY_CONCURRENCY", "100000"),
    ];
    let server = Server::start(data.path(), &[], &variables).with_key(&key).without_pool();
    server.ready("whales.md", "A whale dives 2 000 metres deep.").await;

    let (finish, done) = watch::channel(false);
    let started = Instant::now();
    let slow = (0..CLIENTS).filter(|number| number % 16 == 7);
    let slow = join_all(slow.map(|number| client(&server, number, done.clone())));
    let others = (0..CLIENTS).filter(|number| number % 16 != 7);
    let others = async {
        let outcomes = join_all(others.map(|number| client(&server, number, done.clone()))).await;
        // Slow clients are there all the time, and end with the others.
        finish.send_replace(true);
        outcomes
    };
    let (slow, outcomes) = tokio::join!(slow, others);
    let took = started.elapsed();

    let mut statuses = BTreeMap::<u16, usize>::new();
    let (mut accepted, mut failed) = (Vec::new(), Vec::new());
    for outcome in outcomes.into_iter().chain(slow) {
        match outcome {
            Outcome::Answered(status, id) => {
                *statuses.entry(status).or_default() += 1;
                accepted.extend(id);
            }
            Outcome::Gone => {}
            Outcome::Failed(reason) => failed.push(reason),
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {CLIENTS}: {:#?}",
        failed.len(),
        &failed[..failed.len().min(3)]
    );
    let unexpected: Vec<_> =
        statuses.keys().filter(|status| !matches!(status, 200 | 202 | 400 | 413 | 503)).collect();
    assert!(unexpected.is_empty(), "{statuses:?}");
    let good = statuses.get(&200).copied().unwrap_or_default();
    assert!(good > 0 && !accepted.is_empty(), "{statuses:?} {took:?}");
    for id in &accepted {
        let (status, document) = server.get(&format!("/v1/documents/{id}")).await;
        assert_eq!(status, 200, "{id} {document}");
    }
    let memory = server.peak_memory_kb();
    assert!(memory < MAX_MEMORY_KB, "{memory} KB");
    assert_eq!(server.get("/health").await.0, 200);
    // Who comes when it is quiet again is served.
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
