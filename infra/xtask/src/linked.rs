//! What a binary is made of, as `cargo tree` and the lock file say it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

/// How `cargo tree` is asked to print a package; read by [`Tree::parse`].
pub(crate) const FORMAT: &str = "{p}|{l}|";

/// A package in one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What `cargo tree` says of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// An SPDX expression, or nothing.
    pub(crate) licence: String,
    /// Whether it lies in this workspace.
    pub(crate) is_ours: bool,
}

/// Packages and which needs which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    /// The package that the tree was asked about.
    pub(crate) top: Id,
    pub(crate) packages: BTreeMap<Id, Facts>,
    pub(crate) needs: BTreeMap<Id, BTreeSet<Id>>,
}

impl Tree {
    /// Reads what `cargo tree --prefix depth --format` [`FORMAT`] prints.
    pub(crate) fn parse(printed: &str) -> Result<Self> {
        let mut path: Vec<Id> = Vec::new();
        let mut packages = BTreeMap::new();
        let mut needs: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        for line in printed.lines().filter(|line| !line.is_empty()) {
            let (depth, id, facts) = parse_line(line)
                .with_context(|| format!("`cargo tree` printed an unknown line: {line}"))?;
            path.truncate(depth);
            if let Some(parent) = path.last() {
                needs.entry(parent.clone()).or_default().insert(id.clone());
            }
            path.push(id.clone());
            packages.insert(id, facts);
        }
        let top = path.into_iter().next().context("`cargo tree` printed nothing")?;
        Ok(Self { top, packages, needs })
    }
}

/// `2ring v0.17.14|Apache-2.0 AND ISC| (*)`, `1query v0.1.0 (/path)|Apache-2.0|`, `3serde_derive v1.0.229 (proc-macro)|…|`.
fn parse_line(line: &str) -> Option<(usize, Id, Facts)> {
    let digits = line.find(|c: char| !c.is_ascii_digit())?;
    let (depth, rest) = line.split_at(digits);
    let mut parts = rest.split('|');
    let (package, licence) = (parts.next()?, parts.next()?);
    let mut words = package.split(' ');
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    // Old manifests write `/` where SPDX has `OR`.
    let licence = licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ");
    let is_ours = words.any(|word| word.starts_with("(/") || word.contains(":\\"));
    Some((depth.parse().ok()?, Id { name, version }, Facts { licence, is_ours }))
}

/// Reads the SHA-256 of every package that came from the registry.
pub(crate) fn checksums(lock: &str) -> BTreeMap<Id, String> {
    let value = |block: &str, key: &str| {
        let start = format!("{key} = \"");
        let found = block.lines().find_map(|line| line.strip_prefix(start.as_str()))?;
        found.strip_suffix('"').map(str::to_owned)
    };
    let blocks = lock.split("[[package]]");
    blocks
        .filter_map(|block| {
            let id = Id { name: value(block, "name")?, version: value(block, "version")? };
            Some((id, value(block, "checksum")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, version: &str) -> Id {
        Id { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn a_tree_is_packages_and_arrows() {
        let tree = Tree::parse(
            "0query v0.1.0 (/src/query)|Apache-2.0|\n1ring v0.17.14|Apache-2.0 AND ISC|\n2cc v1.2.0|MIT / Apache-2.0|\n\
             1cc v1.2.0|MIT / Apache-2.0| (*)\n",
        )
        .unwrap();
        assert_eq!(tree.top, id("query", "0.1.0"));
        assert!(tree.packages[&tree.top].is_ours);
        let cc = &tree.packages[&id("cc", "1.2.0")];
        assert_eq!((cc.licence.as_str(), cc.is_ours), ("MIT OR Apache-2.0", false));
        let needed = &tree.needs[&tree.top];
        assert_eq!(*needed, BTreeSet::from([id("ring", "0.17.14"), id("cc", "1.2.0")]));
    }

    #[test]
    fn a_line_of_another_form_is_an_error() {
        assert!(Tree::parse("").is_err());
        assert!(Tree::parse("0query\n").is_err());
        assert!(Tree::parse("0query 0.1.0|MIT|\n").is_err());
    }

    #[test]
    fn packages_of_the_registry_have_checksums() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"0f\"\n\n\
                    [[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n";
        assert_eq!(checksums(lock), BTreeMap::from([(id("a", "1.0.0"), "0f".to_owned())]));
    }
}
