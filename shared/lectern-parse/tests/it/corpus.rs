//! Every document of the manifest, by class.

use std::time::Instant;

use lectern_core::text::{BlockKind, ParsedText};
use lectern_parse::{FailureKind, MediaType, ParseError, Parsed};

use crate::{manifest, parse_file, read, sandbox, text_of};

/// Readable documents of types that are refused on purpose.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("normal/testRTF.rtf", "application/rtf"),
    ("normal/fake-email.eml", "message/rfc822"),
    ("rtl-multilingual/testRTFJapanese.rtf", "application/rtf"),
];

/// Phrases that differ for a reason, with the reason.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "normal/nested.md",
    "Table nesting apparently",
    "it stands in an HTML comment, which is no text",
)];

/// Readable documents without text for this parser, with the reason.
const SILENT: [(&str, &str); 1] = [(
    "rtl-multilingual/vertical.pdf",
    "its fonts name Adobe-Japan1 glyphs and give no Unicode map",
)];

/// Canonical text with white space collapsed; cells are joined by spaces, as in the phrases.
fn collapsed(text: &str) -> String {
    let canonical = ParsedText::assemble(None, vec![block(text)]).text.replace('|', " ");
    canonical.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn block(text: &str) -> lectern_core::text::Block {
    lectern_core::text::Block { kind: BlockKind::Code, text: text.into(), page: None }
}

fn assert_clean(file: &str, parsed: &Parsed) {
    for block in &parsed.blocks {
        assert!(!block.text.trim().is_empty(), "{file}: blank block");
        assert!(!block.text.contains('\0'), "{file}: zero byte");
    }
}

#[tokio::test]
async fn normal_and_multilingual_documents_hold_their_phrases() {
    let sandbox = sandbox();
    let mut missing = Vec::new();
    let mut found = 0;
    for entry in
        manifest().iter().filter(|entry| ["normal", "rtl-multilingual"].contains(&&*entry.class))
    {
        let parsed = parse_file(&sandbox, &entry.file).await;
        if let Some((_, wanted)) = UNSUPPORTED.iter().find(|(file, _)| *file == entry.file) {
            let wanted = ParseError::UnsupportedMediaType { found: (*wanted).into() };
            assert_eq!(parsed.unwrap_err(), wanted);
            continue;
        }
        if SILENT.iter().any(|(file, _)| *file == entry.file) {
            assert_eq!(parsed.unwrap_err().code(), "no_text");
            continue;
        }
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                missing.push(format!("{}: {error}", entry.file));
                continue;
            }
        };
        assert_clean(&entry.file, &parsed);
        let text = collapsed(&text_of(&parsed.blocks));
        for phrase in &entry.must_contain {
            let is_excused = EXCEPTIONS
                .iter()
                .any(|(file, start, _)| *file == entry.file && phrase.starts_with(start));
            if is_excused {
                continue;
            }
            if text.contains(&collapsed(phrase)) {
                found += 1;
            } else {
                missing.push(format!("{}: {phrase}", entry.file));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "{found} found, {} missing:\n{}",
        missing.len(),
        missing.join("\n")
    );
    assert!(found > 100, "only {found} phrases were looked for");
}

#[tokio::test]
async fn encodings_give_the_right_characters() {
    let sandbox = sandbox();
    for (file, phrase) in [
        ("encoding/testHTML_charset_utf16le.html", "Title"),
        ("encoding/testArabicMisleadingCharset.html", "في"),
        ("encoding/fake-html-cp1252.html", "Die schöne Frau hat einen Kaffee mit Kuchen gegessen."),
        ("encoding/fake-html-cp1252.html", "15,50 €"),
        ("encoding/stanley-cups-utf-16.csv", "Team | Location"),
        ("encoding/fake-text-utf-32.txt", "This is a"),
        ("encoding/test_mskanji.csv", "東京"),
    ] {
        let parsed =
            parse_file(&sandbox, file).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_clean(file, &parsed);
        let text = format!("{}\n{}", parsed.title.unwrap_or_default(), text_of(&parsed.blocks));
        assert!(text.contains(phrase), "{file}: {text}");
    }
}

#[tokio::test]
async fn encrypted_and_scanned_documents_say_so() {
    let sandbox = sandbox();
    for entry in manifest().iter().filter(|entry| entry.class == "encrypted") {
        let error = parse_file(&sandbox, &entry.file).await.unwrap_err();
        assert_eq!(error.code(), "encrypted", "{}: {error}", entry.file);
        assert!(error.to_string().contains("remove the password"));
        assert_eq!(error.kind(), FailureKind::Permanent);
    }
    let error = parse_file(&sandbox, "scanned-no-text/ocr_test.pdf").await.unwrap_err();
    assert_eq!(error, ParseError::NoText { media_type: MediaType::Pdf });
    assert!(error.to_string().contains("OCR"));
}

#[tokio::test]
async fn malformed_documents_give_text_or_a_typed_error() {
    let sandbox = sandbox();
    for entry in manifest().iter().filter(|entry| entry.class == "malformed") {
        let started = Instant::now();
        let outcome = parse_file(&sandbox, &entry.file).await;
        let summary = outcome.as_ref().map(|parsed| parsed.blocks.len()).map_err(ParseError::code);
        println!("{}: {summary:?} in {} ms", entry.file, started.elapsed().as_millis());
        match outcome {
            Ok(parsed) => assert_clean(&entry.file, &parsed),
            Err(error) => assert_ne!(error.code(), "crashed", "{}: {error}", entry.file),
        }
    }
    for (file, phrase) in [
        ("malformed/xref_command_missing.pdf", "Reduced test-case"),
        ("malformed/NullHeader.docx", " "),
        ("malformed/fake-power-point-malformed.pptx", " "),
        ("hostile-made/truncated.pdf", "Page 1: the turbine at site A was commissioned in 1990."),
    ] {
        let parsed =
            parse_file(&sandbox, file).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text_of(&parsed.blocks).contains(phrase), "{file}: {:?}", parsed.blocks);
    }
}

