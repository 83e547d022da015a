//! Digests of states: what stands in the lines, in whatever order and parts.
//!
//! The digest of a state is the sum, modulo 2^256, of the SHA-256 of its lines (an additive multiset hash: Bellare and
//! Micciancio, *A New Paradigm for Collision-Free Hashing*, EUROCRYPT 1997). It says whether two states are equal when
//! nobody tries to make them look so; that no byte of a backup was changed is what the hashes of its parts are for.

use std::{
    ops::{AddAssign, SubAssign},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::records::Kind;

const BYTES: usize = 32;

/// The digest of a line, or the sum of those of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LineDigest([u8; BYTES]);

impl LineDigest {
    /// Returns the digest of a line without its line feed.
    pub(super) fn of(kind: Kind, line: &[u8]) -> Self {
        let mut digest = Sha256::new();
        digest.update([kind as u8]);
        digest.update(line);
        Self(digest.finalize().into())
    }

    /// Returns the digest of a line that is not written.
    pub(super) fn of_line<T: Serialize>(kind: Kind, line: &T) -> Self {
        Self::of(kind, &serde_json::to_vec(line).expect("lines have string keys"))
    }

    pub(super) fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl AddAssign for LineDigest {
    fn add_assign(&mut self, other: Self) {
        let mut carry = 0;
        for (byte, added) in self.0.iter_mut().zip(other.0) {
            let sum = u16::from(*byte) + u16::from(added) + carry;
            [*byte, _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
    }
}

impl SubAssign for LineDigest {
    fn sub_assign(&mut self, other: Self) {
        let mut borrow = 0;
        for (byte, taken) in self.0.iter_mut().zip(other.0) {
            let difference = i16::from(*byte) - i16::from(taken) - borrow;
            borrow = i16::from(difference < 0);
            [*byte, _] = difference.to_le_bytes();
        }
    }
}

impl FromStr for LineDigest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; BYTES];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for LineDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for LineDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(lines: &[&str]) -> LineDigest {
        let mut sum = LineDigest::default();
        for line in lines {
            sum += LineDigest::of(Kind::Text, line.as_bytes());
        }
        sum
    }

    #[test]
    fn a_sum_knows_lines_and_how_often_but_no_order() {
        assert_eq!(sum(&["a", "b", "c"]), sum(&["c", "a", "b"]));
        assert_ne!(sum(&["a", "b"]), sum(&["a", "b", "b"]));
        assert_ne!(sum(&["a", "b"]), sum(&["ab"]));
        assert_ne!(LineDigest::of(Kind::Text, b"a"), LineDigest::of(Kind::Passage, b"a"));
    }

    #[test]
    fn addition_carries_through_all_bytes() {
        let mut all_ones = LineDigest([0xff; BYTES]);
        let mut one = LineDigest::default();
        one.0[0] = 1;
        all_ones += one;
        assert_eq!(all_ones, LineDigest::default());
        one -= LineDigest([0xff; BYTES]);
        let mut two = LineDigest::default();
        two.0[0] = 2;
        assert_eq!(one, two, "subtraction borrows through all bytes");
        let mut rest = sum(&["a", "b", "c"]);
        rest -= sum(&["b"]);
        assert_eq!(rest, sum(&["a", "c"]));
        assert_eq!(rest.to_hex().parse(), Ok(rest));
        let json = serde_json::to_string(&sum(&["a"])).unwrap();
        assert_eq!(serde_json::from_str::<LineDigest>(&json).unwrap(), sum(&["a"]));
    }
}
