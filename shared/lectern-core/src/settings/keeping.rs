//! How long documents of a collection are kept.

use serde::{Deserialize, Serialize};

use super::Wrong;

/// Most days a collection may keep documents, a hundred years.
pub const MAX_RETENTION_DAYS: u32 = 36_500;

/// How long documents are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keeping {
    /// Days after which a document is deleted whose version that answers was accepted then, 1 to [`MAX_RETENTION_DAYS`]; for
    /// good without.
    pub days: Option<u32>,
}

impl Keeping {
    pub(super) fn check(self, wrong: &mut Wrong) {
        let days = self.days.is_none_or(|days| (1..=MAX_RETENTION_DAYS).contains(&days));
        wrong.unless(days, "/retention/days", format!("must be 1 to {MAX_RETENTION_DAYS}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::settings::CollectionSettings;

    #[test]
    fn days_are_bounded() {
        let is_valid = |days: serde_json::Value| {
            let settings = json!({ "retention": { "days": days } });
            let settings: CollectionSettings = serde_json::from_value(settings).unwrap();
            settings.validate().is_ok()
        };
        assert!(is_valid(json!(null)) && is_valid(json!(1)) && is_valid(json!(36_500)));
        assert!(!is_valid(json!(0)) && !is_valid(json!(36_501)));
    }
}
