//! A bill of materials (CycloneDX 1.6) for each binary: `target/sbom/<binary>.cdx.json`.
//!
//! Written here, because what a function links is known only when it is resolved alone. Tools that ask `cargo metadata` list
//! for every function what any package of the workspace asks for, embedded engines included. The same commit gives the
//! same bytes: there is no serial number, and the time is the commit's.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    linked::{self, Id, Tree},
    package, steps, workspace,
};

/// What functions run on unless `Architecture` says otherwise.
pub(crate) const PLATFORM: &str = "aarch64-unknown-linux-gnu";
/// Where bills are written.
const FOLDER: &str = "target/sbom";

/// What the bill of one binary is made from.
struct Binary<'a> {
    name: &'a str,
    /// All that takes part in the build.
    built: Tree,
    /// What is in the binary.
    linked: Tree,
}

/// The state of the source.
struct Commit {
    id: String,
    time: String,
}

/// Writes the bill of every binary of a function.
pub(crate) fn run(root: &Path, platform: &str) -> Result<()> {
    let metadata = workspace::members(root)?;
    let commit = commit(root)?;
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock is gone")?;
    let checksums = linked::checksums(&lock);
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("{FOLDER} cannot be made"))?;
    for binary in package::function_binaries(&metadata)? {
        let found = metadata.workspace_packages().into_iter().find(|p| p.name == binary.package);
        let id = &found.context("a binary has no package")?.id.repr;
        let binary = Binary {
            name: &binary.name,
            built: tree(root, id, platform, "normal,build")?,
            linked: tree(root, id, platform, "normal,no-proc-macro")?,
        };
        let bill = bill(&binary, &checksums, &commit);
        let text = serde_json::to_string_pretty(&bill)? + "\n";
        let file = format!("{FOLDER}/{}.cdx.json", binary.name);
        fs::write(root.join(&file), text).with_context(|| format!("{file} cannot be written"))?;
        let (linked, built) = (binary.linked.packages.len(), binary.built.packages.len());
        println!("{file}: {linked} packages linked, {built} built");
    }
    Ok(())
}

fn tree(root: &Path, package: &str, platform: &str, edges: &str) -> Result<Tree> {
    let mut cargo = steps::cargo(root);
    cargo.args(["tree", "--quiet", "--locked", "--package", package, "--target", platform]);
    cargo.args(["--edges", edges, "--prefix", "depth", "--format", linked::FORMAT]);
    Tree::parse(&steps::output(&mut cargo)?)
}

fn commit(root: &Path) -> Result<Commit> {
    let mut git = Command::new("git");
    git.current_dir(root).env("TZ", "UTC").args(["show", "--no-patch", "HEAD"]);
    git.args(["--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H %cd"]);
    let printed = steps::output(&mut git)?;
    let (id, time) = printed.trim_end().split_once(' ').context("git shows no commit")?;
    Ok(Commit { id: id.to_owned(), time: time.to_owned() })
}

fn bill(binary: &Binary<'_>, checksums: &BTreeMap<Id, String>, commit: &Commit) -> Value {
    let Binary { name, built, linked } = binary;
    let components: Vec<Value> = built
        .packages
        .keys()
        .filter(|id| **id != built.top)
        .map(|id| component(built, id, linked.packages.contains_key(id), checksums.get(id)))
        .collect();
    let dependencies: Vec<Value> = built
        .packages
        .keys()
        .map(|id| {
            let below: Vec<String> =
                built.needs.get(id).into_iter().flatten().map(|id| reference(built, id)).collect();
            json!({"ref": reference(built, id), "dependsOn": below})
        })
        .collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": commit.time,
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "application",
                "bom-ref": reference(built, &built.top),
                "name": name,
                "version": built.top.version,
                "licenses": [{"expression": built.packages[&built.top].licence}],
            },
            "properties": [{"name": "lectern:commit", "value": commit.id}],
        },
        "components": components,
        "dependencies": dependencies,
    })
}

/// `excluded` is what runs while the binary is built and is not in it: build scripts, procedural macros.
fn component(tree: &Tree, id: &Id, is_linked: bool, checksum: Option<&String>) -> Value {
    let facts = &tree.packages[id];
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(tree, id),
        "name": id.name,
        "version": id.version,
        "scope": if is_linked { "required" } else { "excluded" },
    });
    if !facts.licence.is_empty() {
        component["licenses"] = json!([{"expression": facts.licence}]);
    }
    if !facts.is_ours {
        component["purl"] = json!(reference(tree, id));
    }
    if let Some(checksum) = checksum {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    component
}

/// The package's address in the registry; ours are in none.
fn reference(tree: &Tree, id: &Id) -> String {
    match tree.packages.get(id) {
        Some(facts) if facts.is_ours => format!("lectern/{}@{}", id.name, id.version),
        _ => format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_tells_what_is_linked_from_what_only_builds() {
        let linked = "0query v0.1.0 (/src/query)|Apache-2.0|\n1zstd v1.0.0+zstd.1|BSD-3-Clause|\n";
        let built = format!("{linked}2cc v1.2.0|MIT|\n");
        let binary = Binary {
            name: "query",
            built: Tree::parse(&built).unwrap(),
            linked: Tree::parse(linked).unwrap(),
        };
        let zstd = Id { name: "zstd".to_owned(), version: "1.0.0+zstd.1".to_owned() };
        let checksums = BTreeMap::from([(zstd, "0f".to_owned())]);
        let commit = Commit { id: "c0ffee".to_owned(), time: "2026-01-01T00:00:00Z".to_owned() };
        let bill = bill(&binary, &checksums, &commit);
        assert_eq!(bill["metadata"]["component"]["bom-ref"], "lectern/query@0.1.0");
        let [cc, zstd] = bill["components"].as_array().unwrap().as_slice() else {
            panic!("{bill}");
        };
        assert_eq!((cc["name"].as_str(), cc["scope"].as_str()), (Some("cc"), Some("excluded")));
        assert_eq!(zstd["purl"], "pkg:cargo/zstd@1.0.0%2Bzstd.1");
        assert_eq!(
            (&zstd["scope"], &zstd["hashes"][0]["content"]),
            (&json!("required"), &json!("0f"))
        );
        assert_eq!(bill["dependencies"][1]["dependsOn"], json!(["pkg:cargo/zstd@1.0.0%2Bzstd.1"]));
    }
}
