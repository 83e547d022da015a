//! How a true sentence becomes a false one.

use super::{
    Kind, Source,
    dice::Dice,
    paraphrase::digit_runs,
    surroundings::Surroundings,
    words::{Words, words_of},
};

/// Corrupts `sentence` of passage `at`; returns the sentence and the passage it goes with. `None` when that kind
/// of corruption cannot be made of it.
pub(super) fn corrupted(
    kind: Kind,
    sentence: &str,
    at: usize,
    sources: &[Source],
    surroundings: &Surroundings,
    dice: &mut Dice,
) -> Option<(String, usize)> {
    let source = &sources[at];
    let words = words_of(&source.language);
    let made = match kind {
        Kind::True => sentence.to_owned(),
        Kind::Number => change_number(sentence, &source.text, words, dice)?,
        Kind::Date => change_date(sentence, &source.text, words, dice)?,
        Kind::Unit => change_unit(sentence, words, dice)?,
        Kind::Name => change_name(sentence, at, source, surroundings, dice)?,
        Kind::NegationAdded => exchange(sentence, words.denials, words, dice)?,
        Kind::NegationRemoved => remove_denial(sentence, words, dice)?,
        Kind::Passage => return other_passage(sentence, at, sources, surroundings, dice),
        Kind::Addition => add_clause(sentence, at, sources, surroundings, dice)?,
    };
    (made != sentence).then_some((made, at))
}

/// Whether a run of digits is a year.
fn is_year(number: &str) -> bool {
    number.len() == 4 && number.parse::<u32>().is_ok_and(|year| (1000..2100).contains(&year))
}

fn change_number(sentence: &str, passage: &str, words: &Words, dice: &mut Dice) -> Option<String> {
    let spelled: Vec<&str> = words.numbers.iter().map(|(word, _)| *word).collect();
    let present: Vec<&str> =
        spelled.iter().copied().filter(|word| contains_word(sentence, word, words)).collect();
    let runs = digit_runs(sentence);
    if words.language != "cmn"
        && let Some(from) =
            dice.pick(&present).filter(|_| runs.is_empty() || dice.clone().chance(0.3))
    {
        let others: Vec<&&str> = spelled.iter().filter(|word| *word != from).collect();
        let to = dice.pick(&others)?;
        return Some(replace_word(sentence, from, to, words));
    }
    if let Some(exchanged) =
        dice.chance(0.2).then(|| exchange_places(sentence, &runs, words, dice)).flatten()
    {
        return Some(exchanged);
    }
    let (start, end) = *dice.pick(&runs)?;
    let old = &sentence[start..end];
    let of_text = |text: &str| -> Vec<String> {
        digit_runs(text)
            .into_iter()
            .map(|(start, end)| text[start..end].to_owned())
            .filter(|number| same_value(number) != same_value(old))
            .collect()
    };
    let new = match dice.below(4) {
        0 => dice.pick(&of_text(sentence)).cloned(),
        1 => dice.pick(&of_text(passage)).cloned(),
        2 if old.len() < 4 => Some(format!("{old}0")),
        _ => None,
    };
    let new = new.unwrap_or_else(|| other_digits(old, dice));
    Some(format!("{}{new}{}", &sentence[..start], &sentence[end..]))
}

/// Exchanges two different neighbours of `places`, unless they stand in an enumeration, which says the same in any
/// order.
fn exchange_places(
    sentence: &str,
    places: &[(usize, usize)],
    words: &Words,
    dice: &mut Dice,
) -> Option<String> {
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    let is_apart = |between: &str| {
        let long = if words.language == "cmn" {
            between.chars().count() >= 4
        } else {
            between.split_whitespace().count() >= 2
        };
        let between = between.trim();
        let symmetric =
            [",", "and", "or", "und", "y", "و", "और", "اور", "with", "between", "、", "和"];
        long && !symmetric.iter().any(|word| between.starts_with(word) || between.ends_with(word))
    };
    let pairs: Vec<_> = sorted
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .filter(|((first, first_end), (second, second_end))| {
            first_end < second
                && sentence[*first..*first_end] != sentence[*second..*second_end]
                && is_apart(&sentence[*first_end..*second])
        })
        .collect();
    let ((first, first_end), (second, second_end)) = *dice.pick(&pairs)?;
    Some(format!(
        "{}{}{}{}{}",
        &sentence[..first],
        &sentence[second..second_end],
        &sentence[first_end..second],
        &sentence[first..first_end],
        &sentence[second_end..]
    ))
}

fn same_value(number: &str) -> String {
    number.replace([',', '.'], "")
}

