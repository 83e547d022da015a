//! The rules of each state, named above them.

use super::{
    super::{
        checksum::{luhn, mod_11_10, remainder_97, verhoeff, weighted},
        context::Subject,
    },
    Rule,
};

const fn rule(pattern: &'static str, is_valid: fn(&[u8]) -> bool) -> Rule {
    Rule { pattern, needs: None, is_valid }
}

const fn weak(pattern: &'static str, needs: Subject, is_valid: fn(&[u8]) -> bool) -> Rule {
    Rule { pattern, needs: Some(needs), is_valid }
}

/// All of them, the strongest first.
pub(super) const RULES: &[Rule] = &[
    rule("99999999999999999X", resident_id),
    rule("9?99?99?9X?999?999?99", nir),
    rule("AAA?AAA?XXAXX?AXXXA", codice_fiscale),
    rule("999999X999X", hetu),
    rule("999999-999X", hetu),
    rule("999999+999X", hetu),
    rule("99999-9999999-9", cnic),
    weak("9999999999999", Subject::Cnic, cnic),
    rule("999999-9999999", rrn),
    rule("999.999.999-99", cpf),
    weak("99999999999", Subject::Cpf, cpf),
    rule("999999-9999", personnummer),
    rule("999999+9999", personnummer),
    rule("99999999-9999", personnummer),
    weak("9999999999", Subject::Personnummer, is_personnummer),
    weak("999999999999", Subject::Personnummer, is_personnummer),
    weak("999999-9999", Subject::Personnummer, is_personnummer),
    weak("99999999-9999", Subject::Personnummer, is_personnummer),
    rule("99999999A", dni),
    rule("99999999-A", dni),
    rule("99.999.999-A", dni),
    rule("99.999.999A", dni),
    weak("99999999_A", Subject::TaxId, dni),
    rule("A9999999A", nie),
    rule("A-9999999-A", nie),
    rule("AA_99_99_99_A", nino),
    weak("AA999999A", Subject::NationalInsurance, nino),
    weak("AA_999999_A", Subject::NationalInsurance, nino),
    rule("999-99-9999", ssn),
    weak("999_99_9999", Subject::SocialSecurity, ssn),
    weak("999999999", Subject::SocialSecurity, ssn),
    rule("9999_9999_9999", aadhaar),
    rule("9999-9999-9999", aadhaar),
    weak("999999999999", Subject::Aadhaar, is_aadhaar),
    weak("9999?9999?9999", Subject::Aadhaar, is_aadhaar),
    weak("999?999?9999", Subject::Nhs, nhs),
    weak("99?999?999?999", Subject::SteuerId, steuer_id),
    weak("99999999999", Subject::Pesel, pesel),
    weak("99999999999", Subject::Kimlik, kimlik),
    weak("999_999_999_99", Subject::Kimlik, kimlik),
    weak("9999?99?999", Subject::Bsn, bsn),
    weak("999.999.999", Subject::Bsn, bsn),
    weak("999_999_999", Subject::Bsn, bsn),
];

/// Returns the number that decimal digits are.
fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value: u32, digit| {
        value.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0')))
    })
}

/// Returns a part of a number; nothing of it where it is shorter.
fn part(digits: &[u8], from: usize, to: usize) -> u32 {
    digits.get(from..to).map_or(u32::MAX, number)
}

fn values(digits: &[u8]) -> Vec<u8> {
    digits.iter().map(|digit| digit.wrapping_sub(b'0')).collect()
}

fn is_date(month: u32, day: u32) -> bool {
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn is_one_digit(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair.first() == pair.last())
}

/// China, GB 11643-1999: region, date of birth, serial, and a check digit of ISO/IEC 7064 MOD 11-2, 10 of which is X.
fn resident_id(characters: &[u8]) -> bool {
    let region = part(characters, 0, 2);
    let Some((last, digits)) = characters.split_last() else { return false };
    let sum = digits.iter().fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    let check = match last {
        b'X' => 10,
        digit if digit.is_ascii_digit() => u32::from(digit - b'0'),
        _ => return false,
    };
    matches!(region, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91)
        && (1850..=2099).contains(&part(characters, 6, 10))
        && is_date(part(characters, 10, 12), part(characters, 12, 14))
        && (sum + check) % 11 == 1
}

