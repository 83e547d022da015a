//! `lectern audit`.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use lectern_app::clock::Clock;
use lectern_core::{
    audit::{Head, Verified, Verifier},
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    api::{Api, ApiError},
    failure::Failure,
    output::Output,
    session::Session,
    settings::DEFAULT_AUDIT_DAYS,
};

/// Longest line in bytes: a record is far shorter, and another log's line need not be read whole.
const MAX_LINE_BYTES: u64 = 1 << 20;
/// How deep folders are searched for files: a bucket has one for the year, month, day and hour.
const MAX_DEPTH: usize = 8;
/// How long records are kept, as far as is not said.
const KEPT: Duration = Duration::from_secs(DEFAULT_AUDIT_DAYS as u64 * 24 * 60 * 60);

/// Checks the records of these files against each other and against what the table knows.
pub(super) async fn verify(
    session: &Session,
    mut paths: Vec<PathBuf>,
    since: Option<Timestamp>,
    output: &Output,
) -> Result<(), Failure> {
    if paths.is_empty() {
        let Some(local) = &session.local else {
            let reason = "name the files: a deployment keeps its records in a bucket, from where they are downloaded";
            return Err(Failure::Usage(reason.into()));
        };
        paths.push(local.audit_directory.clone());
    }
    // Before the files are read: a stream may be written meanwhile.
    let heads = heads(&session.api, since).await?;
    let files = files(&paths)?;
    let progress = output.progress(files.len() as u64, "{bar:20} {pos}/{len} files");
    let found = compare(&files, &heads, || progress.inc(1))?;
    progress.finish_and_clear();
    report(&found, heads.len(), output)
}

/// Returns what is wrong with the records of a data directory that has these files.
///
/// # Errors
/// When the ends of the streams are not told, or a file cannot be read.
pub(super) async fn flaws(api: &Api, directory: PathBuf) -> Result<Verified, Failure> {
    let heads = heads(api, None).await?;
    let compared =
        tokio::task::spawn_blocking(move || compare(&files(&[directory])?, &heads, || {}));
    compared.await.map_err(|panic| Failure::Failed(panic.to_string()))?
}

/// Reads the records of files and compares them with each other and with the streams' ends.
fn compare(files: &[PathBuf], heads: &[Head], each: impl Fn()) -> Result<Verified, Failure> {
    if files.is_empty() {
        return Err(Failure::Failed("there are no records".into()));
    }
    let mut verifier = Verifier::default();
    for file in files {
        let failed = |error: io::Error| Failure::Failed(format!("{}: {error}", file.display()));
        read(file, &mut verifier).map_err(failed)??;
        each();
    }
    Ok(verifier.finish(heads))
}

#[derive(Deserialize)]
struct Heads {
    heads: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    stream: String,
    length: u64,
    hash: String,
    at: String,
}

/// Returns the ends of streams that were written to since then, or since records are kept.
async fn heads(api: &Api, since: Option<Timestamp>) -> Result<Vec<Head>, Failure> {
    let since = since.unwrap_or_else(|| Clock::system().now().before(KEPT));
    let answered: Heads = api.get_json("/v1/audit/heads", &[]).await?;
    let parsed = answered.heads.into_iter().map(|listed| {
        let Listed { stream, length, hash, at } = listed;
        let unexpected = || ApiError::Unexpected(format!("the end of a stream at `{at}`"));
        let stream = stream.parse().map_err(|_| unexpected())?;
        let at = Timestamp::parse_rfc3339(&at).ok_or_else(unexpected)?;
        Ok(Head { stream, length, hash, at })
    });
    let heads: Vec<Head> = parsed.collect::<Result<_, ApiError>>()?;
    Ok(heads.into_iter().filter(|head| head.at >= since).collect())
}

/// Returns the files of records below these paths, in order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        collect(path, MAX_DEPTH, &mut found)
            .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    }
    found.sort();
    Ok(found)
}

fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Err(io::Error::other("folders are nested too deeply"));
    }
    for entry in path.read_dir()? {
        collect(&entry?.path(), depth - 1, found)?;
    }
    Ok(())
}

/// Gives the lines of a file to the verifier.
fn read(path: &Path, verifier: &mut Verifier) -> io::Result<Result<(), Failure>> {
    let file = File::open(path)?;
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let bytes: Box<dyn Read> =
        if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut lines = BufReader::new(bytes);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(Ok(()));
        }
        if let Err(error) = verifier.line(&String::from_utf8_lossy(&line)) {
            return Ok(Err(Failure::Failed(error.to_string())));
        }
    }
}

/// Says what was found; fails when anything is wrong.
fn report(found: &Verified, known: usize, output: &Output) -> Result<(), Failure> {
    let flaws: Vec<String> = found.flaws.iter().map(ToString::to_string).collect();
    if output.is_json() {
        let begins = found.begin_later.iter();
        let begins: Vec<_> =
            begins.map(|(stream, first)| json!({ "stream": stream, "first": first })).collect();
        output.json(&json!({
            "records": found.records,
            "streams": found.streams,
            "streams_known": known,
            "repeated": found.repeated,
            "begin_later": begins,
            "flaws": flaws,
        }))?;
    } else {
        for flaw in &flaws {
            output.line(flaw)?;
        }
        for (stream, first) in &found.begin_later {
            output.note(format_args!("{stream}: records before {first} are not among these files"));
        }
        let (records, streams) = (found.records, found.streams);
        if flaws.is_empty() {
            output.line(format_args!(
                "{records} records in {streams} streams are as they were written; {known} streams' ends are known"
            ))?;
        }
    }
    if flaws.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("the audit log is not as it was written: {} flaws", flaws.len())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folders_are_searched_so_deep_and_no_deeper() {
        let root = tempfile::tempdir().unwrap();
        let deep: PathBuf = (1..MAX_DEPTH).map(|depth| depth.to_string()).collect();
        let deep = root.path().join(deep);
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("log"), "").unwrap();
        let mut found = Vec::new();
        collect(root.path(), MAX_DEPTH, &mut found).unwrap();
        assert_eq!(found, [deep.join("log")]);

        fs::create_dir(deep.join("deeper")).unwrap();
        collect(root.path(), MAX_DEPTH, &mut found).unwrap_err();
    }

    #[test]
    fn a_line_too_long_for_a_record_is_passed_over_in_parts() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = usize::try_from(2 * MAX_LINE_BYTES + 1).unwrap();
        fs::write(file.path(), format!("{}\nanother log's line\n", "x".repeat(long))).unwrap();
        let mut verifier = Verifier::default();
        read(file.path(), &mut verifier).unwrap().unwrap();
        let found = verifier.finish(&[]);
        assert_eq!((found.records, found.flaws.len()), (0, 0));
    }
}
