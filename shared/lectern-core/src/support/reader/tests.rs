use super::*;

fn assert_same(one: &str, other: &str, language: &str) {
    let (one, other) = (tokens(one, language), tokens(other, language));
    let all =
        one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| one.equals(other));
    assert!(all, "{one:#?} {other:#?}");
}

#[test]
fn numbers_are_compared_by_value() {
    assert_same("1,000 men", "1000 men", "eng");
    assert_same("1 000 000 Euro", "1.000.000 Euro", "deu");
    assert_same("8 million people", "8,000,000 people", "eng");
    assert_same("twenty-five men", "25 men", "eng");
    assert_same("two hundred fifty men", "250 men", "eng");
    assert_same("50%", "50 percent", "eng");
    assert_same("$5 million", "5 million dollars", "eng");
    assert_same("50万", "五十万", "cmn");
    assert_same("۳۰ دن", "30 دن", "urd");
}

#[test]
fn dates_have_one_order() {
    for written in ["March 12, 2004", "12th of March 2004", "2004-03-12", "12 Mar 2004"] {
        assert_same(written, "12 March 2004", "eng");
    }
    assert_same("12.03.2004", "12. März 2004", "deu");
    assert_same("12 de marzo de 2004", "12/03/2004", "spa");
    let may = tokens("They may march in May 2004.", "eng");
    assert_eq!(may.iter().filter(|token| token.kind == Kind::Month).count(), 1);
}

#[test]
fn names_are_capitalised_within_a_sentence() {
    let kinds: Vec<Kind> =
        tokens("The city of Paris uses IPv4.", "eng").iter().map(|token| token.kind).collect();
    assert_eq!(
        kinds,
        [Kind::Function, Kind::Word, Kind::Function, Kind::Name, Kind::Word, Kind::Name]
    );
}
