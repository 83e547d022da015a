//! What the page says, by language.

use lectern_app::{health::Status, status::Level};

/// The words of a language.
pub(super) struct Words {
    /// Its tag (BCP 47).
    pub(super) tag: &'static str,
    /// How it is written.
    pub(super) direction: &'static str,
    pub(super) title: &'static str,
    pub(super) languages: &'static str,
    pub(super) now: &'static str,
    pub(super) part: &'static str,
    pub(super) state: &'static str,
    pub(super) took: &'static str,
    pub(super) promises: &'static str,
    pub(super) promise: &'static str,
    pub(super) since: &'static str,
    pub(super) hour: &'static str,
    pub(super) day: &'static str,
    pub(super) month: &'static str,
    pub(super) budget: &'static str,
    pub(super) nothing: &'static str,
    pub(super) unknown: &'static str,
    overall: [&'static str; 3],
    states: [&'static str; 3],
    dependencies: &'static [(&'static str, &'static str)],
    levels: &'static [(&'static str, &'static str)],
}

impl Words {
    pub(super) fn overall(&self, status: Status) -> &'static str {
        self.overall[status as usize]
    }

    pub(super) fn state_of(&self, status: Status) -> &'static str {
        self.states[status as usize]
    }

    /// Returns a dependency's name, its own where there is no word.
    pub(super) fn dependency(&self, name: &'static str) -> &'static str {
        self.dependencies.iter().find(|(known, _)| *known == name).map_or(name, |(_, word)| word)
    }

    /// Returns what a level promises.
    pub(super) fn promise_of(&self, level: &Level) -> &'static str {
        let known = self.levels.iter().find(|(known, _)| *known == level.name);
        known.map_or(level.promise, |(_, words)| words)
    }
}

pub(super) static ENGLISH: Words = Words {
    tag: "en",
    direction: "ltr",
    title: "Lectern status",
    languages: "Languages",
    now: "Now",
    part: "Part",
    state: "State",
    took: "Answered in",
    promises: "Promises",
    promise: "Promise",
    since: "Counted since",
    hour: "Last hour",
    day: "Last day",
    month: "Last 30 days",
    budget: "Error budget left",
    nothing: "nothing happened",
    unknown: "How promises were kept cannot be read now.",
    overall: [
        "Everything works",
        "Questions are answered, with restrictions",
        "No questions can be answered now",
    ],
    states: ["works", "restricted", "does not work"],
    dependencies: &[
        ("table", "Records"),
        ("index", "Search index"),
        ("blobs", "Files"),
        ("queue", "Queue"),
        ("secrets", "Secrets"),
        ("embedder", "Embedding model"),
        ("chat", "Chat model"),
        ("ingestion", "New documents"),
        ("backups", "Backups"),
    ],
    levels: &[],
};

pub(super) static URDU: Words = Words {
    tag: "ur",
    direction: "rtl",
    title: "لیکٹرن کی حالت",
    languages: "زبانیں",
    now: "اس وقت",
    part: "حصہ",
    state: "حالت",
    took: "جواب کا وقت",
    promises: "وعدے",
    promise: "وعدہ",
    since: "گنتی کا آغاز",
    hour: "پچھلا گھنٹہ",
    day: "پچھلا دن",
    month: "پچھلے 30 دن",
    budget: "غلطی کی باقی گنجائش",
    nothing: "کچھ نہیں ہوا",
    unknown: "وعدوں کا حساب اس وقت پڑھا نہیں جا سکتا۔",
    overall: [
        "سب کچھ کام کر رہا ہے",
        "سوالوں کے جواب مل رہے ہیں، کچھ کمی کے ساتھ",
        "اس وقت کسی سوال کا جواب نہیں مل سکتا",
    ],
    states: ["کام کر رہا ہے", "کمی کے ساتھ", "کام نہیں کر رہا"],
    dependencies: &[
        ("table", "ریکارڈ"),
        ("index", "تلاش کا اشاریہ"),
        ("blobs", "فائلیں"),
        ("queue", "قطار"),
        ("secrets", "خفیہ کلیدیں"),
        ("embedder", "ایمبیڈنگ ماڈل"),
        ("chat", "چیٹ ماڈل"),
        ("ingestion", "نئی دستاویزات"),
        ("backups", "بیک اپ"),
    ],
    levels: &[
        ("availability", "99.5 فیصد درخواستوں کا جواب سرور کی غلطی کے بغیر"),
        ("first_token", "95 فیصد جواب 3 سیکنڈ میں شروع"),
        ("answer", "95 فیصد جواب 6 سیکنڈ میں مکمل"),
        ("retrieval", "95 فیصد تلاشیں 500 ملی سیکنڈ میں"),
        ("generation", "ماڈل کے 95 فیصد جواب 5 سیکنڈ میں"),
        ("document_time", "95 فیصد دستاویزات 5 منٹ میں تیار"),
        ("document_success", "98 فیصد دستاویزات کامیابی سے تیار"),
        ("cost", "95 فیصد سوالوں کی لاگت زیادہ سے زیادہ 0.01 ڈالر"),
    ],
};

#[cfg(test)]
mod tests {
    use lectern_telemetry::levels;

    use super::*;

    #[test]
    fn every_promise_has_urdu_words() {
        let known: Vec<&str> = URDU.levels.iter().map(|(name, _)| *name).collect();
        let wanted: Vec<&str> = levels::ALL.iter().map(|level| level.name).collect();
        assert_eq!(known, wanted);
    }
}
