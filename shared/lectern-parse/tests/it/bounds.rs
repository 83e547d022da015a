//! Every bound, one step past it, through the child process.

use std::{io::Write, time::Duration};

use bytes::Bytes;
use lectern_parse::{FailureKind, MediaType, ParseError, ParseLimits, Sandbox};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{read, sandbox};

async fn code(bytes: impl Into<Bytes>, name: &str, limits: ParseLimits) -> &'static str {
    sandbox()
        .parse(bytes.into(), name, &limits)
        .await
        .map_or_else(|error| error.code(), |_| "parsed")
}

fn limits() -> ParseLimits {
    ParseLimits::default()
}

#[tokio::test]
async fn sizes_are_bounded() {
    assert_eq!(code("12345", "a.txt", ParseLimits { max_bytes: 5, ..limits() }).await, "parsed");
    assert_eq!(
        code("123456", "a.txt", ParseLimits { max_bytes: 5, ..limits() }).await,
        "too_large"
    );
    assert_eq!(
        code("123456", "a.txt", ParseLimits { max_text_bytes: 5, ..limits() }).await,
        "too_large"
    );
    assert_eq!(
        code("a\n\nb", "a.txt", ParseLimits { max_blocks: 1, ..limits() }).await,
        "too_large"
    );
    let pdf = read("hostile-made/good-control.pdf");
    assert_eq!(
        code(pdf.clone(), "a.pdf", ParseLimits { max_pages: 3, ..limits() }).await,
        "parsed"
    );
    assert_eq!(
        code(pdf.clone(), "a.pdf", ParseLimits { max_pages: 2, ..limits() }).await,
        "too_many_pages"
    );
    assert_eq!(
        code(pdf, "a.pdf", ParseLimits { max_text_bytes: 60, ..limits() }).await,
        "too_large"
    );
    let slides = read("normal/test.pptx");
    assert_eq!(
        code(slides, "a.pptx", ParseLimits { max_pages: 1, ..limits() }).await,
        "too_many_pages"
    );
}

#[tokio::test]
async fn expansion_is_bounded() {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for part in ["[Content_Types].xml", "word/document.xml"] {
        zip.start_file(part, SimpleFileOptions::default()).unwrap();
        zip.write_all(&[b' '; 60_000]).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    assert!(zip.len() < 2_000);
    assert_eq!(
        code(zip, "a.docx", ParseLimits { max_expanded_bytes: 100_000, ..limits() }).await,
        "expansion"
    );
}

#[tokio::test]
async fn memory_is_bounded_and_the_next_document_is_served() {
    let sandbox = sandbox();
    let tight = ParseLimits { memory_bytes: 200 << 20, ..limits() };
    let large = Bytes::from(vec![b'x'; 45_000_000]);
    let error = sandbox.parse(large, "a.txt", &tight).await.unwrap_err();
    assert_eq!(error, ParseError::Memory { allowed: tight.memory_bytes });
    assert_eq!(error.kind(), FailureKind::Permanent);
    let parsed = sandbox.parse("fine".into(), "a.txt", &tight).await.unwrap();
    assert_eq!((parsed.media_type, parsed.blocks.len()), (MediaType::PlainText, 1));
}

#[tokio::test]
async fn wall_time_is_bounded() {
    let limits = ParseLimits { wall_time: Duration::from_millis(50), ..limits() };
    let error = sandbox().parse(slow(), "a.html", &limits).await.unwrap_err();
    assert_eq!(error, ParseError::Timeout { allowed_ms: 50 });
    assert_eq!(error.kind(), FailureKind::Retryable);
}

#[tokio::test]
async fn processor_time_is_bounded() {
    let limits = ParseLimits { cpu_time: Duration::from_secs(1), ..limits() };
    let error = sandbox().parse(slow(), "a.html", &limits).await.unwrap_err();
    assert_eq!(error, ParseError::Timeout { allowed_ms: 1_000 });
}

/// HTML that takes far longer than the bounds above, because every tag reopens all formatting.
fn slow() -> Bytes {
    let unclosed: String =
        (0..6_000).map(|index| format!("<p><b id={index}><i id={index}>")).collect();
    unclosed.into()
}

#[tokio::test]
async fn what_is_no_worker_is_a_typed_error() {
    let missing = Sandbox::new("no-such-program".into(), Vec::new());
    let error = missing.parse("x".into(), "a.txt", &limits()).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("crashed", FailureKind::Retryable));
    let other = Sandbox::new("/bin/true".into(), Vec::new());
    let error = other.parse("x".into(), "a.txt", &limits()).await.unwrap_err();
    assert_eq!(error.code(), "crashed");
}

#[tokio::test]
async fn children_are_replaced_and_reused_side_by_side() {
    let sandbox = sandbox();
    for round in 0..3 {
        let texts: Vec<String> = (0..100).map(|index| format!("text {round} {index}")).collect();
        let limits = limits();
        let parses = texts.iter().map(|text| sandbox.parse(text.clone().into(), "a.txt", &limits));
        for (text, parsed) in texts.iter().zip(futures::future::join_all(parses).await) {
            assert_eq!(parsed.unwrap().blocks[0].text, *text);
        }
    }
}
