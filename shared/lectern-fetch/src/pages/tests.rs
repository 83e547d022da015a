use std::{
    collections::VecDeque,
    io::ErrorKind::WouldBlock,
    net::{Ipv4Addr, TcpListener},
    sync::Mutex,
};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse, Redirect},
    routing::get,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// This machine is the internet, too.
const HERE: Rules = Rules {
    is_outside: |address| is_public(address) || address.is_loopback(),
    https_only: false,
    timeout: PAGE_TIMEOUT,
};

/// A reader to which this machine is the internet.
fn here() -> Pages {
    Pages::with("*".parse().unwrap(), HERE, Arc::new(SystemLookup)).unwrap()
}

/// Resolves a name to other addresses each time.
struct Rebound(Mutex<VecDeque<Vec<SocketAddr>>>);

impl Rebound {
    fn to(answers: &[&[SocketAddr]]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(answers.iter().map(|addresses| addresses.to_vec()).collect())))
    }
}

impl Resolve for Rebound {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses = self.0.lock().unwrap().pop_front().unwrap();
        let addresses: Addrs = Box::new(addresses.into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

async fn serve() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let to = |place: &'static str| get(async move || Redirect::temporary(place));
    let nowhere = async || (StatusCode::FOUND, HeaderMap::new());
    let elsewhere = async || {
        let place = HeaderValue::from_static("http://169.254.169.254/latest/meta-data/");
        (StatusCode::FOUND, HeaderMap::from_iter([(header::LOCATION, place)])).into_response()
    };
    let routes = Router::new()
        .route("/handbook%20one.md", get(handbook))
        .route("/", get(async || "a page"))
        .route("/large", get(async || "x".repeat(2_000)))
        .route("/missing", get(async || StatusCode::NOT_FOUND))
        .route("/once", to("/"))
        .route("/hops/{left}", get(hop))
        .route("/loop", to("/loop"))
        .route("/nowhere", get(nowhere))
        .route("/inside", get(elsewhere))
        .route("/file", to("file:///etc/passwd"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

async fn handbook() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "Text/Markdown; charset=utf-8")], "# Leave\n\n25 days")
}

/// Redirects so many times.
async fn hop(Path(left): Path<usize>) -> Redirect {
    match left.checked_sub(1) {
        Some(0) | None => Redirect::temporary("/"),
        Some(left) => Redirect::temporary(&format!("/hops/{left}")),
    }
}

async fn read(path: &str) -> Result<Page, PageError> {
    here().read(&format!("http://{}{path}", serve().await), 1_000).await
}

#[tokio::test]
async fn a_document_is_read_with_its_name() {
    let page = read("/handbook%20one.md").await.unwrap();
    assert_eq!(
        (&*page.bytes, page.name.as_deref()),
        (&b"# Leave\n\n25 days"[..], Some("handbook one.md"))
    );
    assert_eq!(page.media_type.as_deref(), Some("text/markdown"));
    assert_eq!(read("/").await.unwrap().name, None);
    assert_eq!(&*read("/once").await.unwrap().bytes, b"a page");
}

#[tokio::test]
async fn what_is_not_there_too_large_or_endless_is_said() {
    assert!(matches!(read("/missing").await, Err(PageError::Status(404))));
    assert!(matches!(read("/large").await, Err(PageError::TooLarge(1_000))));
    assert!(matches!(read("/loop").await, Err(PageError::Redirects)));
    assert!(matches!(read("/nowhere").await, Err(PageError::Redirects)));
    let away = here().read("http://127.0.0.1:9/", 1_000).await;
    assert!(matches!(away, Err(PageError::Unreachable(_))), "{away:?}");
}

#[tokio::test]
async fn so_many_redirects_are_followed_and_no_more() {
    assert_eq!(read(&format!("/hops/{MAX_REDIRECTS}")).await.unwrap().bytes, b"a page");
    let refused = read(&format!("/hops/{}", MAX_REDIRECTS + 1)).await;
    assert!(matches!(refused, Err(PageError::Redirects)), "{refused:?}");
}

#[tokio::test]
async fn who_answers_half_and_then_nothing_is_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let rules = Rules { timeout: Duration::from_millis(200), ..HERE };
    let pages = Pages::with("*".parse().unwrap(), rules, Arc::new(SystemLookup)).unwrap();
    let half = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        // An answer that comes before its request is none.
        assert!(connection.read(&mut [0; 1_024]).await.unwrap() > 0);
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf").await.unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        read = pages.read(&url, 1_000) => assert!(matches!(read, Err(PageError::TimedOut)), "{read:?}"),
        () = half => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn so_many_addresses_of_a_name_are_looked_at_and_no_more() {
    let (outside, inside) = (([8, 8, 8, 8], 0).into(), ([127, 0, 0, 1], 0).into());
    let found = async |outsiders: usize| {
        let addresses: Vec<SocketAddr> = [vec![outside; outsiders], vec![inside]].concat();
        let resolver = PublicOnly { rules: Rules::default(), lookup: Rebound::to(&[&addresses]) };
        let resolved = resolver.resolve("docs.example.com".parse().unwrap()).await;
        resolved.map(Iterator::collect::<Vec<_>>)
    };
    assert!(found(MAX_ADDRESSES - 1).await.is_err_and(|error| error.is::<LeadsInside>()));
    // What is not looked at is not connected to.
    assert_eq!(found(MAX_ADDRESSES).await.unwrap(), vec![outside; MAX_ADDRESSES]);
}