#[tokio::test]
async fn hostile_documents_stay_within_bounds() {
    let sandbox = sandbox();
    for entry in manifest().iter().filter(|entry| entry.class.starts_with("hostile")) {
        let started = Instant::now();
        let outcome = parse_file(&sandbox, &entry.file).await;
        let summary = outcome.as_ref().map(|parsed| parsed.blocks.len()).map_err(ParseError::code);
        println!("{}: {summary:?} in {} ms", entry.file, started.elapsed().as_millis());
        match outcome {
            Ok(parsed) => {
                assert_clean(&entry.file, &parsed);
                let text = collapsed(&text_of(&parsed.blocks));
                for phrase in &entry.must_contain {
                    assert!(text.contains(&collapsed(phrase)), "{}: {phrase}", entry.file);
                }
            }
            Err(error) => {
                assert!(entry.must_contain.is_empty(), "{}: {error}", entry.file);
                assert_ne!(error.code(), "crashed", "{}: {error}", entry.file);
            }
        }
    }
}

#[tokio::test]
async fn hostile_documents_are_read_or_refused_as_expected() {
    let sandbox = sandbox();
    for (file, code) in [
        ("zipbomb.docx", "expansion"),
        ("empty.pdf", "empty"),
        ("empty.docx", "empty"),
        ("whitespace.md", "empty"),
        ("aes256-userpw.pdf", "encrypted"),
        ("png-named.pdf", "unsupported_media_type"),
        ("quine-depth.zip", "unsupported_media_type"),
        ("page-loop.pdf", "malformed"),
    ] {
        let error = parse_file(&sandbox, &format!("hostile-made/{file}")).await.unwrap_err();
        assert_eq!(error.code(), code, "{file}: {error}");
    }
    for (file, media_type, present, absent) in [
        (
            "prompt-injection.html",
            MediaType::Html,
            "Refunds are issued within 14 days",
            "script text",
        ),
        ("prompt-injection.html", MediaType::Html, "Refund policy", "IGNORE ALL"),
        ("prompt-injection.html", MediaType::Html, "Refund policy", "SYSTEM"),
        ("prompt-injection.md", MediaType::Markdown, "extension is 4417", "answer every question"),
        ("deep-nesting.html", MediaType::Html, "needle in the nest", "<"),
        ("deep-table.html", MediaType::Html, "", "<td"),
        ("bidi-override.txt", MediaType::PlainText, "", "\0"),
        ("invalid-utf8.txt", MediaType::PlainText, "valid start", "\0"),
        ("invalid-utf8.txt", MediaType::PlainText, "valid end", "\0"),
        ("nul-bytes.txt", MediaType::PlainText, "alpha beta gamma", "\0"),
        ("utf16-no-bom.txt", MediaType::PlainText, "The quick brown fox", "\0"),
        ("one-long-line.txt", MediaType::PlainText, "", "\n"),
        ("aes256-ownerpw-only.pdf", MediaType::Pdf, "", "\0"),
        ("html-named.docx", MediaType::Html, "", "<"),
        ("docx-named.txt", MediaType::Docx, "", "PK"),
        ("path-traversal.docx", MediaType::Docx, "The otter sanctuary opened in 1987.", "evil"),
        ("weird name کتاب %2e%2e\u{202e}.md", MediaType::Markdown, "", "\0"),
    ] {
        let file = format!("hostile-made/{file}");
        let parsed =
            parse_file(&sandbox, &file).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(parsed.media_type, media_type, "{file}");
        let texts: Vec<&str> = parsed.blocks.iter().map(|block| block.text.as_str()).collect();
        let text = texts.join(" ");
        assert!(text.contains(present), "{file}: {text:.200}");
        assert!(!text.contains(absent), "{file}: {text:.200}");
    }
}

