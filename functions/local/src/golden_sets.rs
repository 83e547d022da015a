//! Where golden sets are: paths, or names in a folder of sets.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lectern_app::eval::read::is_set;
use lectern_core::env::Env;

use crate::failure::Failure;

/// Where sets are looked for when nothing else is said.
const DEFAULT_SETS: &str = "../shared/data";
/// What folders' names may begin with.
const PREFIXES: [&str; 4] = ["", "ir-", "qa-", "docqa-"];

/// Returns the folder in which sets are found by name.
pub(crate) fn folder(named: Option<&Path>, env: &Env) -> PathBuf {
    let named =
        named.map(Path::to_owned).or_else(|| env.get("LECTERN_TEST_DATA").map(PathBuf::from));
    named.unwrap_or_else(|| PathBuf::from(DEFAULT_SETS))
}

/// Returns the sets: a path is taken as it is, a name is looked for in `sets`, `all` is every set there.
///
/// # Errors
/// Names the set that is not there.
pub(crate) fn find(sets: &Path, names: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for name in names {
        if name == "all" {
            found.extend(all(sets)?);
            continue;
        }
        let missing = || {
            let shown = sets.display();
            Failure::Failed(format!(
                "no golden set `{name}`, here or in {shown}; name the folder of sets with --sets or LECTERN_TEST_DATA"
            ))
        };
        let in_sets = PREFIXES.iter().map(|prefix| sets.join(format!("{prefix}{name}")));
        let mut candidates = std::iter::once(PathBuf::from(name)).chain(in_sets);
        found.push(candidates.find(|path| is_set(path)).ok_or_else(missing)?);
    }
    Ok(found)
}

fn all(sets: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::Failed(format!("cannot read {}: {error}", sets.display()));
    let mut folders = Vec::new();
    for entry in fs::read_dir(sets).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() && is_set(&path) {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_found_by_path_and_by_name() {
        let sets = tempfile::tempdir().unwrap();
        let set = sets.path().join("ir-tiny");
        fs::create_dir_all(&set).unwrap();
        for file in ["corpus.jsonl", "queries.jsonl", "qrels.tsv"] {
            fs::write(set.join(file), "").unwrap();
        }
        fs::create_dir(sets.path().join("no-set")).unwrap();
        let path = set.to_string_lossy().into_owned();
        for name in ["tiny", "ir-tiny", "all", &path] {
            let found = find(sets.path(), &[name.to_owned()]).unwrap();
            assert_eq!(found, std::slice::from_ref(&set), "{name}");
        }
        let missing = find(sets.path(), &["none".to_owned()]).unwrap_err();
        assert!(missing.message().unwrap().contains("`none`"));
        assert!(find(&sets.path().join("nowhere"), &["all".to_owned()]).is_err());
    }

    #[test]
    fn an_option_goes_before_the_environment() {
        let env: Env =
            [("LECTERN_TEST_DATA".to_owned(), "of-env".to_owned())].into_iter().collect();
        assert_eq!(folder(Some(Path::new("named")), &env), Path::new("named"));
        assert_eq!(folder(None, &env), Path::new("of-env"));
        assert_eq!(folder(None, &Env::default()), Path::new(DEFAULT_SETS));
    }
}
