//! What of a collection is kept from whom.

use serde::{Deserialize, Serialize};

use crate::{passage::Passage, personal::Kinds};

/// What becomes of content that nobody should act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Safety {
    /// What becomes of passages that carry instructions to whoever answers from them.
    pub hostile: Hostile,
    /// How certain that must be, in percent. Lower finds more attacks, and takes more texts about assistants for some.
    pub hostile_from: u8,
    /// Personal data that nobody is shown.
    pub redact: Kinds,
    /// From when on it is covered.
    pub redact_at: RedactAt,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            hostile: Hostile::default(),
            hostile_from: 80,
            redact: Kinds::NONE,
            redact_at: RedactAt::default(),
        }
    }
}

impl Safety {
    /// Returns the certainty, in percent, from which passages are kept from answers and searches; `None` where all are given.
    #[must_use]
    pub fn withheld_from(self) -> Option<u8> {
        (self.hostile == Hostile::Withhold).then_some(self.hostile_from)
    }

    /// Whether a passage is kept from answers and searches.
    #[must_use]
    pub fn withholds(self, passage: &Passage) -> bool {
        self.withheld_from().is_some_and(|from| passage.is_hostile(from))
    }

    /// Returns the personal data that is covered before a document is stored; none where only answers lack it.
    #[must_use]
    pub fn redact_at_ingestion(self) -> Kinds {
        match self.redact_at {
            RedactAt::Ingestion => self.redact,
            RedactAt::Answer => Kinds::NONE,
        }
    }
}

/// From when on personal data is covered. Whoever asks is never shown it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedactAt {
    /// Before a document's text is stored: neither the index nor a backup has it.
    Ingestion,
    /// Before a passage is shown, to a model or to whoever asks: what is stored stays whole.
    #[default]
    Answer,
}

/// What the audit log keeps of the collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auditing {
    /// Whether it keeps the text of questions, not only their hashes.
    pub questions: bool,
}

/// What becomes of passages that carry instructions to whoever answers from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hostile {
    /// They are found, and marked.
    #[default]
    Mark,
    /// They are not found: no answer is made from them, and no search returns them.
    Withhold,
}
