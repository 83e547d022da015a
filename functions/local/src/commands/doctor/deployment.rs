//! The settings each function would get when an environment is deployed.

use std::{collections::BTreeMap, path::Path};

use lectern_core::{
    env::{Env, EnvError, Settings, Variable},
    pricing::PriceTable,
};
use lectern_models::config::{ChatConfig, EmbedderConfig};
use serde::Deserialize;

use super::{
    Check,
    production::models::unpriced,
    template::{Template, Value},
};
use crate::failure::Failure;

/// A function: its name, what is wrong with variables, and which it reads.
type Function = (&'static str, fn(&Env) -> Vec<EnvError>, fn() -> Vec<Variable>);

const fn function<S: Settings>(name: &'static str) -> Function {
    (name, S::problems, S::variables)
}

/// Every function of the stack.
const FUNCTIONS: [Function; 7] = [
    function::<query::settings::Settings>("query"),
    function::<upload::settings::Settings>("upload"),
    function::<ingest::settings::Settings>("ingest"),
    function::<health::settings::Settings>("health"),
    function::<backup::settings::Settings>("backup"),
    function::<admin::settings::Settings>("admin"),
    function::<site::settings::Settings>("site"),
];

/// The part of a SAM configuration file that is read.
#[derive(Debug, Deserialize)]
struct Configuration {
    default: Section,
}

#[derive(Debug, Deserialize)]
struct Section {
    deploy: Deploy,
}

#[derive(Debug, Deserialize)]
struct Deploy {
    parameters: Parameters,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    parameter_overrides: Vec<String>,
}

/// Returns one check per function.
pub(super) fn checks(
    environment: &str,
    stack: &Path,
    given: &[String],
) -> Result<Vec<Check>, Failure> {
    let configuration = stack.join("infra/environments").join(format!("{environment}.toml"));
    let configuration: Configuration = toml::from_str(&read(&configuration)?)
        .map_err(|error| Failure::Failed(format!("{}: {error}", configuration.display())))?;
    let overrides = configuration.default.deploy.parameters.parameter_overrides;
    let mut parameters = BTreeMap::new();
    for assignment in overrides.iter().chain(given) {
        let (name, value) = assignment.split_once('=').ok_or_else(|| {
            Failure::Usage(format!("a parameter is NAME=VALUE, not `{assignment}`"))
        })?;
        parameters.insert(name.to_owned(), unquoted(value));
    }
    let template = read(&stack.join("template.yaml"))?;
    let template = Template::parse(&template, parameters).map_err(Failure::Failed)?;
    let mut checks = vec![overridden(&template), prices(&template)];
    checks.extend(FUNCTIONS.map(|function| check(&template, function)));
    Ok(checks)
}

/// Returns a value without the quotes around it, which SAM takes away: JSON has to stand in them.
fn unquoted(value: &str) -> String {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    match inside('\'') {
        Some(inside) => inside.to_owned(),
        None => inside('"').map_or(value.to_owned(), |text: &str| text.replace("\\\"", "\"")),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::Failed(format!("{}: {error}; name the stack's folder by --stack", path.display()))
    })
}

/// Parameters that the template does not have are mistakes, mostly of spelling.
fn overridden(template: &Template) -> Check {
    let unknown = template.unknown_parameters();
    if unknown.is_empty() {
        return Check::ok("parameters", "all exist");
    }
    let detail = format!("the template has no parameter {}", unknown.join(", "));
    Check::fail("parameters", detail, "correct the name, or remove it")
}

/// A model without a price is counted as the dearest there is.
fn prices(template: &Template) -> Check {
    let set = template.variables("query");
    let text = |name: &str| match set.get(name) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let named = text("LECTERN_CHAT_ALTERNATIVES").split(',').chain([text("LECTERN_CHAT")]);
    let chats: Vec<ChatConfig> =
        named.filter_map(|name| ChatConfig::parse(name.trim()).ok()).collect();
    let embedder = EmbedderConfig::parse(text("LECTERN_EMBEDDER")).unwrap_or(EmbedderConfig::None);
    let own = Some(text("LECTERN_PRICES")).filter(|own| !own.is_empty()).unwrap_or("{}");
    // What cannot be read is told by each function that reads it.
    let prices = PriceTable::overridden(own).unwrap_or_else(|_| PriceTable::built_in());
    let unpriced = unpriced(&chats, &embedder, &prices);
    if unpriced.is_empty() {
        return Check::ok("prices", "each model that may be asked has a price");
    }
    let names = unpriced.into_iter().collect::<Vec<_>>().join(", ");
    let fix = "give it by the parameter Prices: docs/DEPLOYMENT.md#money";
    Check::warn("prices", format!("the price of {names} is not known"), fix)
}

