//! What the boundary rules judge: the members of the workspace, what they declare, what they link.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A package of this workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    /// Package name.
    pub(crate) name: String,
    /// Folder of the manifest, relative to the root: `functions/query`.
    pub(crate) folder: String,
    /// Whether it has a binary, and with it a composition root.
    pub(crate) has_binary: bool,
    /// Names of the packages its manifest asks for, optional ones too, development ones not.
    pub(crate) declared: BTreeSet<String>,
    /// Packages of this workspace that its library's source names, each with the file, relative to the root.
    pub(crate) named_by_library: BTreeSet<(String, String)>,
}

/// What one package links when it is built alone: its normal dependencies, with the features it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closure {
    /// Depth and package name, in the order of a depth-first walk; the first row is the package itself.
    rows: Vec<(usize, String)>,
}

impl Closure {
    /// Reads what `cargo tree --prefix depth --format '{p}'` prints: `2futures-core v0.3.34 (*)`.
    /// Returns the first line that is not of that form as the error.
    pub(crate) fn parse(printed: &str) -> Result<Self, String> {
        let mut rows = Vec::new();
        for line in printed.lines().filter(|line| !line.trim().is_empty()) {
            let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (depth, package) = line.split_at(digits);
            let name = package.split(' ').next().filter(|name| !name.is_empty());
            match (depth.parse(), name) {
                (Ok(depth), Some(name)) => rows.push((depth, name.to_owned())),
                _ => return Err(line.to_owned()),
            }
        }
        Ok(Self { rows })
    }

    /// Returns, for each different package below the root that `wanted` accepts, one path from the root to it;
    /// what hangs below such a package is not looked at, for it goes when the package goes.
    pub(crate) fn paths_to(&self, wanted: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut path: Vec<&str> = Vec::new();
        let mut paths = Vec::new();
        let mut found_at = usize::MAX;
        for (depth, name) in &self.rows {
            if *depth > found_at {
                continue;
            }
            found_at = usize::MAX;
            path.truncate(*depth);
            path.push(name);
            if *depth > 0 && wanted(name) {
                found_at = *depth;
                if seen.insert(name) {
                    paths.push(path.iter().map(|&name| name.to_owned()).collect());
                }
            }
        }
        paths
    }
}

/// The workspace as Cargo resolves it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    /// Packages of this workspace.
    pub(crate) members: Vec<Member>,
    /// Every resolved package by name, with all it depends on: all features, every kind, every platform.
    pub(crate) resolved: BTreeMap<String, BTreeSet<String>>,
    /// What members link when built alone, by name; only of those a rule asks about.
    pub(crate) closures: BTreeMap<String, Closure>,
}

impl Workspace {
    /// Returns the shortest path from a member to the resolved package `goal`.
    pub(crate) fn path_from_a_member(&self, goal: &str) -> Vec<String> {
        let mut came_from: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        let mut queue = VecDeque::new();
        for member in &self.members {
            came_from.insert(&member.name, None);
            queue.push_back(member.name.as_str());
        }
        while let Some(name) = queue.pop_front() {
            for next in self.resolved.get(name).into_iter().flatten() {
                if !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, Some(name));
                    queue.push_back(next);
                }
            }
        }
        let mut path = vec![goal.to_owned()];
        let mut at = goal;
        while let Some(Some(previous)) = came_from.get(at) {
            path.push((*previous).to_owned());
            at = previous;
        }
        path.reverse();
        path
    }
}

/// A workspace for the tests of the rules.
#[cfg(test)]
pub(crate) mod for_test {
    use super::*;

    pub(crate) fn a_member(folder: &str, declared: &[&str]) -> Member {
        Member {
            name: folder.split('/').next_back().unwrap().to_owned(),
            folder: folder.to_owned(),
            has_binary: folder.starts_with("functions/"),
            declared: declared.iter().map(|&name| name.to_owned()).collect(),
            ..Member::default()
        }
    }

    /// A workspace whose members link only what they declare.
    pub(crate) fn a_workspace(members: Vec<Member>) -> Workspace {
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

    pub(crate) fn the_design() -> Vec<Member> {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "0lectern-core v0.1.0 (/somewhere/shared/lectern-core)\n1futures v0.3.34\n\
        2futures-util v0.3.34\n3tokio v1.54.0\n1hex v0.4.3\n2tokio v1.54.0 (*)\n";

    #[test]
    fn a_closure_gives_one_path_per_package() {
        let closure = Closure::parse(PRINTED).unwrap();
        let paths = closure.paths_to(|name| name == "tokio" || name == "hex");
        assert_eq!(
            paths,
            [vec!["lectern-core", "futures", "futures-util", "tokio"], vec!["lectern-core", "hex"]]
        );
    }

    #[test]
    fn what_hangs_below_a_find_is_not_reported() {
        let closure =
            Closure::parse("0query v1\n1reqwest v1\n2hyper v1\n3h2 v1\n1hyper-util v1").unwrap();
        let paths = closure.paths_to(|name| name != "h2");
        assert_eq!(paths, [["query", "reqwest"], ["query", "hyper-util"]]);
    }

    #[test]
    fn a_closure_does_not_hold_its_root() {
        let closure = Closure::parse(PRINTED).unwrap();
        assert!(closure.paths_to(|name| name == "lectern-core").is_empty());
    }

    #[test]
    fn a_line_of_another_form_is_refused() {
        assert_eq!(Closure::parse("0query v0.1.0\nwarning"), Err("warning".to_owned()));
        assert_eq!(Closure::parse("3"), Err("3".to_owned()));
    }

    #[test]
    fn the_shortest_path_from_a_member_is_found_through_a_cycle() {
        let edges = [("query", "b"), ("b", "c"), ("c", "b"), ("c", "openssl-sys"), ("query", "c")];
        let mut workspace = Workspace {
            members: vec![Member { name: "query".to_owned(), ..Member::default() }],
            ..Workspace::default()
        };
        for (from, to) in edges {
            workspace.resolved.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
        assert_eq!(workspace.path_from_a_member("openssl-sys"), ["query", "c", "openssl-sys"]);
        assert_eq!(workspace.path_from_a_member("unreached"), ["unreached"]);
    }
}