#[tokio::test]
async fn redirects_are_checked_like_addresses() {
    assert!(matches!(read("/inside").await, Err(PageError::Inside)));
    assert!(matches!(read("/file").await, Err(PageError::Address | PageError::Redirects)));
}

/// Every notation in which a client has asked a server for something inside.
#[tokio::test]
async fn nothing_inside_is_read() {
    let pages = Pages::new("*".parse().unwrap()).unwrap();
    for address in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0/",
        "https://127.0.0.1./",
        "https://①②⑦.⓪.⓪.①/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[0:0:0:0:0:ffff:169.254.169.254]/",
        "https://[64:ff9b::169.254.169.254]/",
        "https://[2002:7f00:1::]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.170.2/v2/credentials",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.100.100.200/",
        "https://192.0.0.192/opc/v1/",
        "https://0.0.0.0/",
        "https://255.255.255.255/",
        "https://224.0.0.1/",
    ] {
        let refused = pages.read(address, 1_000).await;
        assert!(matches!(refused, Err(PageError::Inside)), "{address}: {refused:?}");
    }
    // Names that lead inside, as a resolver tells: those every machine has.
    for address in ["https://localhost/", "https://LOCALHOST/"] {
        let refused = pages.read(address, 1_000).await;
        assert!(matches!(refused, Err(PageError::Inside)), "{address}: {refused:?}");
    }
}

#[tokio::test]
async fn only_https_on_the_usual_port_and_without_passwords_is_read() {
    let pages = Pages::new("*".parse().unwrap()).unwrap();
    for address in [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "data:,x",
        "javascript:1",
        "jar:https://example.com!/",
        "https://example.com:8443/",
        "https://example.com:22/",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "//example.com/",
        "example.com",
        "",
        "https://",
        "unix:/var/run/docker.sock",
        &format!("https://example.com/{}", "x".repeat(MAX_URL_BYTES)),
    ] {
        let refused = pages.read(address, 1_000).await;
        assert!(matches!(refused, Err(PageError::Address)), "{address}: {refused:?}");
    }
    // 443 is the usual port, and a host in other letters the same.
    let listed = Pages::new("docs.example.com".parse().unwrap()).unwrap();
    for (address, fine) in [
        ("https://docs.example.com:443/a", true),
        ("https://DOCS.example.com/", true),
        ("https://evil.example.com/", false),
        ("https://docs.example.com.evil.example/", false),
        ("https://docs.example.com\\@evil.example/", true),
        ("https://8.8.8.8/", false),
    ] {
        assert_eq!(listed.checked(address).is_ok(), fine, "{address}");
    }
    assert!(matches!(
        Pages::new(Hosts::default()).unwrap().checked("https://example.com/"),
        Err(PageError::Host)
    ));
}

/// The first answer is public, the second is inside: what is connected to is what was checked.
#[tokio::test]
async fn a_name_is_resolved_where_it_is_checked() {
    // One address of this machine is the internet, every other one is inside.
    let rules = Rules { is_outside: |address| address == Ipv4Addr::LOCALHOST, ..HERE };
    let inside = TcpListener::bind("127.0.0.2:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let (outside, within) = (serve().await, inside.local_addr().unwrap());
    for (path, answers, is_read) in [
        ("/", &[&[outside][..]][..], true),
        // Asked anew for the address it redirects to, which has the same name.
        ("/once", &[&[outside], &[outside]], true),
        ("/once", &[&[outside], &[within]], false),
        ("/", &[&[outside, within]], false),
        ("/", &[&[within, outside]], false),
    ] {
        let lookup = Rebound::to(answers);
        let pages =
            Pages::with("*".parse().unwrap(), rules, Arc::<Rebound>::clone(&lookup)).unwrap();
        let read = pages.read(&format!("http://docs.example.com{path}"), 1_000).await;
        match read {
            Ok(page) => assert!(is_read && page.bytes == b"a page", "{path} {answers:?}"),
            Err(error) => assert!(
                !is_read && matches!(error, PageError::Inside),
                "{path} {answers:?}: {error:?}"
            ),
        }
        assert!(lookup.0.lock().unwrap().is_empty(), "each connection is resolved once");
    }
    assert_eq!(inside.accept().unwrap_err().kind(), WouldBlock, "nobody came");
}

#[tokio::test]
async fn the_system_is_asked_for_names() {
    let lookup = || Arc::new(SystemLookup);
    let resolver = PublicOnly { rules: Rules::default(), lookup: lookup() };
    let refused = resolver.resolve("localhost".parse().unwrap()).await;
    assert!(refused.is_err_and(|error| error.is::<LeadsInside>()));
    let resolver = PublicOnly { rules: HERE, lookup: lookup() };
    assert!(resolver.resolve("localhost".parse().unwrap()).await.is_ok());
}
