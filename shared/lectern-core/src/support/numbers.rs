//! Numbers as they are written: digits of any script, separators of any country, Chinese numerals.

/// Most values a written number may have: `1.250` is 1250 or 1.25.
pub(super) const MAX_READINGS: usize = 2;

/// A number as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// Its possible values.
    Number(Vec<f64>),
    /// Three numbers joined by points, as in `12.03.2004`.
    Triple([u32; 3]),
}

/// Endings of numbers that do not change them: ordinals and decades.
const ENDINGS: [&str; 15] =
    ["st", "nd", "rd", "th", "s", "er", "ers", "ern", "e", "ème", "eme", "º", "ª", "o", "a"];

/// Reads a word that begins with a digit. `None` when it is no number, such as `3D` or `1.2.3.4`.
pub(super) fn read(surface: &str) -> Option<Written> {
    let end = surface
        .char_indices()
        .rfind(|(_, c)| digit(*c).is_some())
        .map(|(at, c)| at + c.len_utf8())?;
    let (number, ending) = surface.split_at(end);
    if !ending.is_empty() && !ENDINGS.contains(&ending.to_lowercase().as_str()) {
        return None;
    }
    let mut groups = vec![String::new()];
    let mut separators = Vec::new();
    for character in number.chars() {
        match digit(character) {
            Some(value) => groups.last_mut()?.push(char::from_digit(value, 10)?),
            None if is_separator(character) => {
                separators.push(character);
                groups.push(String::new());
            }
            None => return None,
        }
    }
    if groups.iter().any(String::is_empty) {
        return None;
    }
    read_groups(&groups, &separators)
}

fn is_separator(character: char) -> bool {
    matches!(character, ',' | '.' | '٬' | '٫' | '\'' | '’' | '·' | '،')
}

fn read_groups(groups: &[String], separators: &[char]) -> Option<Written> {
    let one_kind = separators.windows(2).all(|pair| pair[0] == pair[1]);
    let whole = |groups: &[String]| groups.concat().parse::<f64>().ok();
    let decimal = || {
        format!("{}.{}", groups[..groups.len() - 1].concat(), groups[groups.len() - 1])
            .parse::<f64>()
            .ok()
    };
    let values: Vec<f64> = match separators.len() {
        0 => vec![whole(groups)?],
        1 if are_thousands(groups) => vec![whole(groups)?, decimal()?],
        1 => vec![decimal()?],
        _ if one_kind && are_thousands(groups) => vec![whole(groups)?],
        2 if one_kind => {
            let part = |at: usize| groups[at].parse::<u32>().ok();
            return Some(Written::Triple([part(0)?, part(1)?, part(2)?]));
        }
        _ if !one_kind && are_thousands(&groups[..groups.len() - 1]) => vec![decimal()?],
        _ => return None,
    };
    Some(Written::Number(values))
}

/// Whether the groups are those of `1,000,000` or, in India, `10,00,000`.
fn are_thousands(groups: &[String]) -> bool {
    let Some((last, middle)) = groups[1..].split_last() else { return false };
    let is_first = (1..=3).contains(&groups[0].len()) && groups[0] != "0";
    let of_length = |length: usize| middle.iter().all(|group| group.len() == length);
    is_first && last.len() == 3 && (of_length(3) || of_length(2))
}

/// Returns the value of a decimal digit in the scripts the analyser knows.
pub(super) fn digit(character: char) -> Option<u32> {
    let zeros = ['0', '٠', '۰', '०', '০', '０'];
    zeros.iter().find_map(|zero| {
        let distance = u32::from(character).checked_sub(u32::from(*zero))?;
        (distance < 10).then_some(distance)
    })
}

/// Returns the value of a Chinese numeral such as `二十五`. A lone `一` is an article and no number.
pub(super) fn read_chinese(numeral: &[char]) -> Option<f64> {
    if numeral.is_empty()
        || numeral == ['一']
        || magnitude(numeral[0]).is_some_and(|value| value != 10.0)
    {
        return None;
    }
    let (mut total, mut section, mut current) = (0.0, 0.0, 0.0);
    for character in numeral {
        if let Some(value) = chinese_digit(*character) {
            current = current * 10.0 + value;
        } else {
            let value = magnitude(*character)?;
            if value >= 10_000.0 {
                total += (section + current) * value;
                section = 0.0;
            } else {
                section += if current == 0.0 { value } else { current * value };
            }
            current = 0.0;
        }
    }
    Some(total + section + current)
}

/// Whether a character can stand in a Chinese numeral.
pub(super) fn is_chinese_numeral(character: char) -> bool {
    chinese_digit(character).is_some() || magnitude(character).is_some()
}

fn chinese_digit(character: char) -> Option<f64> {
    let position = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九']
        .iter()
        .position(|c| *c == character);
    match character {
        '零' => Some(0.0),
        '两' | '兩' => Some(2.0),
        _ => position.and_then(|at| u32::try_from(at).ok()).map(f64::from),
    }
}

fn magnitude(character: char) -> Option<f64> {
    match character {
        '十' => Some(10.0),
        '百' => Some(100.0),
        '千' => Some(1_000.0),
        '万' | '萬' => Some(10_000.0),
        '亿' | '億' => Some(100_000_000.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(surface: &str) -> Vec<f64> {
        match read(surface) {
            Some(Written::Number(values)) => values,
            other => panic!("{surface}: {other:?}"),
        }
    }

    #[test]
    fn separators_of_any_country() {
        assert_eq!(values("1,000"), [1_000.0, 1.0]);
        assert_eq!(values("1.250.000"), [1_250_000.0]);
        assert_eq!(values("10,00,000"), [1_000_000.0]);
        assert_eq!(values("1.250,5"), [1_250.5]);
        assert_eq!(values("3,5"), values("3.5"));
        assert_eq!(values("۳۰"), values("30"));
        assert_eq!(values("21st"), [21.0]);
        assert_eq!(values("1920s"), [1920.0]);
        assert_eq!(read("12.03.2004"), Some(Written::Triple([12, 3, 2004])));
        assert_eq!(read("3D"), None);
        assert_eq!(read("1.2.3.4"), None);
    }

    #[test]
    fn chinese_numerals() {
        let value = |numeral: &str| read_chinese(&numeral.chars().collect::<Vec<_>>());
        assert_eq!(value("二十五"), Some(25.0));
        assert_eq!(value("三百二十万"), Some(3_200_000.0));
        assert_eq!(value("一九四九"), Some(1949.0));
        assert_eq!(value("一"), None);
        assert_eq!(value("千"), None);
    }
}