/// Returns the number with one digit changed.
fn other_digits(number: &str, dice: &mut Dice) -> String {
    let places: Vec<usize> = number
        .bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit())
        .map(|(at, _)| at)
        .collect();
    let place = places[dice.below(places.len())];
    let old = number.as_bytes()[place] - b'0';
    let shift = 1 + u8::try_from(dice.below(8)).expect("below 8");
    let mut new = (old + shift) % 10;
    if place == 0 && new == 0 {
        new = if old == 9 { 8 } else { 9 };
    }
    format!("{}{new}{}", &number[..place], &number[place + 1..])
}

fn change_date(sentence: &str, passage: &str, words: &Words, dice: &mut Dice) -> Option<String> {
    let months: Vec<&str> = words
        .months
        .iter()
        .copied()
        .filter(|month| contains_word(sentence, month, words))
        .collect();
    if let Some(from) = dice.pick(&months).filter(|_| dice.clone().chance(0.5)) {
        let others: Vec<&&str> =
            words.months.iter().filter(|month| *month != from && !month.contains(*from)).collect();
        return Some(replace_word(sentence, from, dice.pick(&others)?, words));
    }
    let years = |text: &str| -> Vec<(usize, usize)> {
        digit_runs(text).into_iter().filter(|(start, end)| is_year(&text[*start..*end])).collect()
    };
    let found = years(sentence);
    let (start, end) = *dice.pick(&found)?;
    let old: usize = sentence[start..end].parse().ok()?;
    let others: Vec<String> = years(passage)
        .into_iter()
        .map(|(start, end)| passage[start..end].to_owned())
        .filter(|year| *year != old.to_string())
        .collect();
    let shifted =
        if dice.chance(0.5) { old + 1 + dice.below(30) } else { old - 1 - dice.below(30) };
    let new = dice
        .pick(&others)
        .filter(|_| dice.clone().chance(0.5))
        .cloned()
        .unwrap_or_else(|| shifted.to_string());
    Some(format!("{}{new}{}", &sentence[..start], &sentence[end..]))
}

fn change_unit(sentence: &str, words: &Words, dice: &mut Dice) -> Option<String> {
    let mut choices = Vec::new();
    for group in words.units {
        for unit in *group {
            for (at, _) in sentence.match_indices(unit) {
                let before = sentence[..at].trim_end().chars().next_back();
                let spelled = sentence[..at]
                    .split_whitespace()
                    .next_back()
                    .is_some_and(|word| words.numbers.iter().any(|(number, _)| *number == word));
                let measures = before.is_some_and(char::is_numeric) || spelled;
                if measures && is_whole_word(sentence, at, unit, words) {
                    choices.push((at, *unit, *group));
                }
            }
        }
    }
    let (at, unit, group) = *dice.pick(&choices)?;
    let others: Vec<&&str> = group.iter().filter(|other| **other != unit).collect();
    let other = dice.pick(&others)?;
    Some(format!("{}{other}{}", &sentence[..at], &sentence[at + unit.len()..]))
}

fn change_name(
    sentence: &str,
    at: usize,
    source: &Source,
    surroundings: &Surroundings,
    dice: &mut Dice,
) -> Option<String> {
    let found = surroundings.names_in(sentence, &source.language);
    let places: Vec<(usize, usize)> = found.iter().map(|(start, end, _)| (*start, *end)).collect();
    if let Some(exchanged) = dice
        .chance(0.2)
        .then(|| exchange_places(sentence, &places, words_of(&source.language), dice))
        .flatten()
    {
        return Some(exchanged);
    }
    let (start, end, old) = dice.pick(&found)?;
    let is_other = |name: &String| !name.contains(old.as_str()) && !old.contains(name.as_str());
    let near: Vec<String> = surroundings
        .names_in(&source.text, &source.language)
        .into_iter()
        .map(|(_, _, name)| name)
        .filter(is_other)
        .collect();
    let far: Vec<&String> = surroundings.names[&(source.set.clone(), surroundings.halves[at])]
        .iter()
        .filter(|name| is_other(name))
        .collect();
    let from_near = dice.chance(0.6);
    let new = dice.pick(&near).filter(|_| from_near).or_else(|| dice.pick(&far).copied())?;
    // Of a name of several words the last alone may change.
    if let Some((first, _)) = old.rsplit_once(' ').filter(|_| dice.chance(0.3)) {
        let last = new.rsplit(' ').next()?;
        return Some(format!("{}{first} {last}{}", &sentence[..*start], &sentence[*end..]));
    }
    Some(format!("{}{new}{}", &sentence[..*start], &sentence[*end..]))
}

