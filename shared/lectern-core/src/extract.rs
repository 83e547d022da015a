//! Extractive answers: the sentences of the passages that answer best, verbatim and cited.
//!
//! A sentence scores by the share of the question's information it holds: the sum of inverse
//! sentence frequencies of the question terms in it over that of all question terms (a local IDF, as in
//! Spärck Jones 1972), with a share of the score taken from its neighbours and its headings, and a
//! small prior for the rank of its passage.

use std::collections::{HashMap, HashSet};

use crate::{
    analysis,
    answer::{Answer, Citation, Mode, Sentence, Verdict},
    passage::{Passage, Span},
    question::Question,
    sentences::sentences,
};

/// Most sentences of an extractive answer.
pub const MAX_SENTENCES: usize = 3;
/// Most passages whose sentences compete.
pub const MAX_PASSAGES: usize = 8;
/// Share of the question's information the best passage must hold; less is refused.
pub const MIN_INFORMATION: f64 = 0.34;
/// A further sentence must score at least this share of the best one.
const FURTHER_SHARE: f64 = 0.6;
/// Weight of what only headings and neighbouring sentences hold.
const CONTEXT_WEIGHT: f64 = 0.35;
/// Score lost per rank of the passage.
const RANK_PENALTY: f64 = 0.03;

struct Candidate<'a> {
    passage: &'a Passage,
    rank: usize,
    span: Span,
    terms: HashSet<String>,
    context: HashSet<String>,
}

/// Returns the extractive answer to `question` from `passages`, best first; a refusal when none holds
/// enough of the question.
#[must_use]
pub fn answer(question: &Question, passages: &[Passage]) -> Answer {
    let candidates = candidates(passages);
    let language = passages.first().map_or("und", |passage| passage.language.as_str());
    let asked: HashSet<String> =
        analysis::content_terms(question.as_str(), language).into_iter().collect();
    let information = information(&asked, &candidates);
    let total: f64 = information.values().sum();
    if total <= 0.0 {
        return Answer::refusal(Mode::Extractive);
    }
    let mut scored: Vec<(f64, &Candidate<'_>)> = candidates
        .iter()
        .map(|candidate| (score(candidate, &information) / total, candidate))
        .collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.rank.cmp(&other.1.rank)));
    let enough = scored
        .iter()
        .any(|(_, candidate)| held(candidate, &information) / total >= MIN_INFORMATION);
    match scored.first() {
        Some((best, _)) if enough => assemble(&choose(&scored, *best)),
        _ => Answer::refusal(Mode::Extractive),
    }
}

fn candidates(passages: &[Passage]) -> Vec<Candidate<'_>> {
    let mut candidates = Vec::new();
    for (rank, passage) in passages.iter().take(MAX_PASSAGES).enumerate() {
        let terms = |text: &str| -> HashSet<String> {
            analysis::content_terms(text, &passage.language).into_iter().collect()
        };
        let heading = terms(&passage.heading);
        let spans = sentences(&passage.text);
        let each: Vec<HashSet<String>> =
            spans.iter().map(|span| terms(&passage.text[span.start..span.end])).collect();
        for (at, span) in spans.iter().enumerate() {
            let text = &passage.text[span.start..span.end];
            if spans.len() > 1 && passage.heading.split(" › ").any(|heading| heading == text) {
                // A heading says what follows is about, not what is so.
                continue;
            }
            let mut context = heading.clone();
            for near in [at.checked_sub(1), Some(at + 1)].into_iter().flatten() {
                context.extend(each.get(near).into_iter().flatten().cloned());
            }
            candidates.push(Candidate {
                passage,
                rank,
                span: *span,
                terms: each[at].clone(),
                context,
            });
        }
    }
    candidates
}

