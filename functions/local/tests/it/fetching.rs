//! Documents by their address: off unless the operator allows hosts, and never from inside.

use std::net::TcpListener;

use reqwest::StatusCode;
use serde_json::json;

use crate::{gate::create_key, process::Server};

#[tokio::test]
async fn nothing_is_fetched_unless_the_operator_allows_hosts() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[], &[]);
    let (status, problem) =
        server.post("/v1/documents/fetch", &json!({"url": "https://example.com/a.md"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(problem["detail"].as_str().unwrap().contains("LECTERN_FETCH_HOSTS"), "{problem}");
}

#[tokio::test]
async fn no_address_leads_inside() {
    let data = tempfile::tempdir().unwrap();
    let asks = create_key(data.path(), &["asks", "--permission", "query"]);
    let writes = create_key(data.path(), &["writes", "--permission", "upload"]);
    // Who would be met if anything connected: the usual port of this machine, where nobody may listen, and another.
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let server = Server::start(data.path(), &[], &[("LECTERN_FETCH_HOSTS", "*")]).with_key(&writes);
    let notations = [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://169.254.170.2/v2/credentials",
        "https://10.0.0.1/",
        "https://172.31.0.1/",
        "https://192.168.0.1/",
        "https://100.100.100.200/",
        "https://192.0.0.192/",
        "http://example.com/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "https://user:secret@example.com/",
        "https://example.com:22/",
    ];
    let mut urls = notations.map(str::to_owned).to_vec();
    urls.extend([format!("https://127.0.0.1:{port}/"), format!("http://localhost:{port}/")]);
    for url in urls {
        let (status, problem) = server.post("/v1/documents/fetch", &json!({"url": url})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{url}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], "/url", "{url}: {problem}");
    }
    let server = server.with_key(&asks);
    let (status, _) =
        server.post("/v1/documents/fetch", &json!({"url": "https://example.com/"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "who may not upload fetches nothing");
    assert!(inside.accept().is_err(), "nobody came");
}