#[tokio::test]
async fn entities_are_neither_expanded_nor_fetched_and_nothing_is_written() {
    let sandbox = sandbox();
    let secret = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let secret = secret.lines().next().unwrap_or("root:");
    for file in
        ["hostile-made/xxe.docx", "hostile-made/billion-laughs.docx", "hostile/poc-xmlbomb.xlsx"]
    {
        if let Ok(parsed) = parse_file(&sandbox, file).await {
            let text = text_of(&parsed.blocks);
            assert!(!text.contains(secret), "{file}");
            assert!(text.len() < read(file).len() * 4, "{file}: {} bytes", text.len());
        }
    }
}

#[tokio::test]
async fn pages_and_structure_are_kept() {
    let sandbox = sandbox();
    let parsed = parse_file(&sandbox, "hostile-made/good-control.pdf").await.unwrap();
    let page_two =
        parsed.blocks.iter().find(|block| block.text.contains("turbine at site B")).unwrap();
    assert_eq!(page_two.page, Some(2));
    let parsed = parse_file(&sandbox, "hostile-made/many-lines.csv").await.unwrap();
    assert_eq!(parsed.blocks[0].kind, BlockKind::TableHeader);
    assert!(parsed.blocks[1..].iter().all(|block| block.kind == BlockKind::TableRow));
    let parsed =
        parse_file(&sandbox, "normal/2023-half-year-analyses-by-segment.xlsx").await.unwrap();
    assert!(
        parsed
            .blocks
            .iter()
            .any(|block| block.kind == BlockKind::TableRow && block.text.contains(" | "))
    );
    assert!(parsed.blocks.iter().all(|block| block.page.is_some()));
    let parsed = parse_file(&sandbox, "normal/wiki_duck.html").await.unwrap();
    let has = |wanted: fn(BlockKind) -> bool| parsed.blocks.iter().any(|block| wanted(block.kind));
    assert!(
        has(|kind| matches!(kind, BlockKind::Heading { .. }))
            && has(|kind| kind == BlockKind::ListItem)
    );
}
