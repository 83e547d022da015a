//! How often the rule of `followup` takes a question that stands alone for a follow-up: each question of a
//! BEIR-style folder is read after one from the other half of the file, which is about something else.
//!
//! `cargo run -p lectern-core --example followup_eval -- FOLDER…`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example that measures")]

use std::{fs, time::Instant};

use lectern_core::{
    followup::{Earlier, Reading, read},
    question::Question,
};

fn main() {
    for folder in std::env::args().skip(1) {
        let text = fs::read_to_string(format!("{folder}/queries.jsonl")).unwrap();
        let parsed =
            text.lines().map(|line| -> serde_json::Value { serde_json::from_str(line).unwrap() });
        let questions: Vec<String> =
            parsed.map(|query| query["text"].as_str().unwrap().to_owned()).collect();
        let half = questions.len() / 2;
        let started = Instant::now();
        let (mut alone, mut unsure, mut follows) = (0, 0, 0);
        for (at, question) in questions.iter().enumerate() {
            let before = &questions[(at + half) % questions.len()];
            let earlier = [Earlier { question: before, standalone: None }];
            let parsed: Question = question.parse().unwrap();
            match read(&earlier, &parsed) {
                Reading::Alone => alone += 1,
                Reading::Unsure { .. } => unsure += 1,
                Reading::Follows(understood) => {
                    follows += 1;
                    if std::env::var_os("SHOW").is_some() {
                        println!("{}", understood.as_str());
                    }
                }
            }
        }
        let each = started.elapsed() / u32::try_from(questions.len()).unwrap();
        println!("{folder}: alone {alone}, unsure {unsure}, follows {follows}; {each:?} each");
    }
}
