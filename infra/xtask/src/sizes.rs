//! Lines per file: a file that grows past its limit answers more than one question.

use std::{cmp::Reverse, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::steps;

/// Most lines of a Rust source file.
const FILE_LINES: usize = 400;
/// Most lines of a function's `main.rs`: composition only.
const MAIN_LINES: usize = 60;
/// How many of the largest files are shown.
const SHOWN: usize = 10;

/// A source file and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    path: String,
    lines: usize,
}

/// Prints the largest files of those that git tracks, then every breach; fails when there is one.
pub(crate) fn run(root: &Path) -> Result<()> {
    let sources = read(root)?;
    for source in largest(&sources) {
        println!("{:>5}  {}", source.lines, source.path);
    }
    let breaches = breaches(&sources);
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} files are over their limit", breaches.len());
    }
    println!(
        "{} files keep to {FILE_LINES} lines, every `main.rs` of a function to {MAIN_LINES}",
        sources.len()
    );
    Ok(())
}

fn read(root: &Path) -> Result<Vec<Source>> {
    let listed = steps::output(
        Command::new("git").current_dir(root).args(["ls-files", "-z", "--", "*.rs"]),
    )?;
    let mut sources = Vec::new();
    for path in listed.split_terminator('\0') {
        let file = root.join(path);
        // A file that is deleted but not yet committed is still listed.
        if !file.exists() {
            continue;
        }
        let text = fs::read_to_string(&file).with_context(|| format!("could not read {path}"))?;
        sources.push(Source { path: path.to_owned(), lines: text.lines().count() });
    }
    if sources.is_empty() {
        bail!("git tracks no Rust file in {}", root.display());
    }
    Ok(sources)
}

fn largest(sources: &[Source]) -> Vec<&Source> {
    let mut ordered: Vec<&Source> = sources.iter().collect();
    ordered.sort_by_key(|source| (Reverse(source.lines), &source.path));
    ordered.truncate(SHOWN);
    ordered
}

fn limit(path: &str) -> usize {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["functions", _, "src", "main.rs"] => MAIN_LINES,
        _ => FILE_LINES,
    }
}

fn breaches(sources: &[Source]) -> Vec<String> {
    let over = sources.iter().filter(|source| source.lines > limit(&source.path));
    over.map(|source| {
        format!("{}: {} lines, at most {}", source.path, source.lines, limit(&source.path))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(lengths: &[(&str, usize)]) -> Vec<Source> {
        lengths.iter().map(|&(path, lines)| Source { path: path.to_owned(), lines }).collect()
    }

    #[test]
    fn a_file_at_its_limit_passes_and_one_line_more_does_not() {
        let within = sources(&[("shared/a/src/lib.rs", 400), ("functions/query/src/main.rs", 60)]);
        assert_eq!(breaches(&within), Vec::<String>::new());
        let over = sources(&[("shared/a/src/lib.rs", 401), ("functions/query/src/main.rs", 61)]);
        assert_eq!(
            breaches(&over),
            [
                "shared/a/src/lib.rs: 401 lines, at most 400",
                "functions/query/src/main.rs: 61 lines, at most 60"
            ]
        );
    }

    #[test]
    fn only_a_functions_own_main_is_held_to_the_smaller_limit() {
        assert_eq!(limit("functions/local/src/main.rs"), MAIN_LINES);
        assert_eq!(limit("infra/xtask/src/main.rs"), FILE_LINES);
        assert_eq!(limit("functions/query/tests/it/main.rs"), FILE_LINES);
    }

    #[test]
    fn the_ten_largest_come_first_and_ties_by_path() {
        let mut lengths: Vec<(String, usize)> =
            (0..12).map(|number| (format!("file-{number:02}.rs"), number)).collect();
        lengths.push(("again-11.rs".to_owned(), 11));
        let named: Vec<(&str, usize)> =
            lengths.iter().map(|(path, lines)| (path.as_str(), *lines)).collect();
        let all = sources(&named);
        let shown: Vec<&str> = largest(&all).iter().map(|source| source.path.as_str()).collect();
        assert_eq!(shown.len(), SHOWN);
        assert_eq!(shown[..3], ["again-11.rs", "file-11.rs", "file-10.rs"]);
    }
}
