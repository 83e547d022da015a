//! Dates in one order, however they are written.

use super::tokens::{Kind, Token, number_key};

/// Whether day, month and year can be a date.
pub(super) fn is_date(day: u32, month: u32, year: u32) -> bool {
    (1..=31).contains(&day) && (1..=12).contains(&month) && (1000..=2999).contains(&year)
}

/// Brings each date to the order day, month, year, without the words between: `March 12, 2004`, `12 de marzo
/// de 2004` and `12th of March 2004` become one.
pub(super) fn order_dates(tokens: &mut Vec<Token>) {
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].kind == Kind::Month {
            at = order_date(tokens, at);
        }
        at += 1;
    }
}

/// Orders the date around the month at `at`; returns where the date ends.
fn order_date(tokens: &mut Vec<Token>, at: usize) -> usize {
    let near = |tokens: &[Token], from: usize, step: isize| -> Option<usize> {
        let one = from.checked_add_signed(step)?;
        let token = tokens.get(one)?;
        match token.kind {
            Kind::Number => Some(one),
            Kind::Function if token.cue.is_none() => {
                let two = one.checked_add_signed(step)?;
                tokens.get(two).filter(|token| token.kind == Kind::Number).map(|_| two)
            }
            _ => None,
        }
    };
    let is_day =
        |token: &Token| (1..=31).any(|day| token.keys.contains(&number_key(f64::from(day))));
    let before = near(tokens, at, -1).filter(|day| is_day(&tokens[*day]));
    let after = near(tokens, at, 1);
    let (day, year) = match (before, after) {
        (None, Some(day)) if is_day(&tokens[day]) => {
            let year =
                tokens.get(day + 1).filter(|token| token.kind == Kind::Number && !is_day(token));
            (Some(day), year.map(|_| day + 1))
        }
        (day, after) => (day, after.filter(|year| !is_day(&tokens[*year]))),
    };
    let parts: Vec<usize> = [day, Some(at), year].into_iter().flatten().collect();
    let (Some(first), Some(last)) = (parts.iter().min().copied(), parts.iter().max().copied())
    else {
        return at;
    };
    let mut date: Vec<Token> = parts.iter().map(|part| tokens[*part].clone()).collect();
    let opens = tokens[first].opens;
    date.iter_mut().for_each(|token| token.opens = false);
    if let Some(head) = date.first_mut() {
        head.opens = opens;
    }
    let length = date.len();
    tokens.splice(first..=last, date);
    first + length - 1
}
