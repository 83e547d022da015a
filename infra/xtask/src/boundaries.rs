//! Which packages may come in, and where; [`crate::layers`] says how this workspace's own packages
//! may use each other.

use std::path::Path;

use anyhow::{Result, bail};

use crate::{
    graph::{Member, Workspace},
    layers::{self, Layer},
    workspace,
};

/// What `lectern-core` and `lectern-telemetry` stay free of, however indirectly. A final `*` stands for any ending.
const NOT_IN_CORE: [&str; 9] =
    ["aws-*", "axum*", "hyper*", "lambda_*", "qdrant-*", "reqwest", "tokio", "tokio-*", "tonic*"];

/// Direct use of a vendor's package, and the folders whose packages may have it.
const VENDORS: [(&str, &[&str]); 5] = [
    ("aws-sdk-*", &["shared/lectern-aws", "shared/lectern-models", "shared/lectern-tables"]),
    ("qdrant-*", &["shared/lectern-index", "shared/lectern-testkit"]),
    (
        "reqwest",
        &[
            "functions/local",
            "shared/lectern-fetch",
            "shared/lectern-models",
            "shared/lectern-stack",
        ],
    ),
    ("axum*", &["functions/*", "shared/lectern-runtime", "shared/lectern-testkit"]),
    ("lambda_*", &["functions/*", "shared/lectern-runtime", "shared/lectern-testkit"]),
];

/// Nowhere in the lock file: the one TLS provider is ring.
const NOWHERE: [&str; 3] = ["aws-lc-*", "native-tls", "openssl-sys"];

/// Embedded engines: only the local process and tests link them.
const EMBEDDED_ENGINES: [&str; 2] = ["dynoxide*", "qdrant-edge"];

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
    matches!(layers::layer(member), Some(Layer::Core | Layer::Telemetry | Layer::Function))
}

/// Returns every breach, as a sentence with the path that shows it.
fn breaches(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for member in &workspace.members {
        found.extend(layers::breaches(workspace, member));
        found.extend(stray_vendors(member));
        found.extend(wrong_links(workspace, member));
    }
    for package in workspace.resolved.keys().filter(|name| matches_any(&NOWHERE, name)) {
        let path = workspace.path_from_a_member(package).join(" → ");
        found.push(format!("`{package}` may be nowhere: {path}"));
    }
    found
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
fn wrong_links(workspace: &Workspace, member: &Member) -> Vec<String> {
    let forbidden: &[&str] = match layers::layer(member) {
        Some(Layer::Core | Layer::Telemetry) => &NOT_IN_CORE,
        Some(Layer::Function) => &EMBEDDED_ENGINES,
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
    use crate::graph::{
        Closure,
        for_test::{a_member, a_workspace, the_design},
    };

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
    fn the_command_line_is_a_client_of_its_own_api() {
        assert_eq!(breaches_with(a_member("functions/local", &["reqwest"])), Vec::<String>::new());
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
}
