//! Other ways to say a sentence.

use super::{
    dice::Dice,
    words::{Words, words_of},
};

/// Share of true sentences that stay verbatim.
const VERBATIM: f64 = 1.0 / 6.0;
/// Most paraphrases of one sentence.
const MOST: usize = 5;

type Paraphrase = fn(&Sentence<'_>, &mut Dice) -> Option<String>;

const PARAPHRASES: [(&str, Paraphrase); 12] = [
    ("clause left out", leave_out_clause),
    ("parenthesis left out", leave_out_parenthesis),
    ("filler left out", leave_out_filler),
    ("clause moved", move_clause),
    ("list in another order", exchange_items),
    ("two sentences in one", join_next),
    ("number written otherwise", rewrite_number),
    ("date written otherwise", rewrite_date),
    ("word form changed", change_form),
    ("word form changed", change_form),
    ("word replaced", replace_word),
    ("word replaced", replace_word),
];

struct Sentence<'a> {
    text: &'a str,
    next: Option<&'a str>,
    words: &'static Words,
}

/// Returns `sentence` said otherwise, or as it is, and what was done.
pub(super) fn paraphrased(
    sentence: &str,
    next: Option<&str>,
    language: &str,
    dice: &mut Dice,
) -> (String, Vec<&'static str>) {
    let mut text = sentence.to_owned();
    let mut done = Vec::new();
    if dice.chance(VERBATIM) {
        return (text, done);
    }
    let wanted = 1 + dice.below(MOST);
    for _ in 0..wanted * 4 {
        let (name, paraphrase) = PARAPHRASES[dice.below(PARAPHRASES.len())];
        let said = Sentence { text: &text, next, words: words_of(language) };
        if done.len() == wanted || (!name.starts_with("word") && done.contains(&name)) {
            continue;
        }
        if let Some(otherwise) = paraphrase(&said, dice).filter(|otherwise| *otherwise != text) {
            text = otherwise;
            done.push(name);
        }
    }
    (text, done)
}

/// Returns the places of the commas between clauses: (start, end of the mark).
fn commas(text: &str) -> Vec<(usize, usize)> {
    let is_number = |at: usize, end: usize| {
        let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
        digit(text[..at].chars().next_back()) && digit(text[end..].chars().next())
    };
    let marks = text.match_indices([',', '،', '，', ';', '；']);
    marks
        .map(|(at, mark)| (at, at + mark.len()))
        .filter(|(at, end)| !is_number(*at, *end))
        .collect()
}

fn length(text: &str, words: &Words) -> usize {
    if words.language == "cmn" { text.chars().count() / 2 } else { text.split_whitespace().count() }
}

/// The closing punctuation of a sentence.
fn stop(text: &str) -> &str {
    let body = text.trim_end_matches(['.', '!', '?', '۔', '؟', '।', '。', '！', '？', '"', '”']);
    &text[body.len()..]
}

fn lower_first(text: &str, words: &Words) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let starters = [
        "The", "Here", "We", "Our", "However", "Moreover", "It", "They", "This", "These", "He",
        "She", "A", "An", "There", "Die", "Der", "Das", "Es", "Sie", "El", "La", "Los", "Las",
        "Se",
    ];
    if starters.contains(&first) || words.adverbial.contains(&first) {
        let mut characters = text.chars();
        characters
            .next()
            .map(|first| first.to_lowercase().chain(characters).collect())
            .unwrap_or_default()
    } else {
        text.to_owned()
    }
}

fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

/// Whether a clause at the front is one of time or place.
fn is_adverbial(text: &str, words: &Words) -> bool {
    text.split_whitespace().next().is_some_and(|first| words.adverbial.contains(&first))
}

fn leave_out_clause(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    let commas = commas(said.text);
    if let Some((at, end)) = commas.first().filter(|_| is_adverbial(said.text, said.words))
        && length(&said.text[..*at], said.words) <= 8
        && length(&said.text[*end..], said.words) >= 6
        && dice.chance(0.5)
    {
        return Some(upper_first(said.text[*end..].trim_start()));
    }
    let (at, end) = *commas.last()?;
    // What follows may deny or restrict what stands before.
    let is_safe =
        length(&said.text[..at], said.words) >= 7 && length(&said.text[end..], said.words) >= 3;
    is_safe.then(|| format!("{}{}", &said.text[..at], stop(said.text)))
}

fn leave_out_parenthesis(said: &Sentence<'_>, _dice: &mut Dice) -> Option<String> {
    let (open, close) = [('(', ')'), ('（', '）')].into_iter().find_map(|(open, close)| {
        let at = said.text.find(open)?;
        let end = at + said.text[at..].find(close)? + close.len_utf8();
        Some((at, end))
    })?;
    let text = format!("{} {}", said.text[..open].trim_end(), said.text[close..].trim_start());
    let text = text.replace(" ,", ",").replace(" .", ".").replace(" ،", "،");
    (length(&text, said.words) >= 5).then_some(text)
}

