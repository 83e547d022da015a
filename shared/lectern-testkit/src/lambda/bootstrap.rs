//! Which program a driver starts, and with which settings.

use std::{
    collections::BTreeMap,
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::REGION;

/// Names a folder of functions built for Lambda: `.aws-sam/build` or `target/lambda`.
const BOOTSTRAPS: &str = "LECTERN_BOOTSTRAPS";
/// What a function inherits from the test: where programs and scratch files are, and what coverage needs.
const INHERITED: [&str; 5] =
    ["PATH", "TMPDIR", "LLVM_PROFILE_FILE", "LD_LIBRARY_PATH", "RUST_BACKTRACE"];

/// A function to start.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// The program.
    pub program: PathBuf,
    /// Its arguments; Lambda gives none.
    pub arguments: Vec<String>,
    /// Its settings. They come after the driver's own variables and replace those of the same name.
    pub environment: BTreeMap<String, String>,
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function_name: String,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`; only said, not enforced.
    pub memory_mb: u32,
    /// How long an invocation may take before the function is killed.
    pub timeout: Duration,
}

impl Bootstrap {
    /// Returns a function of 512 MB and 30 seconds without settings.
    #[must_use]
    pub fn new(function_name: &str, program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            function_name: function_name.to_owned(),
            memory_mb: 512,
            timeout: Duration::from_secs(30),
        }
    }

    /// Returns the workspace's function of this name, see [`binary`].
    ///
    /// # Panics
    /// When it is not built.
    #[must_use]
    pub fn of(function_name: &str) -> Self {
        Self::new(function_name, binary(function_name))
    }

    /// Sets one variable.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Sets these variables.
    #[must_use]
    pub fn set_all(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Sets how long an invocation may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Returns every variable of the process: the inherited ones, Lambda's, the function's own.
    pub(super) fn variables(&self, runtime_api: SocketAddr) -> BTreeMap<String, String> {
        let inherited = INHERITED.iter().filter_map(|name| {
            let value = env::var_os(name)?.into_string().ok()?;
            Some(((*name).to_owned(), value))
        });
        let mut variables: BTreeMap<_, _> = inherited.collect();
        let name = &self.function_name;
        let folder = self.program.parent().unwrap_or(Path::new(".")).display();
        let lambda = [
            ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
            ("AWS_LAMBDA_LOG_STREAM_NAME", format!("2026/11/21/[$LATEST]{name}")),
            ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
            ("AWS_SESSION_TOKEN", "testing".to_owned()),
            ("LAMBDA_TASK_ROOT", folder.to_string()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
        ];
        variables.extend(lambda.map(|(name, value)| (name.to_owned(), value)));
        variables.extend(self.environment.clone());
        variables
    }
}

/// Returns the built function `name`: `<folder>/<name>/bootstrap` or `<folder>/<Name>Function/bootstrap` when
/// `LECTERN_BOOTSTRAPS` names a folder, else the workspace's binary of the profile this test was built with.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    match env::var_os(BOOTSTRAPS).filter(|folder| !folder.is_empty()) {
        // Tests run in the folder of their package; people name folders from the workspace's.
        Some(folder) => packaged(&super::events::workspace().join(folder), name),
        None => unpackaged(name),
    }
}

fn packaged(folder: &Path, name: &str) -> PathBuf {
    let mut letters = name.chars();
    let capitalised: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let places = [name.to_owned(), format!("{capitalised}Function")];
    let candidates = places.map(|place| folder.join(place).join("bootstrap"));
    let found = candidates.iter().find(|candidate| candidate.is_file());
    found.cloned().unwrap_or_else(|| {
        panic!(
            "function `{name}` is not built: neither {} nor {} exists. {BOOTSTRAPS} names a folder that \
             `sam build` or `cargo lambda build` filled; unset it to use the workspace's binaries",
            candidates[0].display(),
            candidates[1].display()
        )
    })
}

fn unpackaged(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    // target/debug/deps/it-0123456789abcdef
    let program = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(
        program.is_file(),
        "function `{name}` is not built: {} does not exist. `cargo build -p {name} --bin {name}` makes it",
        program.display()
    );
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_builders_layouts_are_found() {
        let folder = tempfile::tempdir().unwrap();
        for place in ["health", "QueryFunction"] {
            std::fs::create_dir(folder.path().join(place)).unwrap();
            std::fs::write(folder.path().join(place).join("bootstrap"), "").unwrap();
        }
        let health = packaged(folder.path(), "health");
        assert_eq!(health, folder.path().join("health/bootstrap"));
        let query = packaged(folder.path(), "query");
        assert_eq!(query, folder.path().join("QueryFunction/bootstrap"));
    }

    #[test]
    #[should_panic(expected = "function `upload` is not built: neither ")]
    fn a_missing_function_says_where_it_was_looked_for() {
        packaged(tempfile::tempdir().unwrap().path(), "upload");
    }

    #[test]
    #[should_panic(expected = "`cargo build -p not-a-function --bin not-a-function` makes it")]
    fn a_missing_binary_says_how_it_is_made() {
        unpackaged("not-a-function");
    }

    #[test]
    fn the_functions_own_variables_win() {
        let bootstrap = Bootstrap::new("query", "/x/bootstrap").set("AWS_REGION", "us-east-1");
        let variables = bootstrap.variables(([127, 0, 0, 1], 9_001).into());
        assert_eq!(variables["AWS_REGION"], "us-east-1");
        assert_eq!(variables["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:9001");
        assert_eq!(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
        assert!(!variables.contains_key("HOME"));
    }
}
