use proptest::prelude::*;

use super::*;

fn gold(answers: &[&str]) -> Vec<String> {
    answers.iter().map(|answer| (*answer).to_owned()).collect()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn case_articles_and_punctuation_do_not_count() {
    assert!(exact_match("The Eiffel-Tower!", &gold(&["x", "an eiffeltower"])));
    assert!(!exact_match("Eiffel Tower", &gold(&["Eiffel-Tower"])), "SQuAD joins what it strips");
    assert!(exact_match("«۱۹۴۷»۔", &gold(&["۱۹۴۷"])));
    assert!(exact_match("the €5", &gold(&["€5"])) && !exact_match("anise", &gold(&["ise"])));
    assert!(!exact_match("anything", &[]));
}

#[test]
fn f1_is_that_of_squad() {
    // Tokens 3 and 2, 2 in common: P 2/3, R 1, F1 0.8.
    assert!(close(token_f1("in Paris, France", &gold(&["Paris France"])), 0.8));
    assert!(close(token_f1("in Paris, France", &gold(&["Rome", "in Paris France"])), 1.0));
    assert!(close(token_f1("Rome", &gold(&["Paris"])), 0.0));
    // Repetitions count as often as both have them.
    assert!(close(token_f1("go go go", &gold(&["go go"])), 0.8));
}

#[test]
fn no_answer_equals_no_answer_only() {
    assert!(close(token_f1("", &gold(&[""])), 1.0));
    assert!(close(token_f1("the", &gold(&["a"])), 1.0), "articles are nothing");
    assert!(close(token_f1("Paris", &gold(&[""])), 0.0));
    assert!(close(token_f1("Paris", &[]), 0.0));
}

#[test]
fn characters_of_scripts_without_spaces_are_tokens() {
    assert_eq!(tokens("在1947年。"), ["在", "1947", "年"]);
    // 北京市 against 北京: 2 common of 3 and 2.
    assert!(close(token_f1("北京市", &gold(&["北京"])), 0.8));
    assert!(close(token_f1("東京タワー", &gold(&["東京タワー"])), 1.0));
}

#[test]
fn a_hit_is_a_gold_answer_anywhere_in_the_text() {
    assert!(is_hit("They met in 10th-century Normandy.", &gold(&["the 10th century"])));
    assert!(is_hit("首都は北京市です。", &gold(&["北京"])));
    assert!(is_hit("حضرت علی، کوفہ میں۔", &gold(&["کوفہ"])));
    assert!(!is_hit("Rome", &gold(&["Paris", "...", ""])), "an empty gold answer hits nothing");
}

proptest! {
    #[test]
    fn f1_is_symmetric_and_one_for_equals(one in "\\PC{0,30}", other in "\\PC{0,30}") {
        let forth = token_f1(&one, std::slice::from_ref(&other));
        let back = token_f1(&other, std::slice::from_ref(&one));
        prop_assert!(close(forth, back) && (0.0..=1.0).contains(&forth));
        prop_assert!(close(token_f1(&one, std::slice::from_ref(&one)), 1.0));
        prop_assert!(exact_match(&one, std::slice::from_ref(&one)));
    }

    #[test]
    fn an_exact_match_has_f1_one(one in "[a-c ,]{0,12}", other in "[a-c ,]{0,12}") {
        if exact_match(&one, std::slice::from_ref(&other)) {
            prop_assert!(close(token_f1(&one, &[other]), 1.0));
        }
    }

    #[test]
    fn text_around_an_answer_keeps_the_hit(before in "[a-z ]{0,20}", answer in "[b-z]{1,10}", after in "[a-z ]{0,20}") {
        // An article alone is no answer: SQuAD leaves articles out.
        prop_assume!(answer != "the");
        let text = format!("{before} {answer} {after}");
        prop_assert!(is_hit(&text, &[answer]));
    }
}
