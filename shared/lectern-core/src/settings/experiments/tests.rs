use serde_json::{Value, json};

use super::*;

fn read(experiments: &Value) -> CollectionSettings {
    serde_json::from_value(json!({ "experiments": experiments })).unwrap()
}

fn pointers(experiments: &Value) -> Vec<String> {
    let wrong = read(experiments).validate().err().unwrap_or_default();
    wrong.into_iter().map(|error| error.pointer).collect()
}

fn variants(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "name": name, "weight": 1 })).collect()
}

#[test]
fn a_full_declaration_is_valid_and_reads_back() {
    let declared = json!([
        {"name": "retrieval", "variants": [
            {"name": "control", "weight": 3},
            {"name": "wide", "weight": 1, "fusion": {"method": "rrf", "k": 60.0}, "passages": 12,
             "neighbours": 2, "rerank": {"candidates": 50, "budget_ms": 300}, "mmr": {"lambda": 0.5}},
            {"name": "plain", "weight": 1, "rerank": "off", "mmr": "off"},
        ]},
        {"name": "wording", "variants": [
            {"name": "control", "weight": 1000},
            {"name": "short", "weight": 1000, "prompt": "concise", "model": "openai:gpt-4o-mini"},
        ]},
    ]);
    let settings = read(&declared);
    assert_eq!(settings.validate(), Ok(()));
    assert_eq!(serde_json::to_value(&settings).unwrap()["experiments"], declared);
}

#[test]
fn a_variant_changes_what_it_names_and_nothing_else() {
    let settings = read(&json!([{"name": "x", "variants": [
        {"name": "control", "weight": 1},
        {"name": "off", "weight": 1, "rerank": "off"},
        {"name": "on", "weight": 1, "rerank": {}, "passages": 3, "model": "m", "prompt": "concise"},
    ]}]));
    let mut base = CollectionSettings::default();
    base.retrieval.rerank = Some(Rerank { candidates: 7, budget_ms: 7 });
    base.answers.model = Some("old".into());
    let applied = |number: usize| {
        let mut changed = base.clone();
        settings.experiments[0].variants[number].apply(&mut changed);
        changed
    };
    assert_eq!(applied(0), base);
    let mut off = base.clone();
    off.retrieval.rerank = None;
    assert_eq!(applied(1), off);
    let mut on = base.clone();
    on.retrieval.rerank = Some(Rerank::default());
    on.retrieval.passages = 3;
    on.answers.model = Some("m".into());
    on.answers.prompt = PromptName::Concise;
    assert_eq!(applied(2), on);
}

#[test]
fn everything_out_of_range_is_named() {
    let declared = json!([
        {"name": "one", "variants": [
            {"name": "a", "weight": 0, "passages": 0, "neighbours": 9},
            {"name": "a", "weight": 1001, "rerank": {"candidates": 0}, "mmr": {"lambda": 2.0}, "model": ""},
        ]},
        {"name": "one", "variants": variants(&["a"])},
        {"name": "six", "variants": variants(&["a", "b", "c", "d", "e", "f"])},
    ]);
    assert_eq!(
        pointers(&declared),
        [
            "/experiments/0/variants/0/weight",
            "/experiments/0/variants/0/passages",
            "/experiments/0/variants/0/neighbours",
            "/experiments/0/variants/1/name",
            "/experiments/0/variants/1/weight",
            "/experiments/0/variants/1/mmr/lambda",
            "/experiments/0/variants/1/rerank/candidates",
            "/experiments/0/variants/1/model",
            "/experiments/1/name",
            "/experiments/1/variants",
            "/experiments/2/variants",
        ]
    );
    let experiment =
        |number: usize| json!({"name": format!("e{number}"), "variants": variants(&["a", "b"])});
    let four: Vec<Value> = (0..MAX_EXPERIMENTS).map(experiment).collect();
    assert_eq!(pointers(&json!(four)), [""; 0]);
    let five: Vec<Value> = (0..=MAX_EXPERIMENTS).map(experiment).collect();
    assert_eq!(pointers(&json!(five)), ["/experiments"]);
}

#[test]
fn two_experiments_on_one_setting_are_refused_by_name() {
    let declared = json!([
        {"name": "tone", "variants": [
            {"name": "control", "weight": 1}, {"name": "short", "weight": 1, "prompt": "concise"}]},
        {"name": "mixed", "variants": [
            {"name": "control", "weight": 1, "passages": 4},
            {"name": "both", "weight": 1, "passages": 9, "prompt": "answer"}]},
    ]);
    let wrong = read(&declared).validate().unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0].pointer, "/experiments/1/variants/1/prompt");
    assert_eq!(wrong[0].message, "the experiment `tone` changes it already");
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    let refused = |variant: Value| {
        let declared = json!({"experiments": [{"name": "x", "variants": [variant]}]});
        serde_json::from_value::<CollectionSettings>(declared).unwrap_err().to_string()
    };
    let with = |name: &str, value: Value| {
        let mut variant = json!({"name": "a", "weight": 1});
        variant[name] = value;
        refused(variant)
    };
    assert!(with("rerank", json!("on")).contains("expected `off` or an object"));
    assert!(with("mmr", json!({"lamda": 1})).contains("`lamda`"));
    assert!(with("prompt", json!("terse")).contains("`answer` or `concise`"));
    assert!(with("colour", json!(1)).contains("`colour`"));
    assert!(with("name", json!("a#b")).contains("a-z"));
    assert!(refused(json!({"name": "a"})).contains("`weight`"));
}