/// France, the NIR of INSEE: sex, year and month of birth, department, commune, order, and a key that is 97 less the remainder.
/// Corsica's departments 2A and 2B count as 19 and 18.
fn nir(characters: &[u8]) -> bool {
    let (department, corsican) = match characters.get(5..7) {
        Some(b"2A") => (20, "19"),
        Some(b"2B") => (20, "18"),
        Some(digits) if digits.iter().all(u8::is_ascii_digit) => (number(digits), ""),
        _ => return false,
    };
    let (Some(born), Some(rest)) = (characters.get(..5), characters.get(7..13)) else {
        return false;
    };
    let middle = if corsican.is_empty() { characters.get(5..7) } else { Some(corsican.as_bytes()) };
    let stem = born.iter().chain(middle.unwrap_or_default()).chain(rest).copied();
    matches!(characters.first(), Some(b'1' | b'2' | b'3' | b'4' | b'7' | b'8'))
        && matches!(part(characters, 3, 5), 1..=12 | 20..=42 | 50..=99)
        && department != 0
        && 97 - remainder_97(stem) == part(characters, 13, 15)
}

/// Italy, decree of 23 December 1976: letters of the names, date and place of birth, and a check letter. Where two people
/// would have the same, digits become letters.
fn codice_fiscale(characters: &[u8]) -> bool {
    // What a digit, or the letter of the same rank, counts at an odd place; then the other letters.
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some((last, stem)) = characters.split_last() else { return false };
    let digit = |at: usize| match characters.get(at) {
        Some(digit @ b'0'..=b'9') => Some(u32::from(digit - b'0')),
        Some(letter @ (b'L'..=b'N' | b'P'..=b'V')) => "LMNPQRSTUV"
            .bytes()
            .position(|known| known == *letter)
            .and_then(|at| u32::try_from(at).ok()),
        _ => None,
    };
    let rank = |byte: u8| {
        usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte.wrapping_sub(b'A') })
    };
    let sum: u32 = stem
        .iter()
        .enumerate()
        .map(|(at, &byte)| {
            if at % 2 == 0 {
                ODD.get(rank(byte)).copied().unwrap_or(0)
            } else {
                u32::try_from(rank(byte)).unwrap_or(0)
            }
        })
        .sum();
    let is_numbered = [6, 7, 9, 10, 12, 13, 14].into_iter().all(|at| digit(at).is_some());
    // Women's days are counted from 41 on.
    let day = digit(9).unwrap_or(9) * 10 + digit(10).unwrap_or(9);
    is_numbered
        && characters.get(8).is_some_and(|month| b"ABCDEHLMPRST".contains(month))
        && matches!(day, 1..=31 | 41..=71)
        && u32::from(last.wrapping_sub(b'A')) == sum % 26
}

/// Finland, the HETU: date of birth, a sign for the century, serial, and a check character by the remainder by 31.
fn hetu(characters: &[u8]) -> bool {
    const CHECKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    // A sign that is no dash or plus is a character of its own.
    let (serial, last) = match characters.len() {
        10 => (characters.get(6..9), characters.get(9)),
        _ if matches!(characters.get(6), Some(b'A'..=b'F' | b'U'..=b'Y')) => {
            (characters.get(7..10), characters.get(10))
        }
        _ => return false,
    };
    let (Some(born), Some(serial)) = (characters.get(..6), serial) else { return false };
    let remainder = (number(born) * 1_000 + number(serial)) % 31;
    let check = usize::try_from(remainder).ok().and_then(|at| CHECKS.get(at));
    is_date(part(characters, 2, 4), part(characters, 0, 2))
        && number(serial) >= 2
        && check.is_some()
        && check == last
}

/// Pakistan, the CNIC: province and place, family, and a digit for the sex. It has no check digit.
fn cnic(characters: &[u8]) -> bool {
    matches!(characters.first(), Some(b'1'..=b'7')) && !is_one_digit(characters)
}

/// South Korea, the RRN: date of birth, sex and century, and digits that have been drawn since 2020.
fn rrn(characters: &[u8]) -> bool {
    is_date(part(characters, 2, 4), part(characters, 4, 6))
        && !is_one_digit(characters.get(6..).unwrap_or_default())
}

/// Brazil, the CPF: two check digits by weighted sums, 11 less the remainder by 11.
fn cpf(characters: &[u8]) -> bool {
    let digits = values(characters);
    let check = |count: u32| {
        let weights: Vec<u32> = (2..=count + 1).rev().collect();
        weighted(&digits, &weights) * 10 % 11 % 10
    };
    !is_one_digit(characters)
        && check(9) == part(characters, 9, 10)
        && check(10) == part(characters, 10, 11)
}

/// Sweden: date of birth, serial and Luhn's digit, here with the dash. What is a date and a time as well is not taken.
fn personnummer(characters: &[u8]) -> bool {
    let serial = characters.len().saturating_sub(4);
    let (hour, minute) =
        (part(characters, serial, serial + 2), part(characters, serial + 2, serial + 4));
    is_personnummer(characters) && !(hour < 24 && minute < 60)
}