/// Returns the weight of each question term: ln(1 + N / n) over the candidate sentences. A term that
/// occurs nowhere weighs most: it is what the passages fail to say.
#[expect(clippy::cast_precision_loss, reason = "a few hundred sentences")]
fn information(asked: &HashSet<String>, candidates: &[Candidate<'_>]) -> HashMap<String, f64> {
    let total = candidates.len() as f64;
    let weight = |term: &String| {
        let holding = candidates.iter().filter(|candidate| candidate.terms.contains(term)).count();
        (1.0 + total / (holding.max(1)) as f64).ln()
    };
    asked.iter().map(|term| (term.clone(), weight(term))).collect()
}

fn sum<'a>(
    information: &HashMap<String, f64>,
    mut holds: impl FnMut(&'a str) -> bool,
    terms: impl Iterator<Item = &'a String>,
) -> f64 {
    terms.filter(|term| holds(term)).filter_map(|term| information.get(term)).sum()
}

fn held(candidate: &Candidate<'_>, information: &HashMap<String, f64>) -> f64 {
    let own = sum(information, |_| true, candidate.terms.iter());
    own + sum(information, |term| !candidate.terms.contains(term), candidate.context.iter())
}

#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
fn score(candidate: &Candidate<'_>, information: &HashMap<String, f64>) -> f64 {
    let own = sum(information, |_| true, candidate.terms.iter());
    let near = held(candidate, information) - own;
    (own + CONTEXT_WEIGHT * near) * (1.0 - RANK_PENALTY * candidate.rank as f64)
}

fn choose<'a>(scored: &[(f64, &'a Candidate<'a>)], best: f64) -> Vec<&'a Candidate<'a>> {
    let mut chosen: Vec<&Candidate<'_>> = Vec::new();
    for (score, candidate) in scored {
        if chosen.len() == MAX_SENTENCES || *score < best * FURTHER_SHARE {
            break;
        }
        let text = &candidate.passage.text[candidate.span.start..candidate.span.end];
        let repeats = chosen
            .iter()
            .any(|other| &other.passage.text[other.span.start..other.span.end] == text);
        if !repeats {
            chosen.push(candidate);
        }
    }
    chosen
}

fn assemble(chosen: &[&Candidate<'_>]) -> Answer {
    let mut answer = Answer {
        answer: String::new(),
        sentences: Vec::new(),
        citations: Vec::new(),
        refused: false,
        mode: Mode::Extractive,
    };
    for candidate in chosen {
        let id = u32::try_from(answer.citations.len() + 1).unwrap_or(u32::MAX);
        let Some(citation) = Citation::of(id, candidate.passage, candidate.span) else { continue };
        if !answer.answer.is_empty() {
            answer.answer.push('\n');
        }
        let start = answer.answer.len();
        answer.answer.push_str(&format!("{} [{id}]", citation.quote));
        let end = answer.answer.len();
        answer.sentences.push(Sentence {
            start,
            end,
            citations: vec![id],
            verdict: Verdict::Supported,
        });
        answer.citations.push(citation);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::DocumentId, time::Timestamp};

    fn passage(number: u8, text: &str) -> Passage {
        Passage {
            tenant: "acme".parse().unwrap(),
            collection: "default".parse().unwrap(),
            document_id: DocumentId::new(Timestamp::from_millis(1), u128::from(number)),
            version: 1,
            ordinal: 0,
            document_name: "backup.md".into(),
            heading: "Backups".into(),
            page: Some(2),
            line: 10,
            span: Span { start: 50, end: 50 + text.len() },
            text: text.into(),
            text_sha256: String::new(),
            language: "eng".into(),
            acl: vec!["*".into()],
            metadata: serde_json::Map::new(),
        }
    }

    #[test]
    fn answers_with_the_sentence_verbatim() {
        let passages = [
            passage(1, "Backups run daily at 03:00 UTC.\nThey are kept for 30 days."),
            passage(2, "Lunch is at noon."),
        ];
        let answer = answer(&"When do backups run?".parse().unwrap(), &passages);
        assert_eq!(answer.citations()[0].quote, "Backups run daily at 03:00 UTC.");
        assert_eq!((answer.citations()[0].start, answer.citations()[0].line), (50, 10));
        assert!(answer.text().starts_with("Backups run daily at 03:00 UTC. [1]"));
    }

    #[test]
    fn refuses_what_the_passages_do_not_speak_of() {
        let passages = [passage(1, "Backups run daily at 03:00 UTC.")];
        assert!(answer(&"Who invented the telescope?".parse().unwrap(), &passages).is_refused());
        assert!(answer(&"Who invented the telescope?".parse().unwrap(), &[]).is_refused());
        assert!(answer(&"???".parse().unwrap(), &passages).is_refused());
    }
}