fn leave_out_filler(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    let present: Vec<String> = said
        .words
        .fillers
        .iter()
        .map(|filler| spaced(filler, said.words))
        .filter(|filler| said.text.contains(filler.as_str()))
        .collect();
    let filler = dice.pick(&present)?;
    Some(said.text.replacen(
        filler.as_str(),
        if said.words.language == "cmn" { "" } else { " " },
        1,
    ))
}

fn spaced(word: &str, words: &Words) -> String {
    if words.language == "cmn" { word.to_owned() } else { format!(" {word} ") }
}

fn move_clause(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    let commas = commas(said.text);
    let stop = stop(said.text);
    let body = &said.text[..said.text.len() - stop.len()];
    let (at, end) = if said.words.adverbial.is_empty() {
        *dice.pick(&commas)?
    } else {
        *commas.first().filter(|_| is_adverbial(said.text, said.words))?
    };
    if end >= body.len() {
        return None;
    }
    let (first, rest) = (&body[..at], body[end..].trim_start());
    let is_long = length(first, said.words) >= 3 && length(rest, said.words) >= 5;
    let comma = &said.text[at..end];
    let space = if said.words.language == "cmn" { "" } else { " " };
    let moved = if said.words.adverbial.is_empty() || dice.chance(0.5) {
        format!("{}{comma}{space}{}{stop}", upper_first(rest), lower_first(first, said.words))
    } else {
        format!("{} {}{stop}", upper_first(rest), lower_first(first, said.words))
    };
    is_long.then_some(moved)
}

/// Exchanges the first two of `A, B and C`, single words only.
fn exchange_items(said: &Sentence<'_>, _dice: &mut Dice) -> Option<String> {
    let words: Vec<&str> = said.text.split(' ').collect();
    let ands = ["and", "or", "und", "oder", "y", "o", "और", "اور"];
    let at = (0..words.len().saturating_sub(4)).find(|at| {
        let [before, first, second, third] =
            [words[*at], words[at + 1], words[at + 2], words[at + 3]];
        !before.ends_with([',', '،'])
            && first.ends_with([',', '،'])
            && (ands.contains(&third)
                || (second.ends_with([',', '،']) && ands.contains(&words[at + 4])))
            && first.chars().all(|c| c.is_alphabetic() || matches!(c, ',' | '،'))
            && second.chars().all(|c| c.is_alphabetic() || matches!(c, ',' | '،'))
    })?;
    let bare = |word: &str| word.trim_end_matches([',', '،']).to_owned();
    let mark = |word: &str| word.chars().filter(|c| matches!(c, ',' | '،')).collect::<String>();
    let mut exchanged: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    exchanged[at + 1] = bare(words[at + 2]) + &mark(words[at + 1]);
    exchanged[at + 2] = bare(words[at + 1]) + &mark(words[at + 2]);
    Some(exchanged.join(" "))
}

fn join_next(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    let next = said.next.filter(|next| (4..=40).contains(&length(next, said.words)))?;
    if !dice.chance(0.5) {
        return None;
    }
    let body = said.text.strip_suffix(stop(said.text))?;
    Some(format!("{body}{}{}", said.words.and, lower_first(next, said.words)))
}

/// Returns the runs of ASCII digits, points and commas that stand alone: start, end.
pub(super) fn digit_runs(text: &str) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        let continues = character.is_ascii_digit()
            || (start.is_some()
                && matches!(character, '.' | ',')
                && text[at + 1..].starts_with(|next: char| next.is_ascii_digit()));
        match (start, continues) {
            (None, true) => start = Some(at),
            (Some(first), false) => {
                let glued = |c: Option<char>| {
                    c.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '/' | '_'))
                };
                let before = text[..first].chars().next_back();
                let after = text[at..].chars().next();
                if !glued(before) && !after.is_some_and(|c| c.is_ascii_alphabetic()) {
                    runs.push((first, at));
                }
                start = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    runs
}

fn rewrite_number(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    let spelled: Vec<_> = said
        .words
        .numbers
        .iter()
        .filter(|(word, _)| {
            said.words.language != "cmn" && said.text.contains(&spaced(word, said.words))
        })
        .collect();
    if let Some((word, digits)) = dice.pick(&spelled).filter(|_| dice.clone().chance(0.5)) {
        return Some(said.text.replacen(&spaced(word, said.words), &format!(" {digits} "), 1));
    }
    if said.words.language == "eng" && said.text.contains('%') {
        return Some(said.text.replacen('%', " percent", 1));
    }
    let runs = digit_runs(said.text);
    let (start, end) = *dice.pick(&runs)?;
    let number = &said.text[start..end];
    let after = &said.text[end..];
    let thousands = if matches!(said.words.language, "deu" | "spa") { '.' } else { ',' };
    let groups: Vec<&str> = number.split(thousands).collect();
    let grouped = groups.len() > 1 && groups[1..].iter().all(|group| group.len() == 3);
    let digits: String = groups.concat();
    let written = if grouped {
        digits
    } else if let Some(rest) = after
        .strip_prefix(" million ")
        .filter(|_| number.len() <= 3 && said.words.language == "eng" && !number.contains('.'))
    {
        return Some(format!("{}{number},000,000 {rest}", &said.text[..start]));
    } else if number.len() > 4 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        let split = number.len() - 3;
        format!("{}{thousands}{}", &number[..split], &number[split..]).replacen(' ', "", 1)
    } else {
        let zero = match said.words.language {
            "ara" => '٠',
            "urd" => '۰',
            "hin" => '०',
            _ => return None,
        };
        number
            .chars()
            .map(|c| {
                c.to_digit(10)
                    .and_then(|digit| char::from_u32(u32::from(zero) + digit))
                    .unwrap_or(c)
            })
            .collect()
    };
    Some(format!("{}{written}{after}", &said.text[..start]))
}

