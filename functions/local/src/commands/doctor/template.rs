//! The part of a CloudFormation template that says which variables a function gets.
//!
//! Intrinsic functions are worked out as CloudFormation does (AWS CloudFormation Template Reference, "Intrinsic functions")
//! where parameters decide; what a resource decides is left open.

use std::collections::BTreeMap;

use serde_yaml_ng::Value as Yaml;

/// What a variable will hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// This.
    Text(String),
    /// What the deployment decides.
    Undecided,
}

/// A template with its parameters.
#[derive(Debug)]
pub(super) struct Template {
    root: Yaml,
    parameters: BTreeMap<String, String>,
}

/// Prefix of the variables that are Lectern's own.
const OURS: &str = "LECTERN_";
/// How deep conditions may stand in one another.
const MAX_DEPTH: usize = 16;

impl Template {
    /// Returns the template with these parameters; the others have their defaults.
    pub(super) fn parse(text: &str, parameters: BTreeMap<String, String>) -> Result<Self, String> {
        let root = serde_yaml_ng::from_str(text).map_err(|error| format!("template: {error}"))?;
        Ok(Self { root, parameters })
    }

    /// Returns given parameters that the template does not have.
    pub(super) fn unknown_parameters(&self) -> Vec<String> {
        let known = self.at(&["Parameters"]);
        let names = self.parameters.keys();
        names.filter(|name| known.is_none_or(|known| known.get(name).is_none())).cloned().collect()
    }

    /// Returns Lectern's variables of the function `name`, those of all functions included.
    pub(super) fn variables(&self, name: &str) -> BTreeMap<String, Value> {
        let (first, rest) = name.split_at(1);
        let resource = format!("{}{rest}Function", first.to_uppercase());
        let own = ["Resources", &resource, "Properties", "Environment", "Variables"];
        let global = ["Globals", "Function", "Environment", "Variables"];
        let mut variables = BTreeMap::new();
        for place in [&global[..], &own[..]] {
            let Some(Yaml::Mapping(set)) = self.at(place) else { continue };
            for (name, value) in set {
                let Some(name) = name.as_str().filter(|name| name.starts_with(OURS)) else {
                    continue;
                };
                match self.value(value, 0) {
                    // CloudFormation sets it to nothing, which is absent.
                    Value::Text(text) if text.is_empty() => {
                        variables.insert(name.to_owned(), Value::Text(String::new()))
                    }
                    value => variables.insert(name.to_owned(), value),
                };
            }
        }
        variables
    }

    fn at(&self, place: &[&str]) -> Option<&Yaml> {
        place.iter().try_fold(&self.root, |value, name| value.get(name))
    }

    fn parameter(&self, name: &str) -> Value {
        if let Some(given) = self.parameters.get(name) {
            return Value::Text(given.clone());
        }
        let default = self.at(&["Parameters", name, "Default"]);
        default.and_then(scalar).map_or(Value::Undecided, Value::Text)
    }

    fn value(&self, value: &Yaml, depth: usize) -> Value {
        let Yaml::Tagged(tagged) = value else {
            return scalar(value).map_or(Value::Undecided, Value::Text);
        };
        if depth > MAX_DEPTH {
            return Value::Undecided;
        }
        match (tagged.tag.to_string().as_str(), &tagged.value) {
            ("!Ref", Yaml::String(name)) => self.parameter(name),
            ("!Sub", Yaml::String(text)) => self.substituted(text),
            ("!If", Yaml::Sequence(parts)) => match &parts[..] {
                [Yaml::String(condition), yes, no] => match self.condition(condition, depth + 1) {
                    Some(true) => self.value(yes, depth + 1),
                    Some(false) => self.value(no, depth + 1),
                    None => Value::Undecided,
                },
                _ => Value::Undecided,
            },
            _ => Value::Undecided,
        }
    }

    fn substituted(&self, text: &str) -> Value {
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else { return Value::Undecided };
            let Value::Text(value) = self.parameter(name) else { return Value::Undecided };
            whole.push_str(before);
            whole.push_str(&value);
            rest = after;
        }
        whole.push_str(rest);
        Value::Text(whole)
    }

    fn condition(&self, name: &str, depth: usize) -> Option<bool> {
        self.truth(self.at(&["Conditions", name])?, depth)
    }

    fn truth(&self, expression: &Yaml, depth: usize) -> Option<bool> {
        let Yaml::Tagged(tagged) = expression else { return None };
        if depth > MAX_DEPTH {
            return None;
        }
        let parts = || match &tagged.value {
            Yaml::Sequence(parts) => parts.as_slice(),
            _ => &[],
        };
        let truths = || parts().iter().map(|part| self.truth(part, depth + 1));
        match tagged.tag.to_string().as_str() {
            "!Condition" => self.condition(tagged.value.as_str()?, depth + 1),
            "!Equals" => match parts() {
                [left, right] => {
                    match (self.value(left, depth + 1), self.value(right, depth + 1)) {
                        (Value::Text(left), Value::Text(right)) => Some(left == right),
                        _ => None,
                    }
                }
                _ => None,
            },
            "!Not" => truths().next()?.map(|truth| !truth),
            "!And" => truths().try_fold(true, |all, truth| Some(all && truth?)),
            "!Or" => truths().try_fold(false, |any, truth| Some(any || truth?)),
            _ => None,
        }
    }
}

fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(flag) => Some(flag.to_string()),
        Yaml::Null => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Parameters: {Name: {Default: a}, Key: {Default: ''}, Url: {Type: String}}
Conditions:
  HasKey: !Not [!Equals [!Ref Key, '']]
  Both: !And [!Condition HasKey, !Equals [!Ref Name, b]]
Globals: {Function: {Environment: {Variables: {LECTERN_NAME: !Ref Name}}}}
Resources:
  QueryFunction:
    Properties:
      Environment:
        Variables:
          OTHER: 1
          LECTERN_NUMBER: 7
          LECTERN_URL: !Ref Url
          LECTERN_SUB: !Sub 'x-${Name}-y'
          LECTERN_OPEN: !Sub 'x-${Table}'
          LECTERN_ATTRIBUTE: !GetAtt Queue.Url
          LECTERN_KEY: !If [HasKey, !Ref Key, '']
          LECTERN_BOTH: !If [Both, yes-both, not-both]
";

    fn variables(parameters: &[(&str, &str)]) -> BTreeMap<String, Value> {
        let parameters =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Template::parse(TEMPLATE, parameters.collect()).unwrap().variables("query")
    }

    #[test]
    fn parameters_decide_and_resources_leave_open() {
        let text = |text: &str| Value::Text(text.to_owned());
        let plain = variables(&[]);
        assert_eq!(plain.len(), 8, "{plain:?}");
        assert_eq!(plain["LECTERN_NAME"], text("a"));
        assert_eq!(plain["LECTERN_NUMBER"], text("7"));
        assert_eq!(plain["LECTERN_URL"], Value::Undecided);
        assert_eq!(plain["LECTERN_SUB"], text("x-a-y"));
        assert_eq!(plain["LECTERN_OPEN"], Value::Undecided);
        assert_eq!(plain["LECTERN_ATTRIBUTE"], Value::Undecided);
        assert_eq!((&plain["LECTERN_KEY"], &plain["LECTERN_BOTH"]), (&text(""), &text("not-both")));
        let given = variables(&[("Key", "k"), ("Name", "b"), ("Url", "https://u")]);
        assert_eq!(
            (&given["LECTERN_KEY"], &given["LECTERN_BOTH"]),
            (&text("k"), &text("yes-both"))
        );
        assert_eq!(given["LECTERN_URL"], text("https://u"));
    }
}
