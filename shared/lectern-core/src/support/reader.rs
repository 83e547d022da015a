//! From a sentence to tokens that can be compared.

use super::{
    dates::{is_date, order_dates},
    lexicon::{Meaning, meaning},
    numbers::{self, Written},
    tokens::{Cue, Kind, Token, key_of},
};
use crate::analysis::{self, Lexeme};

/// A token under way, with what later words may change.
struct Draft {
    token: Token,
    values: Vec<f64>,
    is_spelled: bool,
}

/// Returns the tokens of one sentence of `language`.
pub(super) fn tokens(sentence: &str, language: &str) -> Vec<Token> {
    let lexemes = analysis::lexemes(sentence, language);
    let mut reader = Reader { sentence, language, drafts: Vec::new(), currency: None };
    let mut at = 0;
    let mut end = 0;
    while at < lexemes.len() {
        let gap = &sentence[end.min(lexemes[at].span.start)..lexemes[at].span.start];
        let taken = reader.read(gap, &lexemes[at..]);
        end = lexemes[at + taken - 1].span.end;
        at += taken;
    }
    reader.symbols(&sentence[end..]);
    reader.settle_currency();
    let mut tokens: Vec<Token> = reader.drafts.into_iter().map(|draft| draft.token).collect();
    order_dates(&mut tokens);
    if let Some(first) = tokens.first_mut() {
        first.is_first = true;
        first.opens = true;
    }
    tokens
}

struct Reader<'a> {
    sentence: &'a str,
    language: &'a str,
    drafts: Vec<Draft>,
    /// A currency sign that waits for its number.
    currency: Option<&'static str>,
}

