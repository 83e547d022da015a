//! Prints what extraction measures, for infra/calibration: JSON lines in, JSON lines out.
//!
//! In: `{"question", "passages": [{"text", "heading", "score"}], "cosines": […]}`, the cosines in the order
//! of an earlier run's `to_compare`. Out: `{"lexical", "to_compare", "semantic"}`. The first line names
//! the features.

use std::io::{BufRead as _, Write as _};

use lectern_core::{
    analysis::detect_language,
    document::Metadata,
    extract::{COMPARING_MODEL, Extraction, QUESTION_FEATURES, SENTENCE_FEATURES},
    ids::{CollectionId, DocumentId},
    passage::{Passage, ScoredPassage, Span},
    question::Question,
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Input {
    question: String,
    passages: Vec<Found>,
    #[serde(default)]
    cosines: Vec<f32>,
}

#[derive(Deserialize)]
struct Found {
    text: String,
    #[serde(default)]
    heading: String,
    score: f32,
}

fn passage(number: usize, found: Found) -> Result<ScoredPassage, Box<dyn std::error::Error>> {
    let language = detect_language(&found.text).to_owned();
    let passage = Passage {
        tenant: "measure".parse()?,
        collection: CollectionId::default_collection(),
        document_id: DocumentId::new(Timestamp::from_millis(0), number as u128),
        version: 1,
        ordinal: 0,
        document_name: number.to_string(),
        heading: found.heading,
        page: None,
        line: 1,
        span: Span { start: 0, end: found.text.len() },
        text: found.text,
        text_sha256: String::new(),
        language,
        acl: Vec::new(),
        metadata: Metadata::new(),
    };
    Ok(ScoredPassage { passage, score: found.score })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(output, "{}", json!({"sentence": SENTENCE_FEATURES, "question": QUESTION_FEATURES}))?;
    for line in std::io::stdin().lock().lines() {
        let input: Input = serde_json::from_str(&line?)?;
        let question: Question = input.question.parse()?;
        let passages: Result<Vec<_>, _> = input
            .passages
            .into_iter()
            .enumerate()
            .map(|(number, found)| passage(number, found))
            .collect();
        let passages = passages?;
        let extraction = Extraction::of(&question, &passages);
        let lexical = extraction.measured();
        let to_compare = extraction.to_compare(COMPARING_MODEL);
        // A cosine is the dot product of two vectors; vectors of one number give it as it is.
        let vectors: Vec<Vec<f32>> = input.cosines.iter().map(|cosine| vec![*cosine]).collect();
        let compared = !vectors.is_empty() && vectors.len() == to_compare.len();
        let semantic = compared.then(|| extraction.compare(&[1.0], &vectors).measured());
        let out = json!({"lexical": lexical, "to_compare": to_compare, "semantic": semantic});
        writeln!(output, "{out}")?;
    }
    Ok(())
}
