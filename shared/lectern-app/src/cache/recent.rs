//! Recent questions by meaning. In memory only: what was asked lately is asked again most.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use lectern_core::{paraphrase, time::Timestamp};
use quick_cache::sync::Cache;

use super::{ANSWER_TTL, Caches, Key};

/// Views whose questions are remembered.
const MAX_VIEWS: usize = 32;
/// Questions remembered of each view.
const MAX_QUESTIONS: usize = 64;
/// Longest question that is remembered, in bytes: long ones are never asked twice in other words.
const MAX_QUESTION_BYTES: usize = 512;

/// The newest answered questions of each view.
#[derive(Debug)]
pub(super) struct Recent(Cache<Key, Arc<Mutex<VecDeque<Asked>>>>);

#[derive(Debug)]
struct Asked {
    question: String,
    vector: Vec<f32>,
    answer: Key,
    until: Timestamp,
}

impl Default for Recent {
    fn default() -> Self {
        Self(Cache::new(MAX_VIEWS))
    }
}

impl Recent {
    fn put(&self, view: Key, asked: Asked) {
        let Ok(questions) = self.0.get_or_insert_with(&view, || Ok::<_, ()>(Arc::default())) else {
            return;
        };
        let mut questions = questions.lock().expect("no panic while it is held");
        questions.retain(|other| other.answer != asked.answer);
        if questions.len() == MAX_QUESTIONS {
            questions.pop_front();
        }
        questions.push_back(asked);
    }

    fn nearest(
        &self,
        view: &Key,
        question: &str,
        vector: &[f32],
        threshold: f32,
        now: Timestamp,
    ) -> Option<Key> {
        let questions = self.0.get(view)?;
        let questions = questions.lock().expect("no panic while it is held");
        let alive = questions.iter().filter(|asked| asked.until > now);
        let scored = alive.map(|asked| (cosine(&asked.vector, vector), asked));
        let near = scored.filter(|(cosine, asked)| {
            *cosine >= threshold && paraphrase::may_share_answer(&asked.question, question)
        });
        near.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, asked)| asked.answer)
    }
}

/// Returns the cosine of two vectors of norm 1, −1 for vectors of different models.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    if one.len() != other.len() {
        return -1.0;
    }
    one.iter().zip(other).map(|(left, right)| left * right).sum()
}

impl Caches {
    /// Remembers that `question` of `view` has the answer under `answer`.
    pub(crate) fn remember_question(&self, view: Key, answer: Key, question: &str, vector: &[f32]) {
        if question.len() > MAX_QUESTION_BYTES {
            return;
        }
        let (question, vector) = (question.to_owned(), vector.to_vec());
        let until = self.now() + ANSWER_TTL;
        self.shared.recent.put(view, Asked { question, vector, answer, until });
    }

    /// Returns the answer's key of the question of `view` that means the same as `question`: the highest
    /// cosine from `threshold` on whose numbers, names, negations and opposites are the same.
    pub(crate) fn similar_question(
        &self,
        view: &Key,
        question: &str,
        vector: &[f32],
        threshold: f32,
    ) -> Option<Key> {
        self.shared.recent.nearest(view, question, vector, threshold, self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(number: usize, question: &str, angle: f32) -> Asked {
        Asked {
            question: question.to_owned(),
            vector: vec![angle.cos(), angle.sin()],
            answer: Key::of_vector("answer", number, ""),
            until: Timestamp::from_millis(100),
        }
    }

    #[test]
    fn the_nearest_that_asks_the_same() {
        let (recent, view) = (Recent::default(), Key::of_vector("view", 0, ""));
        recent.put(view, asked(1, "What was planned for 2023?", 0.0));
        recent.put(view, asked(2, "What was planned for 2024?", 0.1));
        recent.put(view, asked(3, "What did we plan for 2024?", 0.2));
        let near = |question: &str, threshold, millis| {
            let now = Timestamp::from_millis(millis);
            recent.nearest(&view, question, &[1.0, 0.0], threshold, now)
        };
        let key = |number| Some(Key::of_vector("answer", number, ""));
        assert_eq!(near("What was the plan for 2023?", 0.9, 0), key(1));
        assert_eq!(near("What was the plan for 2024?", 0.9, 0), key(2), "not the nearer 2023");
        assert_eq!(near("What was the plan for 2024?", 0.999, 0), None);
        assert_eq!(near("What was not the plan for 2023?", 0.9, 0), None);
        assert_eq!(near("What was the plan for 2023?", 0.9, 100), None, "forgotten in time");
        let elsewhere = Key::of_vector("view", 1, "");
        let now = Timestamp::default();
        assert_eq!(recent.nearest(&elsewhere, "plan for 2023?", &[1.0, 0.0], 0.9, now), None);
        assert_eq!(recent.nearest(&view, "plan for 2023?", &[1.0], 0.9, now), None);
    }

    #[test]
    fn the_oldest_question_goes_first() {
        let (recent, view) = (Recent::default(), Key::of_vector("view", 0, ""));
        for number in 0..=MAX_QUESTIONS {
            recent.put(view, asked(number, &format!("What is {number}?"), 0.0));
        }
        let near = |question: &str| {
            recent.nearest(&view, question, &[1.0, 0.0], 0.9, Timestamp::default()).is_some()
        };
        assert!(!near("What is 0?") && near("What is 1?"));
    }
}
