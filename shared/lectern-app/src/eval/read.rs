//! Reads golden sets from the disk. Everything is bounded, and an error names the file and the line.
//!
//! | form | is |
//! |---|---|
//! | BEIR folder | `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl`, `qrels.tsv` (header; query, document, grade) |
//! | folder of files | `questions.jsonl` or `queries.jsonl`, beside a folder `documents` or `files` |
//! | a JSONL file | questions, beside such a folder |
//!
//! A question is `{"id", "question", "answers", "documents", "spans", "unanswerable"}`; the names of BEIR and
//! the like are understood too: `_id`, `text`, `files`, `impossible`. A span is `{"document", "start", "end"}`
//! or `{"document", "quote"}`.

mod files;
mod lines;
mod records;

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use lectern_core::metrics::ranking::{Grades, has_relevant};
use thiserror::Error;

use self::{
    lines::json_lines,
    records::{DocumentRecord, QuestionRecord},
};
use super::golden::{Content, GoldenDocument, GoldenQuestion, GoldenSet, GoldenSpan, Place};

/// Most lines of a file; the largest set worth a laptop has half as many.
pub const MAX_LINES: usize = 2_000_000;
/// Longest line in bytes.
pub const MAX_LINE_BYTES: usize = 8 << 20;
/// Most files of a folder.
pub const MAX_FILES: usize = 100_000;

const CORPUS: &str = "corpus.jsonl";
const QUESTIONS: [&str; 2] = ["questions.jsonl", "queries.jsonl"];
const FOLDERS: [&str; 2] = ["documents", "files"];
/// The judgements of a BEIR folder when nothing else is said.
pub const QRELS: &str = "qrels.tsv";

/// Why a golden set cannot be read.
#[derive(Debug, Error)]
pub enum GoldenError {
    /// The disk refuses.
    #[error("cannot read {path}")]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{path}:{line}: {reason}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder holds no set.
    #[error(
        "{0} is no golden set: it needs {CORPUS}, queries.jsonl and qrels.tsv, or questions.jsonl beside a folder `documents`"
    )]
    NotASet(PathBuf),
    /// There is nothing to measure.
    #[error("{0} holds no judged question")]
    NoQuestion(PathBuf),
    /// More than is read.
    #[error("{path} holds more than {MAX_FILES} files")]
    TooManyFiles {
        /// The folder.
        path: PathBuf,
    },
}

/// Whether a path holds a golden set.
#[must_use]
pub fn is_set(path: &Path) -> bool {
    path.is_file() || form(path, QRELS).is_some()
}

enum Form {
    Beir { questions: PathBuf },
    Files { questions: PathBuf, documents: PathBuf },
}

fn form(path: &Path, qrels: &str) -> Option<Form> {
    if path.is_file() {
        let folder = path.parent().unwrap_or(Path::new("."));
        let documents = FOLDERS.iter().map(|name| folder.join(name)).find(|it| it.is_dir())?;
        return Some(Form::Files { questions: path.to_owned(), documents });
    }
    let questions = QUESTIONS.iter().map(|name| path.join(name)).find(|it| it.is_file())?;
    if path.join(CORPUS).is_file() {
        return path.join(qrels).is_file().then_some(Form::Beir { questions });
    }
    let documents = FOLDERS.iter().map(|name| path.join(name)).find(|it| it.is_dir())?;
    Some(Form::Files { questions, documents })
}

/// Reads the golden set at `path`; `qrels` names the judgements of a BEIR folder ([`QRELS`]). Questions of a BEIR
/// folder that are not judged are left out.
///
/// # Errors
/// Names the file, and the line where there is one.
pub fn read(path: &Path, qrels: &str) -> Result<GoldenSet, GoldenError> {
    let set = match form(path, qrels) {
        Some(Form::Beir { questions }) => beir(path, &questions, &path.join(qrels))?,
        Some(Form::Files { questions, documents }) => of_files(path, &questions, &documents)?,
        None => return Err(GoldenError::NotASet(path.to_owned())),
    };
    if set.questions.is_empty() {
        return Err(GoldenError::NoQuestion(path.to_owned()));
    }
    Ok(set)
}

