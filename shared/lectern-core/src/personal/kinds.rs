//! A set of kinds.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

use super::Kind;

/// A set of kinds of personal data; a list of their names in JSON, none twice.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// Whether no kind is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// Whether `kind` is in it.
    #[must_use]
    pub fn contains(self, kind: Kind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    /// Returns the kinds in it, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }

    fn bit(kind: Kind) -> u8 {
        1 << kind as u8
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | Self::bit(kind)))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Kinds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List)
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Kinds;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Kind::ALL.map(|kind| format!("`{}`", kind.name()));
        write!(formatter, "a list of {}", names.join(", "))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kinds, A::Error> {
        let mut kinds = Kinds::NONE;
        while let Some(kind) = list.next_element::<Kind>()? {
            if kinds.contains(kind) {
                return Err(A::Error::custom(format_args!("names `{}` twice", kind.name())));
            }
            kinds.0 |= Kinds::bit(kind);
        }
        Ok(kinds)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_is_a_list_in_json() {
        let kinds: Kinds = serde_json::from_value(json!(["phone", "email"])).unwrap();
        assert_eq!(kinds, [Kind::Email, Kind::Phone].into_iter().collect());
        assert_eq!(serde_json::to_value(kinds).unwrap(), json!(["email", "phone"]));
        assert_eq!(format!("{kinds:?}"), "{Email, Phone}");
        assert!(kinds.contains(Kind::Phone) && !kinds.contains(Kind::Card) && !kinds.is_empty());
        assert!(serde_json::from_value::<Kinds>(json!([])).unwrap().is_empty());
        let all: Kinds = Kind::ALL.into_iter().collect();
        assert_eq!(all.iter().collect::<Vec<_>>(), Kind::ALL);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for (wrong, says) in [
            (json!(["email", "email"]), "names `email` twice"),
            (json!(["emails"]), "unknown variant `emails`"),
            (json!("email"), "a list of `email`"),
            (json!({"email": true}), "a list of `email`"),
        ] {
            let error = serde_json::from_value::<Kinds>(wrong.clone()).unwrap_err().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