/// Returns the first date with day, month and year in words: start, end and the three.
fn find_date(said: &Sentence<'_>) -> Option<(usize, usize, u32, usize, u32)> {
    let mut offset = 0;
    let pieces: Vec<(usize, &str)> = said
        .text
        .split(' ')
        .map(|piece| {
            let at = offset;
            offset += piece.len() + 1;
            (at, piece)
        })
        .filter(|(_, piece)| *piece != "de")
        .collect();
    let number = |piece: &str| piece.trim_end_matches([',', '.', ';', ')']).parse::<u32>().ok();
    pieces.windows(3).find_map(|window| {
        let [(start, first), (_, second), (last, third)] = [window[0], window[1], window[2]];
        let year = number(third).filter(|year| (1000..2100).contains(year))?;
        let month = |piece: &str| said.words.months.iter().position(|month| *month == piece);
        let end = last + third.trim_end_matches([',', '.', ';', ')']).len();
        let (day, month) = match (month(first), month(second)) {
            (Some(month), _) => (number(second)?, month),
            (None, Some(month)) => (number(first)?, month),
            (None, None) => return None,
        };
        (day <= 31).then_some((start, end, day, month, year))
    })
}

fn rewrite_date(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    let (start, end, day, month, year) = find_date(said)?;
    let name = said.words.months[month];
    let forms = match said.words.language {
        "eng" => vec![
            format!("{day} {name} {year}"),
            format!("{name} {day}, {year}"),
            format!("{year}-{:02}-{day:02}", month + 1),
        ],
        "deu" => {
            vec![format!("{day}.{}.{year}", month + 1), format!("{day:02}.{:02}.{year}", month + 1)]
        }
        "spa" => vec![format!("{day}/{}/{year}", month + 1), format!("{day} de {name} de {year}")],
        _ => vec![format!("{year}-{:02}-{day:02}", month + 1)],
    };
    let form = dice.pick(&forms)?;
    Some(format!("{}{form}{}", &said.text[..start], &said.text[end..]))
}

fn replace_word(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    let pairs: Vec<(String, String)> = said
        .words
        .synonyms
        .iter()
        .flat_map(|(one, other)| [(*one, *other), (*other, *one)])
        .map(|(from, to)| (spaced(from, said.words), spaced(to, said.words)))
        .filter(|(from, _)| said.text.contains(from.as_str()))
        .collect();
    let (from, to) = dice.pick(&pairs)?;
    Some(said.text.replacen(from.as_str(), to, 1))
}

/// Introduces one sentence in four with where it was read, as models do. Done last: what introduces a sentence is
/// not corrupted.
pub(super) fn framed(
    text: String,
    language: &str,
    done: &mut Vec<&'static str>,
    dice: &mut Dice,
) -> String {
    let words = words_of(language);
    match dice.pick(words.frames).filter(|_| dice.clone().chance(0.25)) {
        Some(frame) => {
            done.push("framed");
            format!("{frame}{}", lower_first(&text, words))
        }
        None => text,
    }
}

/// Exchanges forms of a verb or number of a noun; English only, where endings tell them.
fn change_form(said: &Sentence<'_>, dice: &mut Dice) -> Option<String> {
    if said.words.language != "eng" {
        return None;
    }
    let words: Vec<&str> = said.text.split(' ').collect();
    let lower = |word: &str| word.len() > 5 && word.chars().all(|c| c.is_ascii_lowercase());
    let changed = |word: &str| -> Option<String> {
        if let Some(stem) = word.strip_suffix("ed").filter(|stem| !stem.ends_with(['e', 'i'])) {
            return Some(format!("{stem}ing"));
        }
        if let Some(stem) = word.strip_suffix("ies") {
            return Some(format!("{stem}y"));
        }
        word.strip_suffix('s').filter(|stem| !stem.ends_with(['s', 'u', 'i'])).map(str::to_owned)
    };
    let places: Vec<usize> =
        (0..words.len()).filter(|at| lower(words[*at]) && changed(words[*at]).is_some()).collect();
    let place = *dice.pick(&places)?;
    let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    words[place] = changed(&words[place])?;
    Some(words.join(" "))
}
