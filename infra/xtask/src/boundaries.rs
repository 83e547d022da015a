//! Which package may use which. Arrows go down only:
//!
//! ```text
//! functions → lectern-runtime → lectern-app → adapters → lectern-core
//! ```

use std::path::Path;

use anyhow::{Result, bail};

use crate::{
    graph::{Member, Workspace},
    workspace,
};

/// Adapters: each knows one part of the outside world, and none of them knows another.
pub(crate) const ADAPTERS: [&str; 5] =
    ["lectern-aws", "lectern-index", "lectern-models", "lectern-parse", "lectern-tables"];

/// What `lectern-core` stays free of, however indirectly. A final `*` stands for any ending.
const NOT_IN_CORE: [&str; 9] =
    ["aws-*", "axum*", "hyper*", "lambda_*", "qdrant-*", "reqwest", "tokio", "tokio-*", "tonic*"];

/// Direct use of a vendor's package, and the folders whose packages may have it.
const VENDORS: [(&str, &[&str]); 5] = [
    ("aws-sdk-*", &["shared/lectern-aws", "shared/lectern-tables"]),
    ("qdrant-*", &["shared/lectern-index", "shared/lectern-testkit"]),
    ("reqwest", &["shared/lectern-models"]),
    ("axum*", &["functions/*", "shared/lectern-runtime", "shared/lectern-testkit"]),
    ("lambda_*", &["functions/*", "shared/lectern-runtime", "shared/lectern-testkit"]),
];

/// Nowhere in the lock file: the one TLS provider is ring.
const NOWHERE: [&str; 3] = ["aws-lc-*", "native-tls", "openssl-sys"];

/// Embedded engines: only the local process and tests link them.
const EMBEDDED_ENGINES: [&str; 2] = ["dynoxide*", "qdrant-edge"];

/// Where a package stands. A package may use what stands lower, except where a rule says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Core,
    Adapter,
    App,
    Runtime,
    Testkit,
    Function,
    /// `functions/local`: all functions in one process.
    Local,
    /// `infra/*`: knows no package of the product.
    Tool,
}

/// Reads the workspace, prints every breach with its path, and fails when there is one.
pub(crate) fn run(root: &Path) -> Result<()> {
    let workspace = workspace::read(root)?;
    let breaches = breaches(&workspace);
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} boundary breaches", breaches.len());
    }
    println!("{} packages keep to their boundaries", workspace.members.len());
    Ok(())
}

/// Returns whether the rules ask what `member` links when it is built alone.
pub(crate) fn closure_is_judged(member: &Member) -> bool {
    matches!(layer(member), Some(Layer::Core | Layer::Function))
}

/// Returns every breach, as a sentence with the path that shows it.
fn breaches(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for member in &workspace.members {
        let Some(layer) = layer(member) else {
            found.push(format!(
                "`{}` stands in no layer: give it a place in the rules",
                member.name
            ));
            continue;
        };
        found.extend(wrong_arrows(workspace, member, layer));
        found.extend(named_adapters(member, layer));
        found.extend(stray_vendors(member));
        found.extend(wrong_links(workspace, member, layer));
    }
    for package in workspace.resolved.keys().filter(|name| matches_any(&NOWHERE, name)) {
        let path = workspace.path_from_a_member(package).join(" → ");
        found.push(format!("`{package}` may be nowhere: {path}"));
    }
    found
}

