//! Which package of this workspace may use which other. Arrows go down only:
//!
//! ```text
//! functions → lectern-stack → lectern-runtime → lectern-app → adapters → lectern-telemetry → lectern-core
//! ```

use crate::graph::{Member, Workspace};

/// Adapters: each knows one part of the outside world, and none of them knows another.
pub(crate) const ADAPTERS: [&str; 6] = [
    "lectern-aws",
    "lectern-fetch",
    "lectern-index",
    "lectern-models",
    "lectern-parse",
    "lectern-tables",
];

/// Where a package stands. A package may use what stands lower, except where a rule says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    Core,
    /// What is measured: names and facades, no exporter.
    Telemetry,
    Adapter,
    App,
    Runtime,
    /// Settings become connections: what the functions' mains have in common.
    Stack,
    Testkit,
    Function,
    /// `functions/local`: all functions in one process.
    Local,
    /// What fuzzers run: every door of the product, and nothing ships it.
    Fuzz,
    /// `infra/*`: knows no package of the product.
    Tool,
}

/// Returns every arrow of `member` that does not point down, and every adapter its library names.
pub(crate) fn breaches(workspace: &Workspace, member: &Member) -> Vec<String> {
    let Some(layer) = layer(member) else {
        return vec![format!("`{}` stands in no layer: give it a place in the rules", member.name)];
    };
    let mut found = wrong_arrows(workspace, member, layer);
    found.extend(named_adapters(member, layer));
    found
}

/// Returns where `member` stands, `None` when the rules have no place for it.
pub(crate) fn layer(member: &Member) -> Option<Layer> {
    let name = member.name.as_str();
    match member.folder.split_once('/')? {
        ("functions", "local") => Some(Layer::Local),
        ("functions", _) => Some(Layer::Function),
        ("infra", _) => Some(Layer::Tool),
        ("shared", _) if ADAPTERS.contains(&name) => Some(Layer::Adapter),
        ("shared", "lectern-core") => Some(Layer::Core),
        ("shared", "lectern-telemetry") => Some(Layer::Telemetry),
        ("shared", "lectern-app") => Some(Layer::App),
        ("shared", "lectern-runtime") => Some(Layer::Runtime),
        ("shared", "lectern-stack") => Some(Layer::Stack),
        ("shared", "lectern-testkit") => Some(Layer::Testkit),
        ("shared", "lectern-fuzz") => Some(Layer::Fuzz),
        _ => None,
    }
}

/// Dependencies on packages of this workspace that do not point down.
fn wrong_arrows(workspace: &Workspace, member: &Member, from: Layer) -> Vec<String> {
    let mut found = Vec::new();
    for other in workspace.members.iter().filter(|other| member.declared.contains(&other.name)) {
        let Some(to) = layer(other) else { continue };
        let reason = match (from, to) {
            (_, Layer::Testkit) => "the testkit is a development dependency only",
            (_, Layer::Tool) | (Layer::Tool, _) => "tools and the product do not know each other",
            (Layer::Adapter, Layer::Adapter) => "no adapter knows another",
            (Layer::Function, Layer::Adapter) if !member.has_binary => {
                "only a function with a `main` composes adapters"
            }
            _ if from > to => continue,
            _ => "arrows go down only",
        };
        found.push(format!("{reason}: {} → {}", member.name, other.name));
    }
    found
}

/// Adapters that the library of a function names; only its `main` may.
fn named_adapters(member: &Member, layer: Layer) -> Vec<String> {
    let named = member.named_by_library.iter();
    let wrong =
        named.filter(|(name, _)| layer == Layer::Function && ADAPTERS.contains(&name.as_str()));
    wrong
        .map(|(name, file)| format!("only `main` and its modules name an adapter: {file} → {name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::for_test::{a_member, the_design};

    /// The breaches of the design with one member replaced or added.
    fn breaches_with(changed: Member) -> Vec<String> {
        let mut members = the_design();
        members.retain(|member| member.name != changed.name);
        members.push(changed);
        let workspace = Workspace { members, ..Workspace::default() };
        workspace.members.iter().flat_map(|member| breaches(&workspace, member)).collect()
    }

    #[test]
    fn the_design_points_down() {
        assert_eq!(breaches_with(a_member("infra/xtask", &["clap"])), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_up_is_a_breach() {
        let found = breaches_with(a_member("shared/lectern-app", &["lectern-runtime"]));
        assert_eq!(found, ["arrows go down only: lectern-app → lectern-runtime"]);
        let found =
            breaches_with(a_member("shared/lectern-core", &["lectern-parse", "lectern-app"]));
        assert_eq!(
            found,
            ["arrows go down only: lectern-core → lectern-app"],
            "parse is not a member"
        );
    }

    #[test]
    fn an_adapter_that_knows_another_is_a_breach() {
        let found = breaches_with(a_member("shared/lectern-models", &["lectern-index"]));
        assert_eq!(found, ["no adapter knows another: lectern-models → lectern-index"]);
    }

    #[test]
    fn one_function_using_another_is_a_breach() {
        let found = breaches_with(a_member("functions/upload", &["query"]));
        assert_eq!(found, ["arrows go down only: upload → query"]);
    }

    #[test]
    fn a_function_without_main_may_not_compose() {
        let mut upload = a_member("functions/upload", &["lectern-tables"]);
        upload.has_binary = false;
        let found = breaches_with(upload);
        assert_eq!(
            found,
            ["only a function with a `main` composes adapters: upload → lectern-tables"]
        );
    }

    #[test]
    fn a_functions_library_may_not_name_an_adapter() {
        let mut upload = a_member("functions/upload", &["lectern-tables"]);
        for name in ["lectern-tables", "lectern-app"] {
            let file = "functions/upload/src/routes.rs".to_owned();
            upload.named_by_library.insert((name.to_owned(), file));
        }
        let expected = "only `main` and its modules name an adapter: functions/upload/src/routes.rs → lectern-tables";
        assert_eq!(breaches_with(upload), [expected]);
    }

    #[test]
    fn a_shipped_testkit_is_a_breach() {
        let found = breaches_with(a_member("functions/upload", &["lectern-testkit"]));
        assert_eq!(
            found,
            ["the testkit is a development dependency only: upload → lectern-testkit"]
        );
    }

    #[test]
    fn a_tool_that_knows_the_product_is_a_breach() {
        let found = breaches_with(a_member("infra/xtask", &["lectern-core"]));
        assert_eq!(found, ["tools and the product do not know each other: xtask → lectern-core"]);
    }

    #[test]
    fn a_package_without_a_place_is_a_breach() {
        let found = breaches_with(a_member("shared/lectern-common", &[]));
        assert_eq!(found, ["`lectern-common` stands in no layer: give it a place in the rules"]);
    }
}
