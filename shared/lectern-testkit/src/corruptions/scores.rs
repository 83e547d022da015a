//! Precision, recall and F1 of telling corrupted sentences from true ones.

use std::collections::BTreeMap;

use super::Kind;

/// How many of each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Corrupted and reported.
    pub caught: usize,
    /// Corrupted and not reported.
    pub missed: usize,
    /// True and reported.
    pub accused: usize,
    /// True and not reported.
    pub passed: usize,
}

impl Counts {
    /// Returns the share of reported sentences that are corrupted.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.caught, self.accused)
    }

    /// Returns the share of corrupted sentences that are reported.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.caught, self.missed)
    }

    /// Returns the harmonic mean of precision and recall in finding corrupted sentences.
    #[must_use]
    pub fn f1(&self) -> f64 {
        harmonic(self.precision(), self.recall())
    }

    /// Returns the harmonic mean of precision and recall in finding true sentences.
    #[must_use]
    pub fn f1_of_true(&self) -> f64 {
        harmonic(share(self.passed, self.missed), share(self.passed, self.accused))
    }

    /// Returns how many corrupted sentences there are.
    #[must_use]
    pub fn corrupted(&self) -> usize {
        self.caught + self.missed
    }

    fn add(&mut self, is_corrupted: bool, is_reported: bool) {
        match (is_corrupted, is_reported) {
            (true, true) => self.caught += 1,
            (true, false) => self.missed += 1,
            (false, true) => self.accused += 1,
            (false, false) => self.passed += 1,
        }
    }
}

fn share(part: usize, rest: usize) -> f64 {
    if part == 0 { 0.0 } else { part as f64 / (part + rest) as f64 }
}

fn harmonic(one: f64, other: f64) -> f64 {
    if one + other == 0.0 { 0.0 } else { 2.0 * one * other / (one + other) }
}

/// Outcomes by kind and language. True sentences count for the kind of their corrupted twins.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    counts: BTreeMap<(Kind, String), Counts>,
}

impl Scores {
    /// Adds an outcome; `twin` is the kind of corruption the pair is about.
    pub fn add(&mut self, twin: Kind, language: &str, is_corrupted: bool, is_reported: bool) {
        self.counts.entry((twin, language.to_owned())).or_default().add(is_corrupted, is_reported);
    }

    /// Returns the sum over the given kinds and languages; `None` is all.
    #[must_use]
    pub fn sum(&self, kind: Option<Kind>, language: Option<&str>) -> Counts {
        let mut sum = Counts::default();
        for ((of_kind, of_language), counts) in &self.counts {
            if kind.is_none_or(|kind| kind == *of_kind)
                && language.is_none_or(|language| language == of_language)
            {
                sum.caught += counts.caught;
                sum.missed += counts.missed;
                sum.accused += counts.accused;
                sum.passed += counts.passed;
            }
        }
        sum
    }

    /// Returns a Markdown table: a line a kind, then a line a language, then F1 by kind and language.
    #[must_use]
    pub fn table(&self) -> String {
        let mut languages: Vec<&str> =
            self.counts.keys().map(|(_, language)| language.as_str()).collect();
        languages.sort_unstable();
        languages.dedup();
        let line = |name: &str, counts: Counts| {
            format!(
                "| {name} | {} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
                counts.corrupted(),
                counts.precision(),
                counts.recall(),
                counts.f1(),
                counts.f1_of_true()
            )
        };
        let head = |what: &str| {
            format!(
                "| {what} | pairs | precision | recall | F1 corrupted | F1 true |\n|---|---|---|---|---|---|\n"
            )
        };
        let mut table = head("kind");
        for kind in Kind::CORRUPTIONS {
            table += &line(&format!("{kind:?}"), self.sum(Some(kind), None));
        }
        table += &line("all", self.sum(None, None));
        table += &format!("\n{}", head("language"));
        for language in &languages {
            table += &line(language, self.sum(None, Some(language)));
        }
        table += "\n| kind |";
        languages.iter().for_each(|language| table += &format!(" {language} |"));
        table += &format!("\n|---|{}\n", "---|".repeat(languages.len()));
        for kind in Kind::CORRUPTIONS {
            table += &format!("| {kind:?} |");
            for language in &languages {
                let counts = self.sum(Some(kind), Some(language));
                table += &format!(" {:.3} ({}) |", counts.f1(), counts.corrupted());
            }
            table += "\n";
        }
        table
    }
}
