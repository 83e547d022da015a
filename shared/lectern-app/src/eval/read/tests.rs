use std::fs;

use lectern_core::passage::Span;

use super::*;

const CORPUS_LINES: &str =
    "{\"_id\":\"d1\",\"title\":\"T\",\"text\":\"one é\"}\n\n{\"_id\":\"d2\",\"text\":\"two\"}\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn beir(queries: &str, qrels: &str) -> tempfile::TempDir {
    folder(&[(CORPUS, CORPUS_LINES), ("queries.jsonl", queries), (QRELS, qrels)])
}

fn refusal(folder: &tempfile::TempDir) -> String {
    read(folder.path(), QRELS).unwrap_err().to_string()
}

#[test]
fn a_beir_folder_is_read_and_unjudged_queries_are_left_out() {
    let queries = concat!(
        r#"{"_id":"q1","text":"one?","answers":["é"],"spans":[{"doc":"d1","start":4,"end":6}]}"#,
        "\n",
        r#"{"_id":"q2","text":"not judged"}"#,
        "\n",
        r#"{"_id":"q3","text":"no answer?","answers":[],"impossible":true,"source_doc":"d1"}"#,
        "\n"
    );
    let folder = beir(queries, "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t-1\nq2\td1\t0\n");
    let set = read(folder.path(), QRELS).unwrap();
    assert_eq!(set.documents.len(), 2);
    let ids: Vec<&str> = set.questions.iter().map(|question| question.id.as_str()).collect();
    assert_eq!(ids, ["q1", "q3"]);
    assert_eq!((set.questions[0].grades["d1"], set.questions[0].grades["d2"]), (2, 0));
    assert_eq!(set.questions[0].spans[0].place, Place::Bytes(Span { start: 4, end: 6 }));
    assert!(set.questions[1].is_unanswerable && !set.questions[1].is_answerable());
}

#[test]
fn questions_stand_beside_their_files() {
    let questions = concat!(
        r#"{"id":"q1","question":"a?","spans":[{"document":"sub/b.md","quote":"text"}],"answers":["text"]}"#,
        "\n",
        r#"{"_id":"q2","text":"b?","files":["a.md"]}"#,
        "\n",
        r#"{"id":"q3","question":"c?","unanswerable":true}"#
    );
    let files = [("a.md", "a"), ("sub/b.md", "text"), (".hidden", "x")];
    let mut all = vec![("set/questions.jsonl".to_owned(), questions)];
    all.extend(files.map(|(name, text)| (format!("set/documents/{name}"), text)));
    let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let folder = folder(&all);
    for path in ["set", "set/questions.jsonl"] {
        let set = read(&folder.path().join(path), QRELS).unwrap();
        let ids: Vec<&str> = set.documents.iter().map(|document| document.id.as_str()).collect();
        assert_eq!(ids, ["a.md", "sub/b.md"]);
        assert_eq!(set.questions[0].grades["sub/b.md"], 1, "a span names a relevant document");
        assert_eq!(set.questions[1].grades["a.md"], 1);
        assert!(is_set(&folder.path().join(path)));
    }
    assert!(!is_set(folder.path()));
    assert!(matches!(read(folder.path(), QRELS), Err(GoldenError::NotASet(_))));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let header = "query-id\tcorpus-id\tscore\n";
    let good = "q1\td1\t1\n";
    let query = |fields: &str| format!("\n{{\"_id\":\"q1\",\"text\":\"one?\"{fields}}}\n");
    for (queries, qrels, expected) in [
        (query(""), "header\nq1 d1 1\n".to_owned(), "qrels.tsv:2: not three fields"),
        (query(""), format!("{header}q1\td1\thigh\n"), "qrels.tsv:2: grade: invalid digit"),
        (
            query(r#","spans":[{"doc":"d1","start":5,"end":6}]"#),
            header.to_owned() + good,
            "queries.jsonl:2: no such place in document `d1`",
        ),
        (
            query(r#","spans":[{"doc":"d9","start":0,"end":1}]"#),
            header.to_owned() + good,
            "queries.jsonl:2: there is no document `d9`",
        ),
        (
            query(r#","spans":[{"doc":"d1","start":3}]"#),
            header.to_owned() + good,
            "queries.jsonl:2: a span has",
        ),
        (
            query(r#","impossible":true"#),
            header.to_owned() + good,
            "queries.jsonl:2: an unanswerable question has no",
        ),
        (
            query("") + &query(""),
            header.to_owned() + good,
            "queries.jsonl:4: a second question `q1`",
        ),
        (
            "\n{\"_id\":\"q1\",\"text\":\" \"}".into(),
            header.to_owned() + good,
            "queries.jsonl:2: the question must not be empty",
        ),
        ("{".into(), header.to_owned() + good, "queries.jsonl:1: EOF"),
        (query(""), header.to_owned(), "holds no judged question"),
    ] {
        let message = refusal(&beir(&queries, &qrels));
        assert!(message.contains(expected), "{message} does not say {expected}");
    }
}

#[test]
fn lines_and_their_number_are_bounded() {
    let long = format!("{{\"_id\":\"{}\"", "x".repeat(MAX_LINE_BYTES));
    let message = refusal(&folder(&[(CORPUS, &long), ("queries.jsonl", ""), (QRELS, "")]));
    assert!(message.contains("corpus.jsonl:1: longer than"), "{message}");
    let many = "\n".repeat(MAX_LINES + 1);
    let message = refusal(&folder(&[(CORPUS, &many), ("queries.jsonl", ""), (QRELS, "")]));
    assert!(message.ends_with("corpus.jsonl:2000001: more than 2000000 lines"), "{message}");
}
