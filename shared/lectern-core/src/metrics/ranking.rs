//! Metrics of a ranking, as trec_eval computes them (`ndcg_cut`, `recall`, `recip_rank`, `success`), which
//! `ir_measures` calls.
//!
//! A ranking lists each document once, best first. Grades are the judgements: 0 is not relevant. Every
//! metric of a question without a relevant document is 0; such questions are left out of means.

use std::collections::{HashMap, HashSet};

/// Judged grades by document; a document that is not there was not judged and counts as not relevant.
pub type Grades = HashMap<String, u32>;

/// Whether any document is relevant.
#[must_use]
pub fn has_relevant(grades: &Grades) -> bool {
    grades.values().any(|grade| *grade > 0)
}

/// Returns nDCG@k: the discounted gain of the first `k` documents over that of the ideal order. Gains are
/// the judged grades, discounts log₂(rank + 1) (Järvelin and Kekäläinen, "Cumulated gain-based
/// evaluation of IR techniques", 2002).
#[must_use]
pub fn ndcg<D: AsRef<str>>(ranking: &[D], grades: &Grades, k: usize) -> f64 {
    let grade = |document: &D| grades.get(document.as_ref()).copied().unwrap_or(0);
    let gained = ranking.iter().take(k).map(grade);
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|one, other| other.cmp(one));
    let best = discounted(ideal.into_iter().take(k));
    if best > 0.0 { discounted(gained) / best } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
fn discounted(gains: impl Iterator<Item = u32>) -> f64 {
    let discounted =
        |(position, gain): (usize, u32)| f64::from(gain) / (position as f64 + 2.0).log2();
    gains.enumerate().map(discounted).sum()
}

/// Returns recall@k: the share of the relevant documents among the first `k`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of documents are small")]
pub fn recall<D: AsRef<str>>(ranking: &[D], grades: &Grades, k: usize) -> f64 {
    let relevant = grades.values().filter(|grade| **grade > 0).count();
    if relevant == 0 {
        return 0.0;
    }
    let found = ranking.iter().take(k).filter(|document| is_relevant(grades, document.as_ref()));
    found.count() as f64 / relevant as f64
}

/// Returns MRR@k's share of one question: 1 / rank of the first relevant document among the first `k`, else 0.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
pub fn reciprocal_rank<D: AsRef<str>>(ranking: &[D], grades: &Grades, k: usize) -> f64 {
    let first = ranking.iter().take(k).position(|document| is_relevant(grades, document.as_ref()));
    first.map_or(0.0, |position| 1.0 / (position as f64 + 1.0))
}

/// Returns success@k: 1 when a relevant document is among the first `k`, else 0.
#[must_use]
pub fn success<D: AsRef<str>>(ranking: &[D], grades: &Grades, k: usize) -> f64 {
    let found = ranking.iter().take(k).any(|document| is_relevant(grades, document.as_ref()));
    f64::from(u8::from(found))
}

fn is_relevant(grades: &Grades, document: &str) -> bool {
    grades.get(document).is_some_and(|grade| *grade > 0)
}

/// Returns each document once, where it stood first: a ranking of chunks becomes one of documents,
/// the best chunk deciding.
pub fn first_of_each<D: AsRef<str>>(ranking: impl IntoIterator<Item = D>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut documents = Vec::new();
    for document in ranking {
        if seen.insert(document.as_ref().to_owned()) {
            documents.push(document.as_ref().to_owned());
        }
    }
    documents
}

/// Returns the order trec_eval gives to scores: by score, highest first, equal ones by document id,
/// **last** first (bytes). Of a document that occurs twice the best score counts.
#[must_use]
pub fn by_score(mut scored: Vec<(String, f64)>) -> Vec<String> {
    scored.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| other.0.cmp(&one.0)));
    first_of_each(scored.into_iter().map(|(document, _)| document))
}

#[cfg(test)]
#[path = "ranking/tests.rs"]
mod tests;