fn check(template: &Template, (name, problems, variables): Function) -> Check {
    let set = template.variables(name);
    let names: Vec<&str> = variables().iter().map(|variable| variable.name).collect();
    let unread: Vec<&str> =
        set.keys().map(String::as_str).filter(|name| !names.contains(name)).collect();
    let undecided = set.iter().filter(|(_, value)| **value == Value::Undecided);
    let undecided: Vec<String> = undecided.map(|(name, _)| name.clone()).collect();
    let known = set.iter().filter_map(|(name, value)| match value {
        Value::Text(text) => Some((name.clone(), text.clone())),
        Value::Undecided => None,
    });
    let env = known.collect::<Env>().with_undecided(undecided.clone());
    let problems = problems(&env);
    if !problems.is_empty() {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let fix = "set the parameter in infra/environments, or give it by --parameter";
        return Check::fail(name, told.join("; "), fix);
    }
    if !unread.is_empty() {
        let detail = format!("{} is set and never read", unread.join(", "));
        return Check::fail(name, detail, "remove it from the template");
    }
    let left = undecided.len();
    let detail = format!("{} settings are fine, {left} are decided by the deployment", set.len());
    Check::ok(name, detail)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::PathBuf};

    use super::*;
    use crate::commands::doctor::Status;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn template() -> Template {
        let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
        Template::parse(&text, BTreeMap::new()).unwrap()
    }

    #[test]
    fn every_environment_has_settings_that_work() {
        for environment in ["dev", "staging", "prod"] {
            let checks = checks(environment, &root(), &[]).unwrap();
            let failed: Vec<_> = checks.iter().filter(|check| check.status != Status::Ok).collect();
            assert!(failed.is_empty(), "{environment}: {failed:?}");
        }
    }

    #[test]
    fn json_stands_in_quotes() {
        for (value, expected) in [
            (
                r#"'{"gpt-4o":{"prompt":1,"completion":2}}'"#,
                r#"{"gpt-4o":{"prompt":1,"completion":2}}"#,
            ),
            (r#""{\"a\":1}""#, r#"{"a":1}"#),
            ("plain", "plain"),
            ("'", "'"),
        ] {
            assert_eq!(unquoted(value), expected);
        }
        let chat = "Chat=openai:mine".to_owned();
        let unpriced = &checks("prod", &root(), std::slice::from_ref(&chat)).unwrap()[1];
        assert_eq!((unpriced.name.as_str(), unpriced.status), ("prices", Status::Warn));
        let prices = [chat, r#"Prices='{"mine":{"prompt":1,"completion":2}}'"#.to_owned()];
        assert_eq!(checks("prod", &root(), &prices).unwrap()[1].status, Status::Ok);
        let prices = r#"Prices='{"gpt-4o":{"prompt":1,"completion":2}}'"#.to_owned();
        let checks = checks("prod", &root(), &[prices]).unwrap();
        assert!(checks.iter().all(|check| check.status == Status::Ok), "{checks:?}");
    }

    #[test]
    fn a_wrong_parameter_is_named_by_every_function_that_reads_it() {
        let given = ["Chat=telepathy", "IndexUrl=host:6334", "Nonsense=1"].map(str::to_owned);
        let checks = checks("prod", &root(), &given).unwrap();
        let detail = |name: &str| {
            let check = checks.iter().find(|check| check.name == name).unwrap();
            (check.status, check.detail.clone())
        };
        let (status, query) = detail("query");
        assert_eq!(status, Status::Fail);
        assert!(
            query.contains("`LECTERN_CHAT`") && query.contains("`LECTERN_INDEX_URL`"),
            "{query}"
        );
        assert!(detail("upload").1.contains("`LECTERN_INDEX_URL`"));
        assert_eq!(detail("site").0, Status::Ok);
        assert!(detail("parameters").1.contains("Nonsense"));
    }

    /// What a function reads and what the template sets are the same names.
    #[test]
    fn template_and_code_name_the_same_variables() {
        let template = template();
        for (name, _, variables) in FUNCTIONS {
            let read: BTreeSet<&str> = variables().iter().map(|variable| variable.name).collect();
            let set = template.variables(name);
            let set: BTreeSet<&str> = set.keys().map(String::as_str).collect();
            let missing: Vec<_> = read.difference(&set).collect();
            let unread: Vec<_> = set.difference(&read).collect();
            // What the template leaves to the default on purpose.
            let defaults = ["LECTERN_INGEST_LEASE_MS", "LECTERN_MODEL_DIRECTORY"];
            let missing: Vec<_> =
                missing.into_iter().filter(|name| !defaults.contains(name)).collect();
            assert!(missing.is_empty() && unread.is_empty(), "{name}: {missing:?} {unread:?}");
        }
    }

    #[test]
    fn the_documentation_and_the_example_have_every_variable() {
        let documentation = std::fs::read_to_string(root().join("docs/CONFIGURATION.md")).unwrap();
        let example = std::fs::read_to_string(root().join(".env.example")).unwrap();
        let names: BTreeSet<&str> = FUNCTIONS
            .iter()
            .flat_map(|(_, _, variables)| variables())
            .map(|variable| variable.name)
            .collect();
        for name in &names {
            assert!(documentation.contains(&format!("| `{name}` |")), "{name} in CONFIGURATION.md");
            assert!(
                example.lines().any(|line| line == format!("{name}=")),
                "{name} in .env.example"
            );
        }
        for line in example.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            assert!(line.ends_with('='), "`{line}` has a value");
        }
    }
}
