//! Why a document could not be read, in words its writer can act on.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::media_type::MediaType;

/// Whether handing the same bytes in again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The document itself is the reason: every try ends the same.
    Permanent,
    /// Load or an accident may be the reason: a later try may succeed.
    Retryable,
}

/// Where a malformed document is broken. Closed, so that no document text gets into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// The ZIP container, or a part in it, cannot be read.
    #[error("its container is damaged or cut off")]
    Container,
    /// The format's own structure is broken.
    #[error("its structure is damaged or cut off")]
    Structure,
    /// A part that the format requires is not there.
    #[error("a required part is missing")]
    MissingPart,
    /// A third-party parser panicked over it; the panic was caught.
    #[error("it makes the parser fail")]
    Panic,
}

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum ParseError {
    /// Opening needs a password.
    #[error("the {media_type} file is encrypted; remove the password and upload it again")]
    Encrypted {
        /// What it is, as far as the bytes tell.
        media_type: String,
    },
    /// The bytes are of a type that is not read.
    #[error(
        "files of type {found} are not supported; upload PDF, DOCX, PPTX, XLSX, ODT, EPUB, HTML, Markdown, CSV, JSON or plain text"
    )]
    UnsupportedMediaType {
        /// What was found, as a media type where one is known.
        found: String,
    },
    /// Well-formed, but without any text.
    #[error(
        "no text layer in the {media_type}: this looks like a scan or images only; run OCR first"
    )]
    NoText {
        /// What it is.
        media_type: MediaType,
    },
    /// Not what its type demands.
    #[error(
        "the {media_type} file cannot be read: {damage}; save it again with the program that made it"
    )]
    Malformed {
        /// What it claims to be.
        media_type: MediaType,
        /// What is wrong.
        damage: Damage,
    },
    /// More pages, slides or sheets than allowed.
    #[error("{found} pages are more than the {allowed} allowed; split the file")]
    TooManyPages {
        /// Pages in the document.
        found: u64,
        /// [`crate::ParseLimits::max_pages`].
        allowed: u32,
    },
    /// More bytes, text or blocks than allowed.
    #[error("the document has more than the {allowed} {what} allowed; split it")]
    TooLarge {
        /// What there is too much of.
        what: Quantity,
        /// The bound.
        allowed: u64,
    },
    /// A container that expands beyond the bound.
    #[error("the file expands to more than {allowed} bytes; it is refused as a decompression bomb")]
    Expansion {
        /// [`crate::ParseLimits::max_expanded_bytes`].
        allowed: u64,
    },
    /// Parsing took longer than allowed.
    #[error("reading the document took longer than {allowed_ms} ms; try again, then split it")]
    Timeout {
        /// The bound that was passed, in milliseconds.
        allowed_ms: u64,
    },
    /// Parsing needed more memory than allowed.
    #[error(
        "reading the document takes more than {allowed} bytes of memory; split it or simplify it"
    )]
    Memory {
        /// [`crate::ParseLimits::memory_bytes`].
        allowed: u64,
    },
    /// There are no bytes, or nothing but white space.
    #[error("the document is empty")]
    Empty,
    /// The parsing process died or could not be started.
    #[error("the parser process failed: {how}")]
    Crashed {
        /// How, without document text: `signal 11`, `exit status 2`, `spawn: not found`.
        how: String,
    },
}

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Bytes of input.
    #[error("bytes")]
    Bytes,
    /// Bytes of extracted text.
    #[error("bytes of text")]
    TextBytes,
    /// Blocks.
    #[error("paragraphs and table rows")]
    Blocks,
}

impl ParseError {
    /// Returns the stable word programs branch on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encrypted { .. } => "encrypted",
            Self::UnsupportedMediaType { .. } => "unsupported_media_type",
            Self::NoText { .. } => "no_text",
            Self::Malformed { .. } => "malformed",
            Self::TooManyPages { .. } => "too_many_pages",
            Self::TooLarge { .. } => "too_large",
            Self::Expansion { .. } => "expansion",
            Self::Timeout { .. } => "timeout",
            Self::Memory { .. } => "memory",
            Self::Empty => "empty",
            Self::Crashed { .. } => "crashed",
        }
    }

    /// Returns whether a later try with the same bytes may succeed.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Timeout { .. } | Self::Crashed { .. } => FailureKind::Retryable,
            _ => FailureKind::Permanent,
        }
    }

    /// Returns the error of a type that is not read.
    pub(crate) fn unsupported(found: impl Into<String>) -> Self {
        Self::UnsupportedMediaType { found: found.into() }
    }

    /// Returns the error of a document that breaks its format's rules.
    pub(crate) fn malformed(media_type: MediaType, damage: Damage) -> Self {
        Self::Malformed { media_type, damage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crosses_the_process_boundary_and_names_its_code() {
        let errors = [
            ParseError::Encrypted { media_type: "PDF".into() },
            ParseError::NoText { media_type: MediaType::Pdf },
            ParseError::malformed(MediaType::Docx, Damage::Container),
            ParseError::Timeout { allowed_ms: 5 },
            ParseError::Empty,
        ];
        for error in errors {
            let json = serde_json::to_value(&error).unwrap();
            assert_eq!(json["code"], error.code());
            assert_eq!(serde_json::from_value::<ParseError>(json).unwrap(), error);
        }
        assert_eq!(ParseError::Timeout { allowed_ms: 5 }.kind(), FailureKind::Retryable);
        assert_eq!(ParseError::Empty.kind(), FailureKind::Permanent);
    }
}
