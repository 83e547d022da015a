//! Reads the graph that the boundary rules judge, from Cargo and from the source tree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::{
    boundaries::closure_is_judged,
    graph::{Closure, Member, Workspace},
    layers::ADAPTERS,
    steps,
};

/// Returns the folder that holds the workspace's manifest.
pub(crate) fn root() -> Result<PathBuf> {
    let here = Path::new(".");
    let arguments = ["locate-project", "--workspace", "--message-format", "plain"];
    let manifest = steps::output(steps::cargo(here).args(arguments))?;
    let folder = Path::new(manifest.trim_end()).parent().context("the manifest has no folder")?;
    Ok(folder.to_path_buf())
}

/// Returns Cargo's description of the members alone.
pub(crate) fn members(root: &Path) -> Result<Metadata> {
    describe(root, MetadataCommand::new().no_deps())
}

/// Returns the folder of `package`, relative to the root, with `/` between its parts.
pub(crate) fn folder(metadata: &Metadata, package: &Package) -> Result<String> {
    let folder = package.manifest_path.parent().context("a manifest has no folder")?;
    let inside = folder
        .strip_prefix(&metadata.workspace_root)
        .with_context(|| format!("`{}` lies outside the workspace", package.name))?;
    Ok(inside.as_str().replace('\\', "/"))
}

/// Returns whether `package` has a binary.
pub(crate) fn has_binary(package: &Package) -> bool {
    package.targets.iter().any(cargo_metadata::Target::is_bin)
}

/// Reads the whole graph. Takes a `cargo tree` per package that a rule asks about.
pub(crate) fn read(root: &Path) -> Result<Workspace> {
    let metadata = describe(root, MetadataCommand::new().features(CargoOpt::AllFeatures))?;
    let mut workspace = Workspace { resolved: resolved(&metadata)?, ..Workspace::default() };
    for package in metadata.workspace_packages() {
        let member = read_member(root, &metadata, package)?;
        if closure_is_judged(&member) {
            workspace.closures.insert(member.name.clone(), read_closure(root, package)?);
        }
        workspace.members.push(member);
    }
    Ok(workspace)
}

fn describe(root: &Path, command: &mut MetadataCommand) -> Result<Metadata> {
    command
        .cargo_path(steps::cargo(root).get_program())
        .current_dir(root)
        .exec()
        .context("cargo could not describe the workspace")
}

fn read_member(root: &Path, metadata: &Metadata, package: &Package) -> Result<Member> {
    let folder = folder(metadata, package)?;
    let shipped = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development);
    Ok(Member {
        name: package.name.to_string(),
        has_binary: has_binary(package),
        declared: shipped.map(|dependency| dependency.name.clone()).collect(),
        named_by_library: named_by_library(root, &folder)?,
        folder,
    })
}

fn read_closure(root: &Path, package: &Package) -> Result<Closure> {
    // The id, not the name: a package of the registry may have the same name.
    let arguments = ["tree", "--package", &package.id.repr, "--edges", "normal,no-proc-macro"];
    let printed = steps::output(
        steps::cargo(root)
            .args(arguments)
            .args(["--quiet", "--prefix", "depth", "--format", "{p}"]),
    )?;
    Closure::parse(&printed).map_err(|line| anyhow!("`cargo tree` printed an unknown line: {line}"))
}

fn resolved(metadata: &Metadata) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let names: BTreeMap<&PackageId, String> =
        metadata.packages.iter().map(|package| (&package.id, package.name.to_string())).collect();
    let name = |id: &PackageId| {
        names.get(id).cloned().with_context(|| format!("cargo did not describe {id}"))
    };
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in &metadata.resolve.as_ref().context("cargo resolved nothing")?.nodes {
        let below = edges.entry(name(&node.id)?).or_default();
        for dependency in &node.dependencies {
            below.insert(name(dependency)?);
        }
    }
    Ok(edges)
}

/// Returns the adapters that the library of the package in `folder` names in its code: all of `src/`
/// except `main.rs` and the modules it declares.
fn named_by_library(root: &Path, folder: &str) -> Result<BTreeSet<(String, String)>> {
    let source = root.join(folder).join("src");
    let main = fs::read_to_string(source.join("main.rs")).unwrap_or_default();
    let mut composition: Vec<PathBuf> = vec![source.join("main.rs")];
    for module in declared_modules(&main) {
        composition.push(source.join(format!("{module}.rs")));
        composition.push(source.join(module));
    }
    let mut found = BTreeSet::new();
    let mut pending = vec![source];
    while let Some(path) = pending.pop() {
        if composition.contains(&path) {
            continue;
        }
        if path.is_dir() {
            for entry in
                fs::read_dir(&path).with_context(|| format!("could not list {}", path.display()))?
            {
                pending.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("could not read {}", path.display()))?;
            let file = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let named = ADAPTERS.into_iter().filter(|adapter| names(&text, adapter));
            found.extend(named.map(|adapter| (adapter.to_owned(), file.clone())));
        }
    }
    Ok(found)
}

/// Returns the names of the modules that live in files of their own: `mod name;`.
fn declared_modules(text: &str) -> Vec<&str> {
    let declarations = text.lines().filter_map(|line| line.trim().strip_suffix(';'));
    declarations
        .filter_map(|line| line.strip_prefix("pub(crate) ").unwrap_or(line).strip_prefix("mod "))
        .collect()
}

/// Returns whether the code of `text`, comments aside, names the crate of `package`.
fn names(text: &str, package: &str) -> bool {
    let crate_name = package.replace('-', "_");
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .any(|word| word == crate_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_main_are_found() {
        let main = "mod compose;\npub(crate) mod warm;\nuse std::env;\nmod inline {\n}\n";
        assert_eq!(declared_modules(main), ["compose", "warm"]);
    }

    #[test]
    fn a_crate_is_named_by_code_not_by_comments() {
        assert!(names("use lectern_tables::Tables;", "lectern-tables"));
        assert!(names("    let t: lectern_tables::Tables = x;", "lectern-tables"));
        assert!(!names("//! unlike `lectern_tables`\n  // lectern_tables", "lectern-tables"));
        assert!(!names("use lectern_tables_extra::X;", "lectern-tables"));
    }

    #[test]
    fn this_workspace_is_read_as_it_is() {
        let root = root().unwrap();
        let metadata = members(&root).unwrap();
        let packages = metadata.workspace_packages();
        let xtask = packages.iter().find(|package| package.name == "xtask").unwrap();
        let member = read_member(&root, &metadata, xtask).unwrap();
        assert_eq!(member.folder, "infra/xtask");
        assert!(member.has_binary);
        let declared: Vec<_> = member.declared.iter().map(String::as_str).collect();
        assert_eq!(declared, ["anyhow", "cargo_metadata", "clap", "serde_json", "sha2"]);
        let paths = read_closure(&root, xtask).unwrap().paths_to(|name| name == "camino");
        assert_eq!(paths, [["xtask", "cargo_metadata", "camino"]]);
    }
}
