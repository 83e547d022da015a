//! Bounds of connections, each met by a client that goes past it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{
    body::Bytes,
    extract::Request,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use futures::{StreamExt as _, stream};
use lectern_runtime::{extract::read_body, problem::Problem};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};

use super::{pace::Pace, *};

/// Longer than a client of these tests needs, and short enough to see that it was not enough.
const LONG: Duration = Duration::from_secs(30);
const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn get_of(path: &str) -> String {
    GET.replacen('/', path, 1)
}

/// Serves `router` on a free port until the test ends.
async fn served(router: Router, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, limits, std::future::pending()));
    address
}

/// Connects and says something.
async fn said(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Returns what is heard until it contains `mark`.
async fn heard(stream: &mut TcpStream, mark: &str) -> String {
    let mut bytes = Vec::<u8>::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.contains(mark) {
            return text;
        }
        let read = stream.read_buf(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "closed after {text:?}");
    }
}

/// Waits until the server closes the connection; returns what is heard until then.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // Being cut off is an end, too.
    stream.read_to_end(&mut bytes).await.ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Numbers its requests: `0!`, `1!`, …
fn counting() -> Router {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = move || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        async move { format!("\n{number}!") }
    };
    Router::new().route("/", get(counted))
}

#[tokio::test]
async fn a_connection_too_many_waits_until_one_ends() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let address = served(counting(), limits).await;
    let mut first = said(address, GET).await;
    heard(&mut first, "\n0!").await;
    let mut second = said(address, GET).await;
    for number in 1..20 {
        first.write_all(GET.as_bytes()).await.unwrap();
        heard(&mut first, &format!("\n{number}!")).await;
    }
    drop(first);
    heard(&mut second, "\n20!").await;
}

#[tokio::test]
async fn silence_and_headers_that_do_not_end_end_a_connection() {
    let limits = Limits { headers: Duration::from_millis(50), ..Limits::default() };
    let address = served(counting(), limits).await;
    // `PRI` is how HTTP/2 begins.
    for (text, expected) in [("", ""), ("PRI", ""), ("GET / HTTP/1.1\r\nHost:", ""), (GET, "\n0!")]
    {
        let begun = std::time::Instant::now();
        let heard = until_closed(said(address, text).await).await;
        assert!(begun.elapsed() >= limits.headers, "{text:?}");
        assert!(heard.ends_with(expected), "{text:?} {heard:?}");
    }
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let address = served(counting(), Limits::default()).await;
    let heard = until_closed(said(address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await).await;
    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{heard:?}");
}

/// Has `/`, a response without an end, and a stream that is silent until `bell` rings.
fn streaming(bell: &Arc<Notify>) -> Router {
    let endless = async || {
        let piece = || Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 65_536]));
        Body::from_stream(stream::repeat_with(piece))
    };
    let bell = Arc::clone(bell);
    let quiet = move || {
        let bell = Arc::clone(&bell);
        let first = stream::iter([Ok::<_, Infallible>("first!")]);
        let last = stream::once(async move {
            bell.notified().await;
            Ok("last!")
        });
        async move { Body::from_stream(first.chain(last)) }
    };
    counting().route("/endless", get(endless)).route("/quiet", get(quiet))
}

#[tokio::test]
async fn a_response_that_is_not_read_ends_and_a_silent_stream_does_not() {
    let requests = RoomLimits { most: 2, patience: LONG, ..RoomLimits::REQUESTS };
    let writes = Duration::from_millis(50);
    let limits = Limits { writes, requests, ..Limits::default() };
    let bell = Arc::new(Notify::new());
    let rooms = from_fn_with_state(Rooms::new(&limits), admit);
    let address = served(streaming(&bell).layer(rooms), limits).await;

    let mut quiet = said(address, &get_of("/quiet")).await;
    heard(&mut quiet, "first!").await;
    let mut unread = said(address, &get_of("/endless")).await;
    heard(&mut unread, "xxx").await;
    // Both places are taken; the one of the response that nobody reads becomes free.
    let mut waiting = said(address, GET).await;
    let answered = heard(&mut waiting, "!").await;
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");

    bell.notify_one();
    heard(&mut quiet, "last!").await;
    drop(unread);
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    read_body(request, 1_000).await
}

/// The beginning of a request that does not end.
fn begun(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{")
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused_and_its_place_is_free() {
    let short = Duration::from_millis(50);
    let silence = Pace { silence: short, whole: LONG, speed: None };
    let whole = Pace { silence: LONG, whole: short, speed: None };
    for pace in [silence, whole] {
        let room = RoomLimits { most: 1, patience: LONG, pace };
        let limits = Limits { requests: room, uploads: room, ..Limits::default() };
        let rooms = Rooms::new(&limits);
        let asked = Router::new().route("/ask", post(read));
        let asked = asked.layer(from_fn_with_state(rooms.clone(), admit));
        let sent = Router::new().route("/upload", post(read));
        let sent = sent.layer(from_fn_with_state(rooms, admit_upload));
        let address = served(asked.merge(sent), limits).await;
        for path in ["/ask", "/upload"] {
            let mut slow = said(address, &begun(path)).await;
            let mut next = said(address, &begun(path)).await;
            for stream in [&mut slow, &mut next] {
                let refused = heard(stream, "too-slow").await;
                assert!(refused.starts_with("HTTP/1.1 408"), "{pace:?} {path} {refused}");
            }
            let whole = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}");
            let answered = heard(&mut said(address, &whole).await, "{}").await;
            assert!(answered.starts_with("HTTP/1.1 200"), "{pace:?} {path} {answered}");
        }
    }
}
