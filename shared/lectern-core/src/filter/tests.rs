use super::*;
use crate::settings::Schema;

fn parse(json: &str) -> Filter {
    serde_json::from_str(json).unwrap()
}

fn broken(filter: &Filter) -> (String, FilterRule) {
    let error = filter.validate().unwrap_err();
    (error.pointer, error.rule)
}

#[test]
fn reads_every_form_and_writes_it_back() {
    for (json, form) in [
        (r#"{"all":[]}"#, "All"),
        (r#"{"any":[{"all":[]}]}"#, "Any"),
        (r#"{"not":{"field":"a","equals":true}}"#, "Not"),
        (r#"{"documents":[]}"#, "Documents"),
        (r#"{"field":"a","equals":"b"}"#, "Equals"),
        (r#"{"field":"a","in":[1,2]}"#, "In"),
        (r#"{"field":"a","gte":1.0,"lt":2.5}"#, "Range"),
        (r#"{"field":"a","gt":"2026-11-21","lte":"2026-11-21T10:00:00Z"}"#, "Dates"),
    ] {
        let filter = parse(json);
        assert!(format!("{filter:?}").starts_with(form), "{filter:?}");
        assert_eq!(serde_json::to_string(&filter).unwrap(), json);
    }
}

#[test]
fn refuses_what_is_no_condition_or_more_than_one() {
    for json in [
        r"{}",
        r#"{"field":"a"}"#,
        r#"{"field":"a","equals":1,"in":[1]}"#,
        r#"{"all":[],"any":[]}"#,
        r#"{"all":[],"gt":1}"#,
        r#"{"equals":1}"#,
        r#"{"field":"a","gt":1,"lt":"2026-11-21"}"#,
        r#"{"field":"a","gt":"yesterday"}"#,
        r#"{"field":"a","gt":true}"#,
        r#"{"field":"a","like":"b"}"#,
    ] {
        assert!(serde_json::from_str::<Filter>(json).is_err(), "{json}");
    }
}

#[test]
fn bounds_hold_and_the_place_is_named() {
    let leaf = r#"{"field":"a","equals":"b"}"#;
    let wide = |count| format!(r#"{{"all":[{}]}}"#, vec![leaf; count].join(","));
    assert_eq!(parse(&wide(MAX_CONDITIONS - 1)).validate(), Ok(()));
    let last = format!("/all/{}", MAX_CONDITIONS - 1);
    assert_eq!(broken(&parse(&wide(MAX_CONDITIONS))), (last, FilterRule::TooMany));
    let nested =
        |depth: usize| format!("{}{leaf}{}", r#"{"not":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(parse(&nested(MAX_DEPTH - 1)).validate(), Ok(()));
    assert_eq!(broken(&parse(&nested(MAX_DEPTH))), ("/not".repeat(MAX_DEPTH), FilterRule::TooDeep));
    let many = format!(r#"{{"field":"a","in":[{}]}}"#, vec!["1"; MAX_CONDITIONS + 1].join(","));
    assert_eq!(broken(&parse(&many)), ("/in".into(), FilterRule::TooMany));
    let named = parse(r#"{"any":[{"field":"a b","equals":"c"}]}"#);
    assert_eq!(broken(&named), ("/any/0/field".into(), FilterRule::Field("a b".into())));
    let value = parse(r#"{"not":{"field":"a","in":["x",1.5]}}"#);
    assert_eq!(broken(&value), ("/not/in/1".into(), FilterRule::Value("a".into())));
    assert!(parse(r#"{"field":"a","equals":1.5}"#).validate().is_err());
}

#[test]
fn a_schema_knows_its_fields_and_what_they_hold() {
    let schema = r#"{"team":"keyword","year":"number","signed":"date","draft":"boolean"}"#;
    let schema: Schema = serde_json::from_str(schema).unwrap();
    for right in [
        r#"{"field":"team","in":["ops"]}"#,
        r#"{"field":"year","equals":2026}"#,
        r#"{"field":"year","gt":2020}"#,
        r#"{"field":"signed","lt":"2026-01-01"}"#,
        r#"{"all":[{"field":"draft","equals":false},{"documents":[]}]}"#,
    ] {
        assert_eq!(parse(right).validate_against(&schema), Ok(()), "{right}");
    }
    for (wrong, pointer) in [
        (r#"{"field":"colour","equals":"red"}"#, "/field"),
        (r#"{"all":[{"field":"team","equals":7}]}"#, "/all/0/equals"),
        (r#"{"field":"team","in":["ops",true]}"#, "/in/1"),
        (r#"{"field":"team","gte":1}"#, "/gte"),
        (r#"{"not":{"field":"year","lt":"2026-01-01"}}"#, "/not/lt"),
        (r#"{"field":"year","equals":"2026"}"#, "/equals"),
        (r#"{"field":"signed","equals":"2026-01-01"}"#, "/equals"),
        (r#"{"field":"signed","lte":2026}"#, "/lte"),
        (r#"{"any":[{"field":"draft","in":["no"]}]}"#, "/any/0/in/0"),
    ] {
        let error = parse(wrong).validate_against(&schema).unwrap_err();
        assert_eq!(error.pointer, pointer, "{wrong}: {error}");
    }
}
