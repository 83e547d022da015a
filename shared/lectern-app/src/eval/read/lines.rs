//! Lines of a file, bounded and numbered.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use lectern_core::metrics::ranking::Grades;
use serde::de::DeserializeOwned;

use super::{GoldenError, MAX_LINE_BYTES, MAX_LINES, wrong};

/// Returns the JSON value of each line that is not blank, with the line's number.
pub(super) fn json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<(usize, T)>, GoldenError> {
    let mut values = Vec::new();
    each_line(path, &mut |number, line| {
        if !line.trim().is_empty() {
            let value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            values.push((number, value));
        }
        Ok(())
    })?;
    Ok(values)
}

/// Returns the grades of each query. The first line is a header.
pub(super) fn judgements(path: &Path) -> Result<HashMap<String, Grades>, GoldenError> {
    let mut judged: HashMap<String, Grades> = HashMap::new();
    each_line(path, &mut |number, line| {
        if number == 1 || line.trim().is_empty() {
            return Ok(());
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = fields[..] else { return Err("not three fields".into()) };
        let grade: i64 = grade.trim().parse().map_err(|error| format!("grade: {error}"))?;
        // Negative grades (spam) are not relevant either.
        let grade = u32::try_from(grade.max(0)).unwrap_or(u32::MAX);
        judged.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
        Ok(())
    })?;
    Ok(judged)
}

type EachLine<'a> = dyn FnMut(usize, &str) -> Result<(), String> + 'a;

fn each_line(path: &Path, each: &mut EachLine<'_>) -> Result<(), GoldenError> {
    let unreadable = |source| GoldenError::Unreadable { path: path.to_owned(), source };
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let most = MAX_LINE_BYTES as u64 + 1;
        let read = reader.by_ref().take(most).read_until(b'\n', &mut bytes).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        if number > MAX_LINES {
            return Err(wrong(path, number, format!("more than {MAX_LINES} lines")));
        }
        if bytes.len() > MAX_LINE_BYTES {
            return Err(wrong(path, number, format!("longer than {MAX_LINE_BYTES} bytes")));
        }
        let line =
            std::str::from_utf8(&bytes).map_err(|error| wrong(path, number, error.to_string()))?;
        let line = line.trim_end_matches(['\n', '\r']);
        each(number, line).map_err(|reason| wrong(path, number, reason))?;
    }
    Ok(())
}
