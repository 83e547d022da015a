//! BM25 over an evaluation set, computed in plain Rust with the index engine's formulas.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::PathBuf,
};

use lectern_core::analysis::{Bm25, SparseVector, detect_language, query_vector};
use serde_json::Value;

/// Ranks that count.
const CUTOFF: usize = 10;

/// A set of documents, questions and judgements.
#[derive(Debug)]
pub(crate) struct EvaluationSet {
    /// Id and text, title first.
    documents: Vec<(String, String)>,
    questions: HashMap<String, String>,
    judgements: HashMap<String, HashSet<String>>,
}

/// Where the evaluation data lie.
fn data_directory() -> PathBuf {
    std::env::var_os("LECTERN_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    )
}

impl EvaluationSet {
    /// Reads the set `name`, judged by the file `judgements`.
    ///
    /// # Panics
    /// When the data are missing or malformed.
    #[must_use]
    pub(crate) fn open(name: &str, judgements: &str) -> Self {
        let directory = data_directory().join(name);
        let read = |file: &str| {
            let path = directory.join(file);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let rows = |file: &str| -> Vec<Value> {
            read(file)
                .lines()
                .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
                .collect()
        };
        let field = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let document = |row: &Value| {
            (field(row, "_id"), format!("{}\n{}", field(row, "title"), field(row, "text")))
        };
        let mut judged: HashMap<String, HashSet<String>> = HashMap::new();
        for line in read(judgements).lines().skip(1) {
            let columns: Vec<&str> = line.split('\t').collect();
            if columns[2] != "0" {
                judged.entry(columns[0].to_owned()).or_default().insert(columns[1].to_owned());
            }
        }
        Self {
            documents: rows("corpus.jsonl").iter().map(document).collect(),
            questions: rows("queries.jsonl")
                .iter()
                .map(|row| (field(row, "_id"), field(row, "text")))
                .collect(),
            judgements: judged,
        }
    }

    /// Returns the mean nDCG@10 of BM25 over the judged questions. Documents are analysed in the language
    /// detected in them, questions in `language`.
    #[must_use]
    pub(crate) fn ndcg(&self, parameters: &Bm25, language: &str) -> f64 {
        let vectors = self.documents.iter();
        let vectors: Vec<SparseVector> = vectors
            .map(|(_, text)| parameters.document_vector(text, detect_language(text)))
            .collect();
        let index = InvertedIndex::of(&vectors);
        let gains = self.judgements.iter().map(|(question, relevant)| {
            let ranking = index.search(&query_vector(&self.questions[question], language));
            let ranking: Vec<&str> =
                ranking.into_iter().map(|at| self.documents[at].0.as_str()).collect();
            ndcg(&ranking, relevant)
        });
        gains.sum::<f64>() / self.judgements.len() as f64
    }
}

fn ndcg(ranking: &[&str], relevant: &HashSet<String>) -> f64 {
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let found = ranking.iter().take(CUTOFF).enumerate().filter(|(_, id)| relevant.contains(**id));
    let gained: f64 = found.map(|(rank, _)| discount(rank)).sum();
    let ideal: f64 = (0..relevant.len().min(CUTOFF)).map(discount).sum();
    gained / ideal
}

/// Postings by term id.
struct InvertedIndex {
    postings: HashMap<u32, Vec<(usize, f32)>>,
    documents: usize,
}

impl InvertedIndex {
    fn of(vectors: &[SparseVector]) -> Self {
        let mut postings: HashMap<u32, Vec<(usize, f32)>> = HashMap::new();
        for (document, vector) in vectors.iter().enumerate() {
            for (term, weight) in vector.indices.iter().zip(&vector.values) {
                postings.entry(*term).or_default().push((document, *weight));
            }
        }
        Self { postings, documents: vectors.len() }
    }

    /// Returns the documents that hold a term of the question, best first.
    fn search(&self, query: &SparseVector) -> Vec<usize> {
        let mut scores = vec![0.0_f32; self.documents];
        for (term, asked) in query.indices.iter().zip(&query.values) {
            let Some(postings) = self.postings.get(term) else { continue };
            // Qdrant's IDF modifier: ln((N − n + 0.5) / (n + 0.5) + 1).
            let holding = postings.len() as f32;
            let idf = ((self.documents as f32 - holding + 0.5) / (holding + 0.5) + 1.0).ln();
            for (document, weight) in postings {
                scores[*document] += asked * weight * idf;
            }
        }
        let mut found: Vec<usize> = (0..self.documents).filter(|at| scores[*at] > 0.0).collect();
        found.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]).then(one.cmp(other)));
        found
    }
}
