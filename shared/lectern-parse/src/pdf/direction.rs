//! From the places of glyphs to logical order, for lines that hold right-to-left script.
//!
//! A page draws glyphs where the eye finds them; text is stored in the order it is read. This undoes
//! rule L2 of the Unicode bidirectional algorithm (UAX #9) for one line: runs of the line's own
//! direction are read from its start, embedded runs of the other direction are turned back.

/// One glyph or space of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    /// Left edge.
    pub(super) left: f64,
    /// Right edge.
    pub(super) right: f64,
    /// Its characters, already in logical order.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Left,
    /// Digits are read like Latin but say nothing about the line's direction.
    Number,
    Right,
    Neutral,
}

/// Whether a character belongs to a right-to-left script.
pub(super) fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        && !is_arabic_digit(character)
}

fn is_arabic_digit(character: char) -> bool {
    matches!(character, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

fn direction(text: &str) -> Direction {
    let mut found = Direction::Neutral;
    for character in text.chars() {
        if is_right_to_left(character) {
            return Direction::Right;
        }
        if character.is_numeric() && found == Direction::Neutral {
            found = Direction::Number;
        } else if character.is_alphabetic() {
            found = Direction::Left;
        }
    }
    found
}

/// Returns the line's text in reading order; gaps wider than `gap` become spaces.
pub(super) fn logical(glyphs: Vec<Placed>, gap: f64) -> String {
    let glyphs = spaced(glyphs, gap);
    let directions: Vec<Direction> = glyphs.iter().map(|glyph| direction(&glyph.text)).collect();
    let base = base_direction(&glyphs, &directions);
    let mut runs: Vec<(Direction, Vec<&Placed>)> = Vec::new();
    for (index, glyph) in glyphs.iter().enumerate() {
        let resolved = resolve(&directions, index, base);
        match runs.last_mut() {
            Some((direction, run)) if *direction == resolved => run.push(glyph),
            _ => runs.push((resolved, vec![glyph])),
        }
    }
    if base == Direction::Right {
        runs.reverse();
    }
    let mut text = String::new();
    for (direction, mut run) in runs {
        if direction == Direction::Right {
            run.reverse();
        }
        run.iter().for_each(|glyph| text.push_str(&glyph.text));
    }
    text
}

/// Returns the direction of most words; letters would favour the language with the longer ones.
fn base_direction(glyphs: &[Placed], directions: &[Direction]) -> Direction {
    let mut right_words = 0;
    let mut left_words = 0;
    let mut word = Direction::Neutral;
    for (glyph, direction) in glyphs.iter().zip(directions) {
        if glyph.text.chars().all(char::is_whitespace) {
            word = Direction::Neutral;
        } else if *direction != word {
            right_words += usize::from(*direction == Direction::Right);
            left_words += usize::from(*direction == Direction::Left);
            word = *direction;
        }
    }
    if right_words >= left_words { Direction::Right } else { Direction::Left }
}

/// Orders glyphs from left to right and puts a space into each gap.
fn spaced(mut glyphs: Vec<Placed>, gap: f64) -> Vec<Placed> {
    glyphs.sort_by(|one, other| one.left.total_cmp(&other.left));
    let mut spaced: Vec<Placed> = Vec::with_capacity(glyphs.len());
    let mut reached = f64::INFINITY;
    let mut after_space = true;
    for glyph in glyphs {
        let is_space = glyph.text.chars().all(char::is_whitespace);
        if glyph.left > reached + gap && !is_space && !after_space {
            spaced.push(Placed { left: reached, right: glyph.left, text: " ".into() });
        }
        reached = if reached.is_finite() { reached.max(glyph.right) } else { glyph.right };
        after_space = is_space;
        spaced.push(glyph);
    }
    spaced
}

/// Gives a neutral glyph the direction of both its strong neighbours when they agree, else that of
/// the line (rules N1 and N2).
fn resolve(directions: &[Direction], index: usize, base: Direction) -> Direction {
    match directions[index] {
        Direction::Number => return Direction::Left,
        Direction::Neutral => {}
        strong => return strong,
    }
    let is_strong = |direction: &&Direction| **direction != Direction::Neutral;
    let before = directions[..index].iter().rev().find(is_strong);
    let after = directions[index..].iter().find(is_strong);
    match (before, after) {
        (Some(Direction::Number | Direction::Left), Some(Direction::Number | Direction::Left)) => {
            Direction::Left
        }
        (Some(before), Some(after)) if before == after => *before,
        _ => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places each character of a visual string at its index.
    fn placed(visual: &str) -> Vec<Placed> {
        visual
            .chars()
            .zip(0_u32..)
            .map(|(one, at)| Placed {
                left: at.into(),
                right: f64::from(at) + 1.0,
                text: one.into(),
            })
            .collect()
    }

    #[test]
    fn turns_visual_order_into_logical_order() {
        assert_eq!(logical(placed("ملاع"), 0.5), "عالم");
        assert_eq!(logical(placed(".R و Python ةغلب"), 0.5), "بلغة Python و R.");
        assert_eq!(logical(placed("see ملاع here now"), 0.5), "see عالم here now");
        assert_eq!(logical(placed("2023 ماع"), 0.5), "عام 2023");
    }

    #[test]
    fn glyphs_of_several_characters_stay_whole() {
        let glyphs = vec![
            Placed { left: 1.0, right: 2.0, text: "لا".into() },
            Placed { left: 0.0, right: 1.0, text: "م".into() },
            Placed { left: 3.0, right: 4.0, text: "هو".into() },
        ];
        assert_eq!(logical(glyphs, 0.5), "هو لام");
    }
}
