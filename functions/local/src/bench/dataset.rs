//! BEIR folders: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv`.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::failure::Failure;

/// Most lines of a file; the largest set worth a laptop has half as many.
const MAX_LINES: usize = 2_000_000;
/// What folders' names may begin with.
const PREFIXES: [&str; 3] = ["", "ir-", "qa-"];

/// A judged collection.
#[derive(Debug)]
pub(super) struct Dataset {
    /// The folder's name.
    pub(super) name: String,
    /// Its documents.
    pub(super) documents: Vec<Record>,
    /// Queries with at least one relevant document.
    pub(super) queries: Vec<JudgedQuery>,
}

/// A document.
#[derive(Debug, Deserialize)]
pub(super) struct Record {
    /// Its id.
    #[serde(rename = "_id")]
    pub(super) id: String,
    /// Its title, often empty.
    #[serde(default)]
    pub(super) title: String,
    /// Its text.
    #[serde(default)]
    pub(super) text: String,
}

/// A query with its judgements.
#[derive(Debug)]
pub(super) struct JudgedQuery {
    /// What is asked.
    pub(super) text: String,
    /// Grades by document; 0 is not relevant.
    pub(super) grades: HashMap<String, u32>,
}

/// Returns the folders of the named sets; `all` names every judged folder.
///
/// # Errors
/// Names the set that is not there.
pub(super) fn find(sets: &Path, names: &[String]) -> Result<Vec<PathBuf>, Failure> {
    if names.iter().any(|name| name == "all") {
        let mut folders: Vec<PathBuf> =
            fs::read_dir(sets)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        folders.retain(|folder| is_judged(folder));
        folders.sort();
        return Ok(folders);
    }
    let find_one = |name: &String| {
        let candidates = PREFIXES.iter().map(|prefix| sets.join(format!("{prefix}{name}")));
        let missing = || {
            let shown = sets.display();
            Failure::Failed(format!(
                "no data set `{name}` in {shown}; name its folder with --sets or LECTERN_TEST_DATA"
            ))
        };
        candidates.into_iter().find(|folder| is_judged(folder)).ok_or_else(missing)
    };
    names.iter().map(find_one).collect()
}

fn is_judged(folder: &Path) -> bool {
    ["corpus.jsonl", "queries.jsonl", "qrels.tsv"].iter().all(|file| folder.join(file).is_file())
}

/// Reads a folder.
///
/// # Errors
/// Names the file and line that cannot be read.
pub(super) fn read(folder: &Path) -> Result<Dataset, Failure> {
    let documents = json_lines(&folder.join("corpus.jsonl"))?;
    let texts: Vec<Record> = json_lines(&folder.join("queries.jsonl"))?;
    let mut judged = judgements(&folder.join("qrels.tsv"))?;
    let mut queries = Vec::new();
    for query in texts {
        let grades = judged.remove(&query.id).unwrap_or_default();
        if grades.values().any(|grade| *grade > 0) {
            queries.push(JudgedQuery { text: query.text, grades });
        }
    }
    let name =
        folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Dataset { name, documents, queries })
}

fn json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Failure> {
    let parse = |(number, line): (usize, String)| {
        serde_json::from_str(&line).map_err(|error| wrong(path, number, &error))
    };
    let lines = lines(path)?;
    lines.into_iter().filter(|(_, line)| !line.trim().is_empty()).map(parse).collect()
}

type Judgements = HashMap<String, HashMap<String, u32>>;

fn judgements(path: &Path) -> Result<Judgements, Failure> {
    let mut judged = Judgements::new();
    // The first line is a header.
    for (number, line) in lines(path)?.into_iter().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = fields[..] else {
            return Err(wrong(path, number, &"not three fields"));
        };
        let grade: i64 = grade.trim().parse().map_err(|error| wrong(path, number, &error))?;
        // Negative grades (spam) are not relevant either.
        let grade = u32::try_from(grade.max(0)).unwrap_or(u32::MAX);
        judged.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
    }
    Ok(judged)
}

fn lines(path: &Path) -> Result<Vec<(usize, String)>, Failure> {
    let named =
        |error: io::Error| Failure::Failed(format!("cannot read {}: {error}", path.display()));
    let reader = BufReader::new(File::open(path).map_err(named)?);
    let mut lines = Vec::new();
    for (position, line) in reader.lines().enumerate() {
        if position == MAX_LINES {
            return Err(wrong(path, position + 1, &"too many lines"));
        }
        lines.push((position + 1, line.map_err(named)?));
    }
    Ok(lines)
}

fn wrong(path: &Path, number: usize, reason: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("{}:{number}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(qrels: &str) -> tempfile::TempDir {
        let sets = tempfile::tempdir().unwrap();
        let folder = sets.path().join("ir-tiny");
        fs::create_dir(&folder).unwrap();
        let corpus = "{\"_id\":\"d1\",\"title\":\"T\",\"text\":\"one\"}\n\n{\"_id\":\"d2\",\"text\":\"two\"}\n";
        fs::write(folder.join("corpus.jsonl"), corpus).unwrap();
        let queries =
            "{\"_id\":\"q1\",\"text\":\"one?\"}\n{\"_id\":\"q2\",\"text\":\"not judged\"}\n";
        fs::write(folder.join("queries.jsonl"), queries).unwrap();
        fs::write(folder.join("qrels.tsv"), qrels).unwrap();
        sets
    }

    #[test]
    fn queries_without_a_relevant_document_are_left_out() {
        let sets = folder("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t-1\nq2\td1\t0\n");
        for name in ["tiny", "ir-tiny", "all"] {
            let found = find(sets.path(), &[name.to_owned()]).unwrap();
            let dataset = read(&found[0]).unwrap();
            assert_eq!((dataset.name.as_str(), dataset.documents.len()), ("ir-tiny", 2));
            assert_eq!(dataset.queries.len(), 1);
            assert_eq!((dataset.queries[0].grades["d1"], dataset.queries[0].grades["d2"]), (2, 0));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let sets = folder("header\nq1 d1 1\n");
        let found = find(sets.path(), &["tiny".to_owned()]).unwrap();
        let message = read(&found[0]).unwrap_err().message().unwrap();
        assert!(message.ends_with("qrels.tsv:2: not three fields"), "{message}");
        let missing = find(sets.path(), &["none".to_owned()]).unwrap_err();
        assert!(missing.message().unwrap().contains("`none`"));
    }
}
