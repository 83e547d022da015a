//! The types that are read.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A type of document that this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// Plain text in any encoding.
    #[serde(rename = "text/plain")]
    PlainText,
    /// Markdown (CommonMark with tables).
    #[serde(rename = "text/markdown")]
    Markdown,
    /// HTML and XHTML.
    #[serde(rename = "text/html")]
    Html,
    /// Delimited values, with comma, semicolon, tab or bar.
    #[serde(rename = "text/csv")]
    Csv,
    /// One JSON value.
    #[serde(rename = "application/json")]
    Json,
    /// One JSON value a line.
    #[serde(rename = "application/x-ndjson")]
    JsonLines,
    /// PDF.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// Word, Office Open XML.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    Docx,
    /// PowerPoint, Office Open XML.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.presentationml.presentation")]
    Pptx,
    /// Excel, Office Open XML.
    #[serde(rename = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    Xlsx,
    /// OpenDocument text.
    #[serde(rename = "application/vnd.oasis.opendocument.text")]
    Odt,
    /// EPUB 2 and 3.
    #[serde(rename = "application/epub+zip")]
    Epub,
}

impl MediaType {
    /// Every type that is read.
    pub const ALL: [Self; 12] = [
        Self::PlainText,
        Self::Markdown,
        Self::Html,
        Self::Csv,
        Self::Json,
        Self::JsonLines,
        Self::Pdf,
        Self::Docx,
        Self::Pptx,
        Self::Xlsx,
        Self::Odt,
        Self::Epub,
    ];

    /// Returns the registered media type (RFC 6838).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlainText => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Html => "text/html",
            Self::Csv => "text/csv",
            Self::Json => "application/json",
            Self::JsonLines => "application/x-ndjson",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pptx => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Epub => "application/epub+zip",
        }
    }

    /// Returns what people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::PlainText => "text",
            Self::Markdown => "Markdown",
            Self::Html => "HTML",
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::JsonLines => "JSON lines",
            Self::Pdf => "PDF",
            Self::Docx => "DOCX",
            Self::Pptx => "PPTX",
            Self::Xlsx => "XLSX",
            Self::Odt => "ODT",
            Self::Epub => "EPUB",
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.label())
    }
}

/// The text names no media type that is read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a supported media type")]
pub struct UnknownMediaType;

impl FromStr for MediaType {
    type Err = UnknownMediaType;

    fn from_str(raw: &str) -> Result<Self, UnknownMediaType> {
        Self::ALL.into_iter().find(|one| one.as_str() == raw).ok_or(UnknownMediaType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_serde_agrees() {
        for media_type in MediaType::ALL {
            assert_eq!(media_type.as_str().parse(), Ok(media_type));
            assert_eq!(serde_json::to_value(media_type).unwrap(), media_type.as_str());
        }
        assert_eq!("image/png".parse::<MediaType>(), Err(UnknownMediaType));
    }
}