fn layer(member: &Member) -> Option<Layer> {
    let name = member.name.as_str();
    match member.folder.split_once('/')? {
        ("functions", "local") => Some(Layer::Local),
        ("functions", _) => Some(Layer::Function),
        ("infra", _) => Some(Layer::Tool),
        ("shared", _) if ADAPTERS.contains(&name) => Some(Layer::Adapter),
        ("shared", "lectern-core") => Some(Layer::Core),
        ("shared", "lectern-app") => Some(Layer::App),
        ("shared", "lectern-runtime") => Some(Layer::Runtime),
        ("shared", "lectern-testkit") => Some(Layer::Testkit),
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

/// Direct dependencies on a vendor's package outside the adapter that owns it.
fn stray_vendors(member: &Member) -> Vec<String> {
    let mut found = Vec::new();
    for (vendor, homes) in VENDORS {
        if matches_any(homes, &member.folder) {
            continue;
        }
        for package in member.declared.iter().filter(|name| matches_any(&[vendor], name)) {
            found.push(format!(
                "`{vendor}` is used only in {}: {} → {package}",
                homes.join(", "),
                member.name
            ));
        }
    }
    found
}

/// Packages that `member` may not link, even through others.
fn wrong_links(workspace: &Workspace, member: &Member, layer: Layer) -> Vec<String> {
    let forbidden: &[&str] = match layer {
        Layer::Core => &NOT_IN_CORE,
        Layer::Function => &EMBEDDED_ENGINES,
        _ => return Vec::new(),
    };
    let Some(closure) = workspace.closures.get(&member.name) else {
        return vec![format!("nothing is known of what `{}` links", member.name)];
    };
    let paths = closure.paths_to(|name| matches_any(forbidden, name));
    let sentence =
        |path: Vec<String>| format!("`{}` may not link this: {}", member.name, path.join(" → "));
    paths.into_iter().map(sentence).collect()
}

fn matches_any(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => *pattern == name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Closure;

    fn a_member(folder: &str, declared: &[&str]) -> Member {
        Member {
            name: folder.split('/').next_back().unwrap().to_owned(),
            folder: folder.to_owned(),
            has_binary: folder.starts_with("functions/"),
            declared: declared.iter().map(|&name| name.to_owned()).collect(),
            ..Member::default()
        }
    }

    /// A workspace whose members link only what they declare.
    fn a_workspace(members: Vec<Member>) -> Workspace {
        let mut workspace = Workspace { members, ..Workspace::default() };
        for member in &workspace.members {
            let below: String =
                member.declared.iter().map(|name| format!("1{name} v1\n")).collect();
            let closure = Closure::parse(&format!("0{} v1\n{below}", member.name)).unwrap();
            workspace.closures.insert(member.name.clone(), closure);
            workspace.resolved.insert(member.name.clone(), member.declared.clone());
        }
        workspace
    }

    fn the_design() -> Vec<Member> {
        vec![
            a_member("shared/lectern-core", &["serde"]),
            a_member("shared/lectern-tables", &["lectern-core", "aws-sdk-dynamodb", "dynoxide-rs"]),
            a_member("shared/lectern-aws", &["lectern-core", "aws-sdk-sqs"]),
            a_member("shared/lectern-index", &["lectern-core", "qdrant-client", "qdrant-edge"]),
            a_member("shared/lectern-models", &["lectern-core", "reqwest"]),
            a_member("shared/lectern-app", &["lectern-core", "lectern-tables", "lectern-index"]),
            a_member(
                "shared/lectern-runtime",
                &["lectern-app", "lectern-core", "axum", "lambda_http"],
            ),
            a_member(
                "shared/lectern-testkit",
                &["lectern-app", "lectern-index", "qdrant-client", "axum"],
            ),
            a_member(
                "functions/query",
                &["lectern-runtime", "lectern-app", "lectern-tables", "axum"],
            ),
            a_member("functions/local", &["query", "lectern-runtime", "lectern-index", "axum"]),
            a_member("infra/xtask", &["clap"]),
        ]
    }

    /// The breaches of the design with one member replaced or added.
    fn breaches_with(changed: Member) -> Vec<String> {
        let mut members = the_design();
        members.retain(|member| member.name != changed.name);
        members.push(changed);
        breaches(&a_workspace(members))
    }

    #[test]
    fn the_design_has_no_breach() {
        assert_eq!(breaches(&a_workspace(the_design())), Vec::<String>::new());
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
    fn a_vendor_away_from_home_is_a_breach() {
        for (folder, vendor) in [
            ("shared/lectern-app", "aws-sdk-dynamodb"),
            ("functions/upload", "qdrant-client"),
            ("functions/upload", "reqwest"),
            ("shared/lectern-models", "axum"),
            ("shared/lectern-aws", "lambda_runtime"),
        ] {
            let found = breaches_with(a_member(folder, &[vendor]));
            assert_eq!(found.len(), 1, "{folder} {vendor}: {found:?}");
            assert!(found[0].ends_with(&format!("→ {vendor}")), "{found:?}");
        }
    }

    #[test]
    fn core_links_no_runtime_even_through_others() {
        let mut workspace = a_workspace(the_design());
        let printed =
            "0lectern-core v1\n1futures v1\n2tokio v1\n1serde v1\n2aws-types v1\n1tokenizers v1";
        let closure = Closure::parse(printed).unwrap();
        workspace.closures.insert("lectern-core".to_owned(), closure);
        assert_eq!(
            breaches(&workspace),
            [
                "`lectern-core` may not link this: lectern-core → futures → tokio",
                "`lectern-core` may not link this: lectern-core → serde → aws-types",
            ]
        );
    }

    #[test]
    fn a_function_links_no_embedded_engine_even_through_others() {
        let mut workspace = a_workspace(the_design());
        let printed =
            "0query v1\n1lectern-index v1\n2qdrant-edge v1\n1lectern-tables v1\n2dynoxide-rs v3";
        workspace.closures.insert("query".to_owned(), Closure::parse(printed).unwrap());
        assert_eq!(
            breaches(&workspace),
            [
                "`query` may not link this: query → lectern-index → qdrant-edge",
                "`query` may not link this: query → lectern-tables → dynoxide-rs",
            ]
        );
    }

    #[test]
    fn a_closure_that_was_not_read_is_a_breach() {
        let mut workspace = a_workspace(the_design());
        workspace.closures.remove("query");
        assert_eq!(breaches(&workspace), ["nothing is known of what `query` links"]);
    }

    #[test]
    fn another_tls_provider_is_a_breach_wherever_it_comes_from() {
        let mut workspace = a_workspace(the_design());
        let rustls = ["aws-lc-rs", "ring"].map(str::to_owned).into();
        workspace.resolved.insert("reqwest".to_owned(), rustls);
        workspace.resolved.insert("aws-lc-rs".to_owned(), Default::default());
        assert_eq!(
            breaches(&workspace),
            ["`aws-lc-rs` may be nowhere: lectern-models → reqwest → aws-lc-rs"]
        );
    }

    #[test]
    fn a_package_without_a_place_is_a_breach() {
        let found = breaches_with(a_member("shared/lectern-common", &[]));
        assert_eq!(found, ["`lectern-common` stands in no layer: give it a place in the rules"]);
    }
}