fn is_personnummer(characters: &[u8]) -> bool {
    let century = characters.len().saturating_sub(10);
    let digits = characters.get(century..).unwrap_or_default();
    // The days of coordination numbers are counted from 61 on.
    let day = part(digits, 4, 6);
    let is_born = matches!(characters.get(..century), Some(b"" | b"18" | b"19" | b"20"));
    is_born
        && is_date(part(digits, 2, 4), if day > 60 { day - 60 } else { day })
        && part(digits, 6, 9) != 0
        && luhn(&values(digits))
}

/// Spain, the DNI: eight digits and a letter by the remainder by 23.
fn dni(characters: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((last, digits)) = characters.split_last() else { return false };
    let remainder = usize::try_from(number(digits) % 23).ok();
    remainder.and_then(|at| LETTERS.get(at)) == Some(last) && number(digits) > 99_999
}

/// Spain, the NIE: X, Y or Z for 0, 1 or 2, and then as the DNI.
fn nie(characters: &[u8]) -> bool {
    let mut characters = characters.to_vec();
    let Some(first) = characters.first_mut() else { return false };
    *first = match first {
        b'X'..=b'Z' => *first - b'X' + b'0',
        _ => return false,
    };
    dni(&characters)
}

/// United Kingdom, HMRC's manual NIM39110: which letters a National Insurance number may begin and end with.
fn nino(characters: &[u8]) -> bool {
    let Some([first, second, ..]) = characters.get(..2) else { return false };
    let is_used = !b"DFIQUV".contains(first) && !b"DFIOQUV".contains(second);
    let is_prefix =
        !matches!(&[*first, *second], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ");
    is_used && is_prefix && matches!(characters.last(), Some(b'A'..=b'D'))
}

/// United States: areas 000, 666 and 900 on, group 00 and serial 0000 are not given out (20 CFR 422.103 and SSA's notes on
/// randomization). Those of advertisements are nobody's.
fn ssn(characters: &[u8]) -> bool {
    let (area, group, serial) =
        (part(characters, 0, 3), part(characters, 3, 5), part(characters, 5, 9));
    // From 900 on they are taxpayers' numbers, whose groups are these.
    let is_taxpayer = area >= 900 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    area != 0
        && area != 666
        && (area < 900 || is_taxpayer)
        && group != 0
        && serial != 0
        && !is_one_digit(characters)
}

/// India: twelve digits, the first of which is 2 to 9, with Verhoeff's check digit. Rows of years and round numbers are none.
fn aadhaar(characters: &[u8]) -> bool {
    let is_row = |group: &[u8]| matches!(number(group), 1_500..=2_200) || group.ends_with(b"00");
    is_aadhaar(characters) && !characters.chunks(4).any(is_row)
}

fn is_aadhaar(characters: &[u8]) -> bool {
    matches!(characters.first(), Some(b'2'..=b'9'))
        && !is_one_digit(characters)
        && verhoeff(&values(characters))
}

/// United Kingdom, the NHS number: 11 less the remainder by 11 of a weighted sum; 10 is not given out.
fn nhs(characters: &[u8]) -> bool {
    let sum = weighted(&values(characters), &[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    (11 - sum % 11) % 11 == part(characters, 9, 10) && !is_one_digit(characters)
}

/// Germany, §139b AO: of the first ten digits one stands there twice or three times; the last checks.
fn steuer_id(characters: &[u8]) -> bool {
    let count = |digit: u8| characters.iter().take(10).filter(|&&other| other == digit).count();
    let most = (b'0'..=b'9').map(count).max();
    let repeated = (b'0'..=b'9').filter(|&digit| count(digit) > 1).count();
    characters.first() != Some(&b'0')
        && repeated == 1
        && matches!(most, Some(2 | 3))
        && mod_11_10(&values(characters))
}

/// Poland: date of birth, with the century added to the month, serial and a check digit.
fn pesel(characters: &[u8]) -> bool {
    let sum = weighted(&values(characters), &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    is_date(part(characters, 2, 4) % 20, part(characters, 4, 6)) && sum.is_multiple_of(10)
}

/// Turkey: a check digit from the odd and even places of nine, and one from the sum of ten.
fn kimlik(characters: &[u8]) -> bool {
    let digits = values(characters);
    let check = weighted(&digits, &[7, 9, 7, 9, 7, 9, 7, 9, 7]) % 10;
    let sum = weighted(&digits, &[1; 10]) % 10;
    characters.first() != Some(&b'0')
        && check == part(characters, 9, 10)
        && sum == part(characters, 10, 11)
}

/// Netherlands: the test of eleven, in which the last digit counts less.
fn bsn(characters: &[u8]) -> bool {
    let digits = values(characters);
    let sum = weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    let last = part(characters, 8, 9);
    sum > last && (sum - last).is_multiple_of(11)
}
