//! What a golden set is: documents, questions, and what is right.

use std::{fmt::Write as _, path::PathBuf};

use bytes::Bytes;
use lectern_core::{
    ids::DocumentId,
    metrics::ranking::{Grades, has_relevant},
    passage::Span,
    question::Question,
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};

use super::read::GoldenError;

/// Documents and questions with what is right.
#[derive(Clone, Debug)]
pub struct GoldenSet {
    /// What people call it: the name of its folder or file.
    pub name: String,
    /// What is asked about.
    pub documents: Vec<GoldenDocument>,
    /// What is asked; every one is judged.
    pub questions: Vec<GoldenQuestion>,
}

/// A document of a golden set.
#[derive(Clone, Debug)]
pub struct GoldenDocument {
    /// Its name in the set: an id, or a path below the folder of documents, with `/`.
    pub id: String,
    /// What it holds.
    pub content: Content,
}

/// What a document of a golden set holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Text; spans count its bytes, without the title's.
    Text {
        /// Above the text; may be empty.
        title: String,
        /// The text.
        text: String,
    },
    /// A file of any type that is ingested; spans count the bytes of its canonical text.
    File(PathBuf),
}

/// A question with what is right.
#[derive(Clone, Debug)]
pub struct GoldenQuestion {
    /// Its id in the set.
    pub id: String,
    /// What is asked.
    pub question: Question,
    /// Which documents are relevant, and how much.
    pub grades: Grades,
    /// Where the answer stands; a citation should cover one of them.
    pub spans: Vec<GoldenSpan>,
    /// Sentences that show the answer; a citation may lie mostly in one of them instead.
    pub evidence: Vec<GoldenSpan>,
    /// Right answers, any of which will do; none when only documents are judged.
    pub answers: Vec<String>,
    /// Whether the documents do not answer it, so that it should be refused.
    pub is_unanswerable: bool,
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldenSpan {
    /// The document's id.
    pub document: String,
    /// Where.
    pub place: Place,
}

/// How a place is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// By offsets, see [`Content`].
    Bytes(Span),
    /// By what stands there, where it stands first.
    Quote(String),
}

impl GoldenQuestion {
    /// Returns a question of which it is not known what is right.
    #[must_use]
    pub fn of(id: String, question: Question) -> Self {
        Self {
            id,
            question,
            grades: Grades::new(),
            spans: Vec::new(),
            evidence: Vec::new(),
            answers: Vec::new(),
            is_unanswerable: false,
        }
    }

    /// Whether it should be answered.
    #[must_use]
    pub fn is_answerable(&self) -> bool {
        !self.is_unanswerable && (!self.answers.is_empty() || has_relevant(&self.grades))
    }
}