impl Reader<'_> {
    /// Reads the word at the front of `lexemes`, which stands behind `gap`; returns how many it took.
    fn read(&mut self, gap: &str, lexemes: &[Lexeme]) -> usize {
        self.symbols(gap);
        let before = self.drafts.len();
        let lexeme = &lexemes[0];
        let surface = lexeme.span.of(self.sentence).unwrap_or_default();
        let meant = meaning(&lexeme.word, self.language);
        let taken = if surface.starts_with(|c| numbers::digit(c).is_some()) {
            self.digits(surface, lexemes)
        } else if let Some(taken) = self.chinese_numeral(lexemes) {
            taken
        } else {
            self.word(surface, gap, lexemes, meant);
            1
        };
        if gap.contains(|c: char| !c.is_whitespace() && !is_joint(c))
            && let Some(draft) = self.drafts.get_mut(before)
        {
            draft.token.opens = true;
        }
        taken
    }

    fn word(&mut self, surface: &str, gap: &str, lexemes: &[Lexeme], meant: Option<Meaning>) {
        let lexeme = &lexemes[0];
        let is_capital = surface.starts_with(char::is_uppercase);
        match meant {
            Some(Meaning::Number(value)) => self.spelled(value, gap, &lexeme.word),
            Some(Meaning::Magnitude(value)) => self.multiply(value, gap, lexeme),
            Some(Meaning::Month(month)) if self.is_month(is_capital, lexemes) => {
                self.push(Token::month(&[u32::from(month)], lexeme.word.clone()));
            }
            Some(Meaning::Unit(name)) => {
                self.push(Token::unit(name));
            }
            _ => self.plain(surface, lexeme, is_capital, meant),
        }
    }

    fn plain(&mut self, surface: &str, lexeme: &Lexeme, is_capital: bool, meant: Option<Meaning>) {
        let is_function =
            lexeme.is_function || (lexeme.is_unspaced && is_chinese_function(&lexeme.word));
        let lower = surface.to_lowercase().replace('’', "'");
        let cue = match meant {
            Some(Meaning::Negation) => Some(Cue::Denies),
            Some(Meaning::Restriction) => Some(Cue::Restricts),
            _ if lower.ends_with("n't") => Some(Cue::Denies),
            _ if self.language == "fra" && lower.starts_with("n'") => Some(Cue::Denies),
            _ => None,
        };
        let is_mixed = surface.chars().skip(1).any(|c| c.is_uppercase() || c.is_numeric());
        let is_first = self.drafts.is_empty();
        let attributes = meant == Some(Meaning::Attribution);
        let kind = if is_function || attributes || cue.is_some() {
            Kind::Function
        } else if (is_capital && !is_first) || is_mixed {
            Kind::Name
        } else {
            Kind::Word
        };
        let mut token = Token::of([key_of("word", &lexeme.term), 0], lexeme.word.clone(), kind);
        token.cue = cue;
        token.is_capital = is_capital;
        token.is_noun = is_capital && !is_mixed && self.language == "deu";
        token.is_caseless = surface.starts_with(|c: char| !c.is_uppercase() && !c.is_lowercase());
        token.is_unspaced = lexeme.is_unspaced;
        self.push(token);
    }

    /// Reads a word that begins with a digit, with the groups of three that follow it.
    fn digits(&mut self, surface: &str, lexemes: &[Lexeme]) -> usize {
        if let Some(taken) = self.date(lexemes) {
            return taken;
        }
        match numbers::read(surface) {
            Some(Written::Triple([day, month, year])) if is_date(day, month, year) => {
                self.push_date(day, month, year)
            }
            Some(Written::Number(mut values)) => {
                let grouped = groups_of_three(self.sentence, lexemes);
                let taken = grouped.as_ref().map_or(1, |(_, taken)| *taken);
                values = grouped.map_or(values, |(value, _)| vec![value]);
                let token = Token::number(&values, surface.to_lowercase());
                self.drafts.push(Draft { token, values, is_spelled: false });
                return taken;
            }
            Some(Written::Triple(_)) | None => {
                // A mixture such as `3D` is a name; so is a list of numbers without a reading.
                let mixed = Lexeme { is_function: false, ..lexemes[0].clone() };
                self.plain(surface, &mixed, true, None);
                if let Some(last) = self.drafts.last_mut() {
                    last.token.kind = Kind::Name;
                }
            }
        }
        1
    }

    /// Reads `2004-03-12` and `12/03/2004`.
    fn date(&mut self, lexemes: &[Lexeme]) -> Option<usize> {
        let parts = lexemes.get(..3)?;
        let mark = |at: usize| self.sentence.get(parts[at].span.end..parts[at + 1].span.start);
        let mark = mark(0).filter(|first| Some(*first) == mark(1))?;
        let value = |at: usize| -> Option<u32> {
            let surface = parts[at].span.of(self.sentence)?;
            surface
                .chars()
                .map(numbers::digit)
                .collect::<Option<Vec<u32>>>()
                .filter(|digits| digits.len() <= 4)?;
            surface.chars().filter_map(numbers::digit).reduce(|number, digit| number * 10 + digit)
        };
        let (first, second, third) = (value(0)?, value(1)?, value(2)?);
        match mark {
            "-" | "/" if is_date(third, second, first) => self.push_date(third, second, first),
            "-" | "/" if is_date(first, second, third) || is_date(second, first, third) => {
                self.push_date(first, second, third);
            }
            _ => return None,
        }
        Some(3)
    }

    /// Pushes a date of which day and month may stand for each other.
    fn push_date(&mut self, day: u32, month: u32, year: u32) {
        let either = day <= 12 && month <= 12;
        let (days, months) = match (either, month <= 12) {
            (true, _) => (vec![day, month], vec![month, day]),
            (false, true) => (vec![day], vec![month]),
            (false, false) => (vec![month], vec![day]),
        };
        let days: Vec<f64> = days.into_iter().map(f64::from).collect();
        self.push(Token::number(&days, day.to_string()));
        self.push(Token::month(&months, month.to_string()));
        self.push(Token::number(&[f64::from(year)], year.to_string()));
    }

    fn spelled(&mut self, value: f64, gap: &str, word: &str) {
        // `twenty-five`, `two hundred five`
        if let Some(last) = self.drafts.last_mut().filter(|last| last.is_spelled && is_inner(gap))
            && let [previous] = last.values[..]
            && ((previous % 100.0 == 0.0 && value < 100.0)
                || (previous % 10.0 == 0.0 && value < 10.0))
            && previous >= 20.0
        {
            last.values = vec![previous + value];
            last.token = Token::number(&last.values, format!("{} {word}", last.token.word));
            return;
        }
        let token = Token::number(&[value], word.to_owned());
        self.drafts.push(Draft { token, values: vec![value], is_spelled: true });
    }

    fn multiply(&mut self, value: f64, gap: &str, lexeme: &Lexeme) {
        match self.drafts.last_mut().filter(|last| !last.values.is_empty() && is_inner(gap)) {
            Some(last) => {
                last.values.iter_mut().for_each(|number| *number *= value);
                last.token =
                    Token::number(&last.values, format!("{} {}", last.token.word, lexeme.word));
            }
            // `千米` is a unit, `百` part of words: alone, a Chinese magnitude is a character.
            None if lexeme.is_unspaced => self.plain(&lexeme.word, lexeme, false, None),
            None => self.spelled(value, gap, &lexeme.word),
        }
    }

    fn chinese_numeral(&mut self, lexemes: &[Lexeme]) -> Option<usize> {
        let mut numeral = Vec::new();
        let mut end = lexemes.first()?.span.start;
        for lexeme in lexemes {
            let character = lexeme
                .word
                .chars()
                .next()
                .filter(|_| lexeme.is_unspaced && lexeme.span.start == end);
            let Some(character) = character.filter(|c| numbers::is_chinese_numeral(*c)) else {
                break;
            };
            numeral.push(character);
            end = lexeme.span.end;
        }
        let value = numbers::read_chinese(&numeral)?;
        let token = Token::number(&[value], numeral.iter().collect());
        self.drafts.push(Draft { token, values: vec![value], is_spelled: false });
        Some(numeral.len())
    }

    /// Reads the signs between words: percent and currencies.
    fn symbols(&mut self, gap: &str) {
        for character in gap.chars() {
            match character {
                '%' | '٪' | '％' => self.push(Token::unit("percent")),
                '$' => self.wait_for_number("dollar"),
                '€' => self.wait_for_number("euro"),
                '£' => self.wait_for_number("sterling"),
                '¥' | '￥' => self.wait_for_number("yen"),
                '₹' => self.wait_for_number("rupee"),
                _ => {}
            }
        }
    }

    /// `May` and `March` are months with a capital letter within a sentence, or beside a number.
    fn is_month(&self, is_capital: bool, lexemes: &[Lexeme]) -> bool {
        const AMBIGUOUS: [&str; 9] =
            ["may", "march", "mar", "jan", "sep", "dec", "oct", "mai", "mars"];
        let before = self.drafts.last().map(|draft| draft.token.kind);
        let after = lexemes.get(1).and_then(|next| next.word.chars().next());
        !AMBIGUOUS.contains(&lexemes[0].word.as_str())
            || (is_capital && before.is_some())
            || before == Some(Kind::Number)
            || after.is_some_and(|first| first.is_ascii_digit())
    }

    fn wait_for_number(&mut self, currency: &'static str) {
        self.settle_currency();
        self.currency = Some(currency);
    }

    /// Puts a currency sign behind its number, where the word for it would stand.
    fn settle_currency(&mut self) {
        if let Some(currency) = self.currency.take() {
            self.drafts.push(Draft {
                token: Token::unit(currency),
                values: Vec::new(),
                is_spelled: false,
            });
        }
    }

    fn push(&mut self, token: Token) {
        if self.drafts.last().is_some_and(|last| last.token.kind == Kind::Number) {
            self.settle_currency();
        }
        self.drafts.push(Draft { token, values: Vec::new(), is_spelled: false });
    }
}

