//! Where a command's words go: results to standard output, notes and progress to standard error.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write},
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// A command's standard output and error. Shared by the tasks of one command.
pub(crate) struct Output {
    // A std mutex: a line is written without awaiting anything.
    out: Mutex<Box<dyn Write + Send>>,
    json: bool,
    quiet: bool,
    terminal: bool,
}

impl Output {
    /// Returns the process's own.
    pub(crate) fn standard(json: bool, quiet: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        Self { out: Mutex::new(Box::new(io::stdout())), json, quiet, terminal }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person watches the results appear.
    pub(crate) fn is_live(&self) -> bool {
        self.terminal && !self.json
    }

    /// Prints a line of text.
    ///
    /// # Errors
    /// When standard output refuses; a closed pipe too.
    pub(crate) fn line(&self, text: impl Display) -> io::Result<()> {
        self.write(format_args!("{text}\n"))
    }

    /// Prints text as it is, at once.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub(crate) fn write(&self, text: impl Display) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        write!(out, "{text}")?;
        out.flush()
    }

    /// Prints one JSON value on a line of its own.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        self.line(serde_json::to_string(value)?)
    }

    /// Tells a person something that is no result; nothing when quiet or JSON.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet && !self.json {
            self.complain(text);
        }
    }

    /// Tells a person what went wrong.
    pub(crate) fn complain(&self, text: impl Display) {
        // Nobody is left to hear that standard error is closed.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Returns a progress bar on standard error, hidden when quiet, JSON or not a terminal.
    pub(crate) fn progress(&self, total: u64, template: &str) -> ProgressBar {
        if self.quiet || self.json {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template);
        let style = style.expect("templates are written in this program");
        ProgressBar::new(total).with_style(style)
    }
}

#[cfg(test)]
impl Output {
    /// Returns an output whose results can be read with the returned handle.
    pub(crate) fn captured(json: bool) -> (Self, std::sync::Arc<Mutex<Vec<u8>>>) {
        struct Shared(std::sync::Arc<Mutex<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let written = std::sync::Arc::new(Mutex::new(Vec::new()));
        let out: Box<dyn Write + Send> = Box::new(Shared(std::sync::Arc::clone(&written)));
        (Self { out: Mutex::new(out), json, quiet: true, terminal: false }, written)
    }

    /// As if a person watched.
    pub(crate) fn live(mut self) -> Self {
        self.terminal = true;
        self
    }
}

/// Returns text from a document or a server so that it can do nothing to a terminal: control characters
/// other than line breaks and tabs become `�`.
pub(crate) fn harmless(text: &str) -> String {
    let tame = |character: char| match character {
        '\n' | '\t' => character,
        // Bidirectional overrides can make a line read as another one (Unicode Technical Report 36).
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other if other.is_control() => '\u{fffd}',
        other => other,
    };
    text.chars().map(tame).collect()
}

/// Returns text on one line, white space collapsed, at most `limit` characters, `…` where it was cut.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = harmless(&words.join(" "));
    if line.chars().count() <= limit {
        return line;
    }
    let kept: String = line.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_cannot_speak_to_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\n");
        assert_eq!(harmless("اردو é 漢"), "اردو é 漢");
    }

    #[test]
    fn long_text_is_cut_at_the_limit() {
        assert_eq!(one_line(" a\n b\tc ", 5), "a b c");
        assert_eq!(one_line("abcdef", 5), "abcd…");
        assert_eq!(one_line("漢字漢字", 3), "漢字…");
    }

    #[test]
    fn json_is_one_value_a_line() {
        let (output, written) = Output::captured(true);
        output.json(&serde_json::json!({"a": "x\ny"})).unwrap();
        output.json(&1).unwrap();
        assert_eq!(written.lock().unwrap().as_slice(), b"{\"a\":\"x\\ny\"}\n1\n");
    }
}
