//! Whether cited spans support their sentences, and whether supported sentences cite.

use lectern_core::{
    answer::{Answer, Citation, Sentence},
    metrics::share::Share,
    passage::Passage,
    support::Evidence,
};

/// What was found about the sentences of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Supported {
    /// Of the sentences that cite: those that one of their cited spans supports.
    pub(super) precision: Share,
    /// Of the sentences that some passage supports: those that cite.
    pub(super) recall: Share,
}

/// Judges an answer against its own citations and the passages it was made from, by the rules that verify answers.
pub(super) fn judge(answer: &Answer, passages: &[Passage]) -> Supported {
    let evidence = Evidence::of(passages);
    let mut supported = Supported::default();
    for sentence in answer.sentences() {
        let text = bare(answer.text(), sentence);
        let cited =
            answer.citations().iter().filter(|cited| sentence.citations.contains(&cited.id));
        let cites = !sentence.citations.is_empty();
        let quotes: Vec<Passage> =
            cited.filter_map(|citation| quoted(citation, passages)).collect();
        let by_quote = says(&Evidence::of(&quotes), &text);
        if cites {
            supported.precision = supported.precision + Share::yes(by_quote);
        }
        if by_quote || says(&evidence, &text) {
            supported.recall = supported.recall + Share::yes(cites);
        }
    }
    supported
}

/// Whether one of the passages says `sentence`.
fn says(evidence: &Evidence<'_>, sentence: &str) -> bool {
    let mut supports = (0..evidence.len()).filter_map(|at| evidence.best_support(sentence, at));
    supports.any(|support| support.is_full())
}

/// Returns what is cited as a passage by itself, of the document it is cited from.
fn quoted(citation: &Citation, passages: &[Passage]) -> Option<Passage> {
    let cited = passages.iter().find(|passage| passage.document_id == citation.document_id)?;
    Some(Passage {
        document_name: String::new(),
        heading: String::new(),
        text: citation.quote.clone(),
        ..cited.clone()
    })
}

/// Returns an answer's text without the numbers of its citations.
pub(super) fn without_numbers(answer: &Answer) -> String {
    let mut text = String::new();
    let mut end = 0;
    for sentence in answer.sentences() {
        text.push_str(answer.text().get(end..sentence.start).unwrap_or_default());
        text.push_str(&bare(answer.text(), sentence));
        end = sentence.end;
    }
    text.push_str(answer.text().get(end..).unwrap_or_default());
    text
}

/// Returns a sentence without the numbers of its citations, which stand at its end.
fn bare(answer: &str, sentence: &Sentence) -> String {
    let mut text = answer.get(sentence.start..sentence.end).unwrap_or_default().to_owned();
    for id in &sentence.citations {
        let number = format!("[{id}]");
        if let Some(at) = text.rfind(&number) {
            let before = text[..at].trim_end().len();
            text.replace_range(before..at + number.len(), "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use lectern_core::{answer::Draft, citations, ids::DocumentId, passage::Span, time::Timestamp};

    use super::*;

    fn passage(text: &str) -> Passage {
        Passage {
            tenant: "acme".parse().unwrap(),
            collection: "default".parse().unwrap(),
            document_id: DocumentId::new(Timestamp::from_millis(1), 1),
            version: 1,
            ordinal: 0,
            document_name: "backup.md".into(),
            heading: String::new(),
            page: None,
            line: 1,
            span: Span { start: 0, end: text.len() },
            text: text.into(),
            text_sha256: String::new(),
            hostility: None,
            personal: None,
            language: "eng".into(),
            acl: vec!["*".into()],
            metadata: serde_json::Map::new(),
        }
    }

    #[test]
    fn cited_and_uncited_sentences_are_counted() {
        let passages = [passage("Backups run daily at 03:00 UTC. They are kept for 30 days.")];
        let draft = "Backups run daily at 03:00 UTC [1]. Penguins live in Antarctica.";
        let answer = citations::verify(
            &Draft::new(draft.into()),
            &passages,
            lectern_core::settings::Unsupported::Mark,
        );
        let supported = judge(&answer, &passages);
        assert_eq!(supported.precision, Share::counted(1, 1));
        assert_eq!(supported.recall, Share::counted(1, 1), "nothing supports the penguins");
        assert_eq!(
            without_numbers(&answer),
            "Backups run daily at 03:00 UTC. Penguins live in Antarctica."
        );
    }

    #[test]
    fn numbers_that_the_documents_hold_stay() {
        let passages = [passage("As shown in [1], the sky is blue [7].")];
        let question = "Which colour is the sky shown?".parse().unwrap();
        let answer = {
            let found = passages
                .clone()
                .map(|passage| lectern_core::passage::ScoredPassage { passage, score: 1.0 });
            lectern_core::extract::Extraction::of(&question, &found).answer(Some(0.0))
        };
        assert_eq!(answer.text(), "As shown in [1], the sky is blue [7]. [1]");
        assert_eq!(without_numbers(&answer), "As shown in [1], the sky is blue [7].");
    }

    #[test]
    fn a_refusal_has_nothing_to_judge() {
        let answer = Answer::refusal(lectern_core::answer::Mode::Extractive);
        assert_eq!(judge(&answer, &[]), Supported::default());
        assert_eq!(without_numbers(&answer), lectern_core::answer::REFUSAL);
    }
}