/// Whether what stands between two words leaves them one number.
fn is_inner(gap: &str) -> bool {
    gap.chars().all(|c| c.is_whitespace() || c == '-')
}

/// Marks within words and numbers, which open no clause.
fn is_joint(character: char) -> bool {
    matches!(
        character,
        '-' | '\'' | '’' | '/' | '%' | '$' | '€' | '£' | '.' | '"' | '“' | '”' | '°' | '\u{200c}'
    )
}

/// Returns the value of `1 000 000` and how many words it takes; `None` when no group of three follows.
fn groups_of_three(sentence: &str, lexemes: &[Lexeme]) -> Option<(f64, usize)> {
    let surface = |lexeme: &Lexeme| -> Option<String> {
        let surface = lexeme.span.of(sentence)?;
        surface
            .chars()
            .map(|c| numbers::digit(c).and_then(|digit| char::from_digit(digit, 10)))
            .collect()
    };
    let mut digits = surface(&lexemes[0]).filter(|first| first.len() <= 3 && first != "0")?;
    let mut taken = 1;
    for pair in lexemes.windows(2) {
        let gap = sentence.get(pair[0].span.end..pair[1].span.start)?;
        let Some(group) = surface(&pair[1]).filter(|group| group.len() == 3) else { break };
        if !matches!(gap, " " | "\u{a0}" | "\u{202f}" | "\u{2009}") {
            break;
        }
        digits.push_str(&group);
        taken += 1;
    }
    (taken > 1).then(|| digits.parse().ok()).flatten().map(|value| (value, taken))
}

/// Characters of Chinese that say nothing by themselves.
fn is_chinese_function(character: &str) -> bool {
    "的了在是和与與及为為于於从從到由被这這那其也都而将將以之有他她它们們中上下个個等并並所因此后後时時会會可能对對把向就着地得".contains(character)
}

#[cfg(test)]
mod tests;
