//! From stored or sent JSON to settings.

use serde_json::{Map, Value};

use super::{CollectionSettings, SettingError, schema::escaped};

impl CollectionSettings {
    /// Returns the settings that `written` spells out, defaults for the rest.
    ///
    /// # Errors
    /// Everything that is out of range, or the first setting that is unknown or of another type, each with a
    /// JSON pointer from the settings object.
    pub fn read(written: &Map<String, Value>) -> Result<Self, Vec<SettingError>> {
        if let Some(pointer) = list(written, "") {
            return Err(vec![SettingError { pointer, message: "must not be a list".to_owned() }]);
        }
        let settings: Self = serde_path_to_error::deserialize(Value::Object(written.clone()))
            .map_err(|error| {
                let pointer = pointer(error.path());
                vec![SettingError { pointer, message: error.into_inner().to_string() }]
            })?;
        settings.validate()?;
        Ok(settings)
    }
}

/// The settings that are lists, by name: of experiments, of an experiment's variants, and of kinds of personal data.
const LISTS: [&str; 3] = ["experiments", "variants", "redact"];

/// Returns where a list stands that should not: serde would take one for an object.
fn list(written: &Map<String, Value>, at: &str) -> Option<String> {
    written.iter().find_map(|(name, value)| {
        let pointer = format!("{at}/{}", escaped(name));
        match value {
            Value::Array(items) if LISTS.contains(&name.as_str()) => {
                items.iter().enumerate().find_map(|(index, item)| {
                    let pointer = format!("{pointer}/{index}");
                    match item {
                        Value::Array(_) => Some(pointer),
                        Value::Object(inner) => list(inner, &pointer),
                        _ => None,
                    }
                })
            }
            Value::Array(_) => Some(pointer),
            Value::Object(inner) => list(inner, &pointer),
            _ => None,
        }
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segments = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escaped(key)),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    });
    segments.collect()
}

/// Applies a JSON merge patch (RFC 7396) to an object: `null` removes, objects are merged, anything else replaces.
pub fn merge_patch(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, change) in patch {
        match change {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(change) => {
                let inner = target.entry(name).or_insert(Value::Null);
                if !inner.is_object() {
                    *inner = Value::Object(Map::new());
                }
                if let Value::Object(inner) = inner {
                    merge_patch(inner, change);
                }
            }
            value => {
                target.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { unreachable!() };
        object
    }

    #[test]
    fn unknown_and_ill_typed_settings_are_named_by_pointer() {
        for (written, pointer) in [
            (json!({"retrieval": {"mmr": {"lambda": 2}}}), "/retrieval/mmr/lambda"),
            (json!({"retrieval": {"mmr": {"lambda": "x"}}}), "/retrieval/mmr/lambda"),
            (json!({"retrieval": {"mmr": {}}}), "/retrieval/mmr"),
            (json!({"retrieval": {"k": 1}}), "/retrieval/k"),
            (json!({"retrieval": {"fusion": {"method": "magic"}}}), "/retrieval/fusion/method"),
            (json!({"retrieval": {"fusion": {"method": "rrf", "k": 0}}}), "/retrieval/fusion"),
            (json!({"retrieval": {"passages": -1}}), "/retrieval/passages"),
            (json!({"colour": 1}), "/colour"),
            (json!({"answers": {"unsupported": "burn"}}), "/answers/unsupported"),
            (json!({"schema": {"year": "numeral"}}), "/schema/year"),
            (json!({"safety": {"redact": ["email", "emails"]}}), "/safety/redact/1"),
            (json!({"safety": {"redact": ["email", "email"]}}), "/safety/redact"),
            (json!({"safety": {"redact": [["email"]]}}), "/safety/redact/0"),
            (json!({"safety": {"redact": "email"}}), "/safety/redact"),
            (json!({"safety": {"redact_at": "never"}}), "/safety/redact_at"),
            (json!({"retrieval": []}), "/retrieval"),
            (json!({"retrieval": {"mmr": [0.5]}}), "/retrieval/mmr"),
            (json!({"experiments": [[]]}), "/experiments/0"),
            (
                json!({"experiments": [{"name": "a", "variants": [{"mmr": [1]}]}]}),
                "/experiments/0/variants/0/mmr",
            ),
            (
                json!({"experiments": [{"name": "a", "variants": [[]]}]}),
                "/experiments/0/variants/0",
            ),
        ] {
            let wrong = CollectionSettings::read(&object(written.clone())).unwrap_err();
            assert_eq!(wrong[0].pointer, pointer, "{written}: {wrong:?}");
        }
        assert_eq!(CollectionSettings::read(&Map::new()), Ok(CollectionSettings::default()));
        let experiment = json!({"name": "a", "variants": [
            {"name": "one", "weight": 1}, {"name": "two", "weight": 1, "passages": 3}]});
        let read = CollectionSettings::read(&object(json!({"experiments": [experiment]}))).unwrap();
        assert_eq!(read.experiments[0].variants[1].passages, Some(3));
    }

    #[test]
    fn what_is_redacted_is_replaced_by_a_patch_and_nothing_without_it() {
        let mut written = object(json!({"safety": {"redact": ["phone"], "hostile": "withhold"}}));
        for (patch, kinds, at) in [
            (json!({"redact": ["iban", "email"]}), json!(["email", "iban"]), "answer"),
            (json!({"redact_at": "ingestion"}), json!(["email", "iban"]), "ingestion"),
            (json!({"redact": []}), json!([]), "ingestion"),
            (json!({"redact": ["card"], "redact_at": null}), json!(["card"]), "answer"),
            (json!({"redact": null}), json!([]), "answer"),
        ] {
            merge_patch(&mut written, object(json!({"safety": patch})));
            let safety = CollectionSettings::read(&written).unwrap().safety;
            let value = serde_json::to_value(safety).unwrap();
            assert_eq!((&value["redact"], &value["redact_at"]), (&kinds, &at.into()), "{patch}");
            assert_eq!(value["hostile"], "withhold");
        }
    }

    #[test]
    fn a_patch_merges_as_rfc_7396_says() {
        // The cases of its appendix A that patch an object with an object.
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = object(target);
            merge_patch(&mut merged, object(patch));
            assert_eq!(Value::Object(merged), result);
        }
    }
}