fn beir(folder: &Path, questions: &Path, qrels: &Path) -> Result<GoldenSet, GoldenError> {
    let corpus = folder.join(CORPUS);
    let mut documents = Vec::new();
    let mut texts: HashMap<String, usize> = HashMap::new();
    for (line, record) in json_lines::<DocumentRecord>(&corpus)? {
        if texts.insert(record.id.clone(), documents.len()).is_some() {
            return Err(wrong(&corpus, line, format!("a second document `{}`", record.id)));
        }
        let content = Content::Text { title: record.title, text: record.text };
        documents.push(GoldenDocument { id: record.id, content });
    }
    let mut grades = lines::judgements(qrels)?;
    let mut read = Vec::new();
    let mut seen = HashSet::new();
    for (line, record) in json_lines::<QuestionRecord>(questions)? {
        let judged = grades.remove(&record.id).unwrap_or_default();
        let question = record.question(judged).map_err(|reason| wrong(questions, line, reason))?;
        if !seen.insert(question.id.clone()) {
            return Err(wrong(questions, line, format!("a second question `{}`", question.id)));
        }
        for span in question.spans.iter().chain(&question.evidence) {
            let document = texts.get(&span.document).map(|at| &documents[*at].content);
            let Some(Content::Text { text, .. }) = document else {
                return Err(wrong(questions, line, no_document(&span.document)));
            };
            check_place(text, span).map_err(|reason| wrong(questions, line, reason))?;
        }
        if question.is_unanswerable || question.is_answerable() {
            read.push(question);
        }
    }
    Ok(GoldenSet { name: name(folder), documents, questions: read })
}

fn check_place(text: &str, span: &GoldenSpan) -> Result<(), String> {
    let holds = match &span.place {
        Place::Bytes(bytes) => !bytes.is_empty() && bytes.of(text).is_some(),
        Place::Quote(quote) => !quote.is_empty() && text.contains(quote.as_str()),
    };
    if holds { Ok(()) } else { Err(format!("no such place in document `{}`", span.document)) }
}

fn of_files(path: &Path, questions: &Path, folder: &Path) -> Result<GoldenSet, GoldenError> {
    let documents = files::below(folder)?;
    let known: HashSet<&str> = documents.iter().map(|document| document.id.as_str()).collect();
    let mut read = Vec::new();
    let mut seen = HashSet::new();
    for (line, record) in json_lines::<QuestionRecord>(questions)? {
        let question =
            record.question(Grades::new()).map_err(|reason| wrong(questions, line, reason))?;
        let spans = question.spans.iter().chain(&question.evidence).map(|span| &span.document);
        if let Some(missing) =
            question.grades.keys().chain(spans).find(|it| !known.contains(it.as_str()))
        {
            return Err(wrong(questions, line, no_document(missing)));
        }
        if !seen.insert(question.id.clone()) {
            return Err(wrong(questions, line, format!("a second question `{}`", question.id)));
        }
        if !question.is_unanswerable && !question.is_answerable() {
            let reason = "needs `documents`, `spans`, `answers` or `unanswerable`";
            return Err(wrong(questions, line, reason));
        }
        read.push(question);
    }
    Ok(GoldenSet { name: name(path), documents, questions: read })
}

fn name(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    absolute.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn no_document(id: &str) -> String {
    format!("there is no document `{id}`")
}

fn wrong(path: &Path, line: usize, reason: impl Into<String>) -> GoldenError {
    GoldenError::Line { path: path.to_owned(), line, reason: reason.into() }
}

/// Whether a question says what is right, beside being one.
fn contradicts(question: &GoldenQuestion) -> bool {
    question.is_unanswerable
        && (!question.answers.is_empty()
            || !question.spans.is_empty()
            || has_relevant(&question.grades))
}

#[cfg(test)]
mod tests;
