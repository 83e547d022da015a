//! Check digits. Digits are values from 0 to 9 throughout.

/// Whether the last digit is right by Luhn's formula (ISO/IEC 7812-1, annex B).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Returns the remainder by 97 of a number in ASCII digits and capital letters, which count from 10 (ISO/IEC 7064 MOD 97-10).
pub(super) fn remainder_97(characters: impl Iterator<Item = u8>) -> u32 {
    characters.fold(0, |remainder, character| match character {
        b'A'..=b'Z' => (remainder * 100 + u32::from(character - b'A') + 10) % 97,
        _ => (remainder * 10 + u32::from(character.wrapping_sub(b'0') % 10)) % 97,
    })
}

/// Returns the sum of the digits, each times its weight.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(&digit, weight)| u32::from(digit) * weight).sum()
}

/// Whether the last digit is right by ISO/IEC 7064 MOD 11,10.
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((&check, digits)) = digits.split_last() else { return false };
    let product = digits.iter().fold(10, |product, &digit| {
        let sum = (u32::from(digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(check)
}

/// Whether the last digit is right by Verhoeff's dihedral check (Verhoeff 1969).
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    // The permutation of each place is the first one, applied so many times.
    const STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (place, &digit) in digits.iter().rev().enumerate() {
        let permuted = (0..place % 8).fold(digit, |digit, _| STEP[usize::from(digit % 10)]);
        check = dihedral(check, permuted);
    }
    check == 0
}

/// Returns the product in the dihedral group of the pentagon: 0 to 4 are its rotations, 5 to 9 its reflections.
fn dihedral(left: u8, right: u8) -> u8 {
    let rotation = match (left < 5, right < 5) {
        (true, _) => left + right,
        (false, true) => left + 5 - right,
        (false, false) => left + 10 - right,
    };
    rotation % 5 + if (left < 5) == (right < 5) { 0 } else { 5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    /// A right number passes, and with another last digit it does not.
    fn only_last(check: fn(&[u8]) -> bool, text: &str) {
        let mut digits = digits(text);
        assert!(check(&digits), "{text}");
        for _ in 0..9 {
            let last = digits.last_mut().unwrap();
            *last = (*last + 1) % 10;
            assert!(!check(&digits), "{digits:?}");
        }
    }

    #[test]
    fn check_digits_are_checked() {
        only_last(luhn, "79927398713");
        only_last(luhn, "4111111111111111");
        only_last(mod_11_10, "86095742719");
        only_last(verhoeff, "2363");
        only_last(verhoeff, "123451");
        assert_eq!(remainder_97(b"3214282912345698765432161182".iter().copied()), 1);
        assert_eq!(remainder_97(b"WEST12345698765432GB82".iter().copied()), 1);
        assert!(!mod_11_10(&[]));
    }

    #[test]
    fn the_dihedral_group_is_one() {
        for (left, right, product) in
            [(1, 4, 0), (1, 5, 6), (5, 1, 9), (5, 6, 4), (9, 9, 0), (7, 3, 9)]
        {
            assert_eq!(dihedral(left, right), product, "{left} {right}");
        }
    }
}
