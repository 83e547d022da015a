//! Identifiers, parsed once at the door. A value that exists is valid.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::time::Timestamp;

/// Longest tenant or collection name in bytes.
pub const MAX_SLUG_BYTES: usize = 64;

/// Why a string is not an identifier.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum IdError {
    /// Not 26 characters of Crockford base 32.
    #[error("must be a 26-character ULID")]
    NotUlid,
    /// Not a slug.
    #[error(
        "must be 1 to {MAX_SLUG_BYTES} characters of a-z, 0-9, `-` and `_`, starting with a letter or digit"
    )]
    NotSlug,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(raw: &str) -> Result<Self, IdError> {
                $check(raw).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(raw: String) -> Result<Self, IdError> {
                raw.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        id!($(#[$doc])* $name, parse_ulid);

        impl $name {
            /// Returns a new identifier, sortable by `now`, from 80 bits of `entropy`.
            #[must_use]
            pub fn new(now: Timestamp, entropy: u128) -> Self {
                Self(ulid::Ulid::from_parts(now.as_millis(), entropy).to_string())
            }

            /// Returns when it was made.
            #[must_use]
            pub fn made_at(&self) -> Timestamp {
                let id: Result<ulid::Ulid, _> = self.0.parse();
                Timestamp::from_millis(id.map_or(0, |id| id.timestamp_ms()))
            }
        }
    };
}

ulid_id!(
    /// A document, the same through all its versions.
    DocumentId
);
ulid_id!(
    /// One question and its answer.
    QueryId
);
ulid_id!(
    /// A conversation.
    SessionId
);
ulid_id!(
    /// The public half of an API key.
    KeyId
);
ulid_id!(
    /// A file on its way into the store.
    UploadId
);
ulid_id!(
    /// The part of the audit log that one process writes.
    StreamId
);
id!(
    /// Who owns the data. Comes from a verified credential only.
    ///
    /// A tenant that was restored from a backup has its data in another *incarnation*, `acme.2`: a place of its own in
    /// table, index and store, so that it is complete before anybody is switched to it. What belongs to the account
    /// rather than to the data (keys, spending, backups) is kept under [`TenantId::account`].
    TenantId,
    parse_tenant
);
ulid_id!(
    /// A backup. The order of ids is the order in which backups began.
    BackupId
);
ulid_id!(
    /// A restoration of a tenant from a backup.
    RestoreId
);
id!(
    /// A set of documents that are asked together.
    CollectionId,
    parse_slug
);
id!(
    /// An experiment of a collection.
    ExperimentName,
    parse_slug
);
id!(
    /// A variant of an experiment.
    VariantName,
    parse_slug
);

impl KeyId {
    /// Returns the identity of a subject of a token's issuer, the same each time: what a key is to a program, a person is to
    /// limits, spending and the audit. 128 bits of SHA-256, which nobody can choose to be those of a key.
    #[must_use]
    pub fn of_subject(issuer: &str, tenant: &str, subject: &str) -> Self {
        let mut digest = Sha256::new();
        for part in [issuer, tenant, subject] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        Self(ulid::Ulid::from_bytes(*first).to_string())
    }
}

impl CollectionId {
    /// Returns the collection used when a request names none: `default`.
    #[must_use]
    pub fn default_collection() -> Self {
        Self("default".to_owned())
    }
}

/// Between the name of a tenant and the number of its incarnation; no slug has it.
const INCARNATION: char = '.';

impl TenantId {
    /// Returns the tenant as people and credentials name it, whatever incarnation this is.
    #[must_use]
    pub fn account(&self) -> Self {
        Self(self.name().to_owned())
    }

    /// Returns the number of the incarnation, 0 for the first.
    #[must_use]
    pub fn incarnation(&self) -> u32 {
        let suffix = self.0.split_once(INCARNATION).map(|(_, number)| number);
        suffix.and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// Returns another incarnation of the same tenant.
    #[must_use]
    pub fn in_incarnation(&self, number: u32) -> Self {
        match number {
            0 => self.account(),
            number => Self(format!("{}{INCARNATION}{number}", self.name())),
        }
    }

    fn name(&self) -> &str {
        self.0.split_once(INCARNATION).map_or(&*self.0, |(name, _)| name)
    }
}

fn parse_tenant(raw: &str) -> Result<String, IdError> {
    let Some((name, number)) = raw.split_once(INCARNATION) else { return parse_slug(raw) };
    parse_slug(name)?;
    match number.parse::<u32>() {
        // Two spellings of one incarnation would be two places.
        Ok(parsed) if parsed > 0 && parsed.to_string() == number => Ok(raw.to_owned()),
        _ => Err(IdError::NotSlug),
    }
}

fn parse_ulid(raw: &str) -> Result<String, IdError> {
    let id: ulid::Ulid = raw.parse().map_err(|_| IdError::NotUlid)?;
    Ok(id.to_string())
}

fn parse_slug(raw: &str) -> Result<String, IdError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let starts_well = raw.bytes().next().is_some_and(allowed);
    let rest_is_well = raw.bytes().all(|byte| allowed(byte) || byte == b'-' || byte == b'_');
    if starts_well && rest_is_well && raw.len() <= MAX_SLUG_BYTES {
        Ok(raw.to_owned())
    } else {
        Err(IdError::NotSlug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ulid_sorts_by_time_and_reads_back() {
        let early = DocumentId::new(Timestamp::from_millis(1_000), 7);
        let late = DocumentId::new(Timestamp::from_millis(2_000), 3);
        assert!(early < late);
        assert_eq!(early.as_str().parse(), Ok(early));
    }

    #[test]
    fn slugs_are_bounded_and_plain() {
        assert!("a".repeat(MAX_SLUG_BYTES).parse::<TenantId>().is_ok());
        for bad in ["", "-a", "A", "a b", "a#b", "ü", &"a".repeat(MAX_SLUG_BYTES + 1)] {
            assert_eq!(bad.parse::<TenantId>(), Err(IdError::NotSlug), "{bad}");
        }
    }

    #[test]
    fn incarnations_of_a_tenant_are_places_of_one_account() {
        let acme: TenantId = "acme".parse().unwrap();
        let second = acme.in_incarnation(2);
        assert_eq!((second.as_str(), second.incarnation(), second.account()), ("acme.2", 2, acme));
        assert_eq!("acme.2".parse(), Ok(second.clone()));
        assert_eq!(second.in_incarnation(0).as_str(), "acme");
        assert_eq!(second.in_incarnation(13).as_str(), "acme.13");
        for bad in ["acme.", "acme.0", "acme.02", "acme.+2", "acme.x", ".2", "acme.2.3"] {
            assert_eq!(bad.parse::<TenantId>(), Err(IdError::NotSlug), "{bad}");
        }
        assert!("a.2".parse::<CollectionId>().is_err());
    }

    #[test]
    fn json_is_parsed_not_trusted() {
        assert!(serde_json::from_str::<CollectionId>("\"../etc\"").is_err());
        assert!(serde_json::from_str::<DocumentId>("\"nope\"").is_err());
    }
}