impl GoldenDocument {
    /// Returns the id it has once ingested. Always the same, so that equal scores stand in the same
    /// order on every machine.
    #[must_use]
    pub fn document_id(&self) -> DocumentId {
        let digest = Sha256::digest(self.id.as_bytes());
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&digest[..16]);
        DocumentId::new(Timestamp::from_millis(0), u128::from_be_bytes(entropy))
    }

    /// Returns the file name and bytes to upload. A text with a title becomes a page whose heading is the
    /// title.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn upload(&self) -> Result<(String, Bytes), GoldenError> {
        match &self.content {
            Content::File(path) => {
                let unreadable = |source| GoldenError::Unreadable { path: path.clone(), source };
                Ok((self.id.clone(), std::fs::read(path).map_err(unreadable)?.into()))
            }
            Content::Text { title, text } if title.trim().is_empty() => {
                Ok((format!("{}.txt", self.id), text.clone().into()))
            }
            // A page without text would be ingested for its title alone.
            Content::Text { text, .. } if text.trim().is_empty() => {
                Ok((format!("{}.txt", self.id), Bytes::new()))
            }
            Content::Text { title, text } => {
                let page = format!(
                    "<!doctype html>\n<html>\n<body>\n<h1>{}</h1>\n<p>{}</p>\n</body>\n</html>\n",
                    escaped(title),
                    escaped(text)
                );
                Ok((format!("{}.html", self.id), page.into()))
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl GoldenSet {
    /// Asks this set's questions of the documents of `other`, none of which answers them.
    #[must_use]
    pub fn asked_of(self, other: Self) -> Self {
        let nothing_is_right = |question: GoldenQuestion| GoldenQuestion {
            is_unanswerable: true,
            ..GoldenQuestion::of(question.id, question.question)
        };
        Self {
            name: format!("{}@{}", self.name, other.name),
            documents: other.documents,
            questions: self.questions.into_iter().map(nothing_is_right).collect(),
        }
    }

    /// Keeps `most` questions. Which ones depends on their ids alone, so that the same ones are kept every time
    /// and no part of the set is preferred.
    #[must_use]
    pub fn limited(mut self, most: usize) -> Self {
        let mut order: Vec<(Vec<u8>, usize)> = self
            .questions
            .iter()
            .enumerate()
            .map(|(at, question)| (Sha256::digest(question.id.as_bytes()).to_vec(), at))
            .collect();
        order.sort();
        let kept: std::collections::HashSet<usize> =
            order.into_iter().take(most).map(|(_, at)| at).collect();
        let mut at = 0;
        self.questions.retain(|_| {
            at += 1;
            kept.contains(&(at - 1))
        });
        self
    }

    /// Returns the SHA-256 of all documents, in hex.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn corpus_digest(&self) -> Result<String, GoldenError> {
        let mut hasher = Sha256::new();
        for document in &self.documents {
            let (name, bytes) = document.upload()?;
            hasher.update(framed(name.as_bytes()));
            hasher.update(framed(&bytes));
        }
        Ok(hex::encode(hasher.finalize()))
    }

    /// Returns the SHA-256 of all questions and what is right, in hex.
    #[must_use]
    pub fn questions_digest(&self) -> String {
        let mut hasher = Sha256::new();
        for question in &self.questions {
            let mut grades: Vec<(&String, &u32)> = question.grades.iter().collect();
            grades.sort();
            let mut told = String::new();
            write!(
                told,
                "{:?}",
                (
                    &question.id,
                    question.question.as_str(),
                    grades,
                    &question.spans,
                    &question.evidence,
                    &question.answers,
                    question.is_unanswerable
                )
            )
            .expect("writing to a string cannot fail");
            hasher.update(framed(told.as_bytes()));
        }
        hex::encode(hasher.finalize())
    }
}

/// Bytes after their own digest's worth of length, so that no two lists of byte strings look alike.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut framed = (bytes.len() as u64).to_be_bytes().to_vec();
    framed.extend_from_slice(bytes);
    framed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(questions: usize) -> GoldenSet {
        let question = |number: usize| GoldenQuestion {
            id: format!("q{number}"),
            question: "why?".parse().unwrap(),
            grades: Grades::new(),
            spans: vec![],
            evidence: vec![],
            answers: vec!["because".into()],
            is_unanswerable: false,
        };
        let document = GoldenDocument {
            id: "d".into(),
            content: Content::Text { title: "A < B".into(), text: "p < 0.05 & more".into() },
        };
        GoldenSet {
            name: "set".into(),
            documents: vec![document],
            questions: (0..questions).map(question).collect(),
        }
    }

    #[test]
    fn a_sample_is_always_the_same_and_in_order() {
        let ids = |set: GoldenSet| -> Vec<String> {
            set.questions.into_iter().map(|question| question.id).collect()
        };
        let sample = ids(set(100).limited(10));
        assert_eq!(sample.len(), 10);
        assert_eq!(sample, ids(set(100).limited(10)));
        assert!(ids(set(100).limited(20)).iter().filter(|id| sample.contains(id)).count() == 10);
        assert_ne!(sample, ids(set(10)), "not just the first");
        assert_eq!(set(5).limited(10).questions.len(), 5);
    }

    #[test]
    fn digests_tell_sets_apart() {
        let one = set(3);
        let mut other = set(3);
        other.questions[1].answers.push("why not".into());
        assert_ne!(one.questions_digest(), other.questions_digest());
        assert_eq!(one.corpus_digest().unwrap(), other.corpus_digest().unwrap());
        other.documents[0].id = "e".into();
        assert_ne!(one.corpus_digest().unwrap(), other.corpus_digest().unwrap());
    }

    #[test]
    fn a_title_becomes_a_heading_and_nothing_else_becomes_markup() {
        let (name, bytes) = set(0).documents[0].upload().unwrap();
        assert_eq!(name, "d.html");
        let page = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(
            page.contains("<h1>A &lt; B</h1>") && page.contains("<p>p &lt; 0.05 &amp; more</p>")
        );
        let empty = Content::Text { title: "T".into(), text: " ".into() };
        let empty = GoldenDocument { id: "e".into(), content: empty };
        assert!(empty.upload().unwrap().1.is_empty());
    }
}