fn remove_denial(sentence: &str, words: &Words, dice: &mut Dice) -> Option<String> {
    let present: Vec<_> =
        words.affirmations.iter().filter(|(denial, _)| sentence.contains(denial)).collect();
    // `not only … but` and the like deny nothing.
    let is_idle = [
        " not only ",
        " nicht nur ",
        " no solo ",
        " no sólo ",
        " لا سيما ",
        " no one ",
        " neither ",
        "不是 ",
    ]
    .iter()
    .any(|idle| sentence.contains(idle));
    let (from, to) = dice.pick(&present).filter(|_| !is_idle)?;
    Some(sentence.replacen(from, to, 1))
}

fn exchange(
    sentence: &str,
    pairs: &[(&str, &str)],
    words: &Words,
    dice: &mut Dice,
) -> Option<String> {
    let denies = words.affirmations.iter().any(|(denial, _)| sentence.contains(denial));
    let present: Vec<_> =
        pairs.iter().filter(|(from, _)| contains_word(sentence, from, words)).collect();
    // A second denial in the sentence may undo the first.
    let (from, to) = dice.pick(&present).filter(|_| !denies)?;
    Some(replace_word(sentence, from, to, words))
}

fn other_passage(
    sentence: &str,
    at: usize,
    sources: &[Source],
    surroundings: &Surroundings,
    dice: &mut Dice,
) -> Option<(String, usize)> {
    let source = &sources[at];
    let all = &surroundings.passages[&(source.set.clone(), surroundings.halves[at])];
    // Half of the time the passage that shares most words with the sentence: the hardest to tell apart.
    if dice.chance(0.5) {
        let shared = |other: &usize| surroundings.shared_words(sentence, *other, &source.language);
        let others = all
            .iter()
            .copied()
            .filter(|other| *other != at && !sources[*other].text.contains(sentence));
        return others.max_by_key(shared).map(|other| (sentence.to_owned(), other));
    }
    let same_article = dice.chance(0.5);
    let others: Vec<usize> = all
        .iter()
        .copied()
        .filter(|other| {
            *other != at && (!same_article || sources[*other].article == source.article)
        })
        .collect();
    let other =
        dice.pick(&others).or_else(|| dice.pick(all)).copied().filter(|other| *other != at)?;
    Some((sentence.to_owned(), other))
}

/// Adds the beginning of a sentence of another article.
fn add_clause(
    sentence: &str,
    at: usize,
    sources: &[Source],
    surroundings: &Surroundings,
    dice: &mut Dice,
) -> Option<String> {
    let source = &sources[at];
    let words = words_of(&source.language);
    let all = &surroundings.passages[&(source.set.clone(), surroundings.halves[at])];
    let others: Vec<usize> =
        all.iter().copied().filter(|other| sources[*other].article != source.article).collect();
    let other = &sources[*dice.pick(&others)?];
    let added = dice.pick(&other.sentences)?;
    let clause = if words.language == "cmn" {
        added.chars().take(24).collect::<String>()
    } else {
        added.split_whitespace().take(12).collect::<Vec<_>>().join(" ")
    };
    let is_long = if words.language == "cmn" {
        clause.chars().count() >= 16
    } else {
        clause.split_whitespace().count() >= 8
    };
    let body = sentence.trim_end_matches(['.', '!', '?', '۔', '؟', '।', '。']);
    let clause = clause.trim_end_matches(['.', ',', '،', '،', '，']);
    is_long.then(|| format!("{body}{}{clause}.", words.and))
}

fn is_whole_word(text: &str, at: usize, word: &str, words: &Words) -> bool {
    let is_edge = |c: Option<char>| {
        c.is_none_or(|c| {
            !c.is_alphanumeric()
                && !('\u{900}'..'\u{980}').contains(&c)
                && !('\u{64b}'..'\u{660}').contains(&c)
        })
    };
    words.language == "cmn"
        || (is_edge(text[at + word.len()..].chars().next())
            && (is_edge(text[..at].chars().next_back()) || text[..at].ends_with(char::is_numeric)))
}

fn contains_word(text: &str, word: &str, words: &Words) -> bool {
    text.match_indices(word).any(|(at, _)| is_whole_word(text, at, word, words))
}

fn replace_word(text: &str, from: &str, to: &str, words: &Words) -> String {
    let place = text.match_indices(from).find(|(at, _)| is_whole_word(text, *at, from, words));
    place.map_or_else(
        || text.to_owned(),
        |(at, _)| format!("{}{to}{}", &text[..at], &text[at + from.len()..]),
    )
}
