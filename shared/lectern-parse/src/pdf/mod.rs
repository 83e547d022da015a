//! PDF (ISO 32000): pages in order, lines in the order they are written, paragraphs and headings by
//! their geometry. Glyphs come from `pdf-extract`; everything after them is done here.

mod cmaps;
mod direction;
mod layout;
mod lines;
mod load;
mod normalise;
mod repair;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::output_doc_page;

use crate::{
    error::{Damage, ParseError, Quantity},
    limits::ParseLimits,
    media_type::MediaType,
    pdf::lines::{Line, LineCollector},
    sink::Sink,
};

/// Reads a PDF. A page that makes the library fail keeps what was read of it; only when no page
/// yields text is the document malformed.
pub(crate) fn parse(bytes: &[u8], limits: &ParseLimits, sink: &mut Sink) -> Result<(), ParseError> {
    let loaded = load::load(bytes, limits)?;
    sink.title = loaded.title;
    let mut pages: Vec<(u32, Vec<Line>)> = Vec::new();
    let mut text_bytes = 0;
    let mut has_panicked = false;
    for page in 1..=loaded.page_count {
        let mut collector = LineCollector::new(limits.max_text_bytes);
        // The library asserts what malformed pages break; its state is dropped with the page.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            output_doc_page(&loaded.document, &mut collector, page)
        }));
        has_panicked |= outcome.is_err();
        let lines = collector.finish();
        text_bytes += lines.iter().map(|line| line.text.len() as u64).sum::<u64>();
        if text_bytes > limits.max_text_bytes {
            let allowed = limits.max_text_bytes;
            return Err(ParseError::TooLarge { what: Quantity::TextBytes, allowed });
        }
        pages.push((page, lines));
    }
    layout::write(pages, sink)?;
    match () {
        () if sink.len() > 0 => Ok(()),
        () if loaded.was_encrypted => {
            Err(ParseError::Encrypted { media_type: MediaType::Pdf.label().into() })
        }
        () if has_panicked => Err(ParseError::malformed(MediaType::Pdf, Damage::Panic)),
        () => Err(ParseError::NoText { media_type: MediaType::Pdf }),
    }
}
