//! What was found and said, for other judges.

use std::fmt::Write as _;

use lectern_core::extract::{QUESTION_FEATURES, SENTENCE_FEATURES};
use serde_json::{Value, json};

use super::Sample;

/// Returns a TREC run file: question, `Q0`, document, rank, score, tag. Scores are the ranks from below, all
/// different and exact in single precision, so that no reader orders ties its own way.
///
/// White space in ids would shift the fields; it is percent-encoded.
#[must_use]
pub fn trec_run(samples: &[Sample], tag: &str) -> String {
    let mut run = String::new();
    for sample in samples {
        let count = sample.ranking.len();
        for (position, document) in sample.ranking.iter().enumerate() {
            let (question, document) = (one_word(&sample.id), one_word(document));
            let (rank, score) = (position + 1, count - position);
            writeln!(run, "{question} Q0 {document} {rank} {score} {tag}")
                .expect("writing to a string cannot fail");
        }
    }
    run
}

fn one_word(id: &str) -> String {
    let mut word = String::with_capacity(id.len());
    for character in id.chars() {
        if character.is_whitespace() {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                write!(word, "%{byte:02X}").expect("writing to a string cannot fail");
            }
        } else {
            word.push(character);
        }
    }
    word
}

/// Returns what extraction measured, for `infra/calibration`: a JSON line with the names of what is measured, then
/// one per question with `id`, `answers`, `impossible`, `lexical` and `semantic`.
#[must_use]
pub fn measured(samples: &[Sample]) -> String {
    let names = json!({ "sentence": SENTENCE_FEATURES, "question": QUESTION_FEATURES });
    let measured = lines(samples, |sample| {
        let mut line = json!({ "id": sample.id, "answers": sample.reference });
        if let (Some(line), Ok(Value::Object(measured))) =
            (line.as_object_mut(), serde_json::to_value(&sample.measured))
        {
            line.extend(measured);
        }
        line
    });
    format!("{names}\n{measured}")
}

/// Returns one JSON line per answer: `_id`, `answer`, `refused`, and `citations` with `doc`, `start`, `end` in
/// bytes of the document's text. A citation that begins in a title has no place there and is left out.
#[must_use]
pub fn answers(samples: &[Sample]) -> String {
    lines(samples, |sample| {
        let citations: Vec<Value> = sample
            .citations
            .iter()
            .map(
                |(document, span)| json!({ "doc": document, "start": span.start, "end": span.end }),
            )
            .collect();
        json!({
            "_id": sample.id, "answer": sample.answer, "refused": sample.refused, "citations": citations,
        })
    })
}

/// Returns one JSON line per question as RAGAS reads single-turn samples (`EvaluationDataset.from_jsonl`).
#[must_use]
pub fn ragas(samples: &[Sample]) -> String {
    lines(samples, |sample| {
        let mut line = json!({
            "user_input": sample.question, "retrieved_contexts": sample.contexts, "response": sample.answer,
        });
        if let Some(reference) = sample.reference.first() {
            line["reference"] = json!(reference);
        }
        line
    })
}

fn lines(samples: &[Sample], line: impl Fn(&Sample) -> Value) -> String {
    samples.iter().map(|sample| format!("{}\n", line(sample))).collect()
}

#[cfg(test)]
mod tests {
    use lectern_core::passage::Span;

    use super::*;

    fn sample() -> Sample {
        Sample {
            id: "q 1".into(),
            question: "why?".into(),
            reference: vec!["so".into(), "thus".into()],
            ranking: vec!["2022 Q3.pdf".into(), "b".into()],
            contexts: vec!["It is so.".into()],
            answer: "So.\nYes.".into(),
            refused: false,
            citations: vec![("b".into(), Span { start: 1, end: 4 })],
            measured: None,
        }
    }

    #[test]
    fn a_run_file_has_six_fields_a_line_and_no_ties() {
        let run = trec_run(&[sample()], "default");
        assert_eq!(run, "q%201 Q0 2022%20Q3.pdf 1 2 default\nq%201 Q0 b 2 1 default\n");
    }

    #[test]
    fn answers_and_samples_are_one_json_line_each() {
        let answers = answers(&[sample(), sample()]);
        assert_eq!(answers.lines().count(), 2);
        let read: Value = serde_json::from_str(answers.lines().next().unwrap()).unwrap();
        assert_eq!(read["citations"][0], json!({"doc": "b", "start": 1, "end": 4}));
        let ragas: Value = serde_json::from_str(ragas(&[sample()]).trim()).unwrap();
        assert_eq!(
            (&ragas["reference"], &ragas["retrieved_contexts"][0]),
            (&json!("so"), &json!("It is so."))
        );
    }
}
