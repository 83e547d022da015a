//! A URL becomes the tables.

use lectern_core::errors::{ErrorKind, PortError};

#[cfg(feature = "embedded")]
use crate::embedded::Engine;
use crate::{
    audit::AuditHeads, backups::Backups, budget::Budgets, cache::Cache, collections::Collections,
    deletion::Deletions, documents::Documents, erasures::Erasures, experiments::Experiments,
    expiry::ExpirySweeps, feedback::Feedbacks, holdings::Holdings, idempotency::Idempotency,
    keys::Keys, layout, log_levels::LogLevels, restores::Restores, schema, sessions::Sessions,
    spending_rules::AllSpendingRules, subjects::Subjects, table::Table, tenants::Tenants,
    uploads::Uploads, usage::UsageDays, versions::Versions,
};

const CONNECT: &str = "connect to table";
/// Name of the table in an embedded database.
#[cfg(feature = "embedded")]
const EMBEDDED_TABLE: &str = "lectern";

/// Everything that is kept in the table. Cheap to clone; one per process.
#[derive(Clone, Debug)]
pub struct Tables {
    table: Table,
    #[cfg(feature = "embedded")]
    engine: Option<Engine>,
}

impl Tables {
    /// Connects to `embedded:///path/file.db`, `embedded::memory:` or `dynamodb://<table-name>`
    /// (region and credentials from the environment).
    ///
    /// # Errors
    /// `Invalid` when the URL has another form or its engine was left out of this build,
    /// `Unavailable` when the file cannot be opened.
    pub async fn connect(url: &str) -> Result<Self, PortError> {
        if let Some(place) = url.strip_prefix("embedded:") {
            return Self::open(place).await;
        }
        match url.strip_prefix("dynamodb://") {
            Some(name) if !name.is_empty() && !name.contains('/') => Self::reach(name).await,
            _ => Err(invalid(
                "the url must be `embedded:///path`, `embedded::memory:` or `dynamodb://<table>`",
            )),
        }
    }

    #[cfg(feature = "embedded")]
    async fn open(place: &str) -> Result<Self, PortError> {
        let engine = match place.strip_prefix("//") {
            Some(path) if !path.is_empty() => Engine::open(path).await?,
            None if place == ":memory:" => Engine::in_memory()?,
            _ => return Err(invalid("an embedded table is `embedded:///path` or in `:memory:`")),
        };
        Ok(Self { table: Table::new(engine.client(), EMBEDDED_TABLE), engine: Some(engine) })
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_async, reason = "the same form with every set of features")]
    async fn open(_place: &str) -> Result<Self, PortError> {
        Err(invalid("compiled without the `embedded` feature"))
    }

    #[cfg(feature = "aws")]
    async fn reach(name: &str) -> Result<Self, PortError> {
        Ok(Self {
            table: Table::new(crate::aws::client().await, name),
            #[cfg(feature = "embedded")]
            engine: None,
        })
    }

    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_async, reason = "the same form with every set of features")]
    async fn reach(_name: &str) -> Result<Self, PortError> {
        Err(invalid("compiled without the `aws` feature"))
    }

    /// Creates the table when it is absent, and waits until it can be used. On AWS the stack's
    /// template creates it; there this needs more rights than the functions have.
    ///
    /// # Errors
    /// `Unavailable` when the table does not become usable, and whatever the engine answers.
    pub async fn ensure(&self) -> Result<(), PortError> {
        schema::ensure(&self.table).await
    }

    /// Answers when the table can be read; for readiness probes.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    pub async fn ping(&self) -> Result<(), PortError> {
        self.table.get("ping table", &layout::nothing()).await.map(|_| ())
    }

    /// Deletes expired items by the wall clock and returns how many. DynamoDB does this by itself:
    /// there it does nothing and returns 0. Reads never return expired items in any case.
    ///
    /// # Errors
    /// When the embedded engine fails.
    #[cfg_attr(
        not(feature = "embedded"),
        expect(clippy::unused_async, reason = "the same form with every set of features")
    )]
    pub async fn sweep_expired(&self) -> Result<u64, PortError> {
        #[cfg(feature = "embedded")]
        if let Some(engine) = &self.engine {
            return engine.sweep().await;
        }
        Ok(0)
    }

    /// Collections.
    #[must_use]
    pub fn collections(&self) -> Collections<'_> {
        Collections { table: &self.table }
    }

    /// Documents.
    #[must_use]
    pub fn documents(&self) -> Documents<'_> {
        Documents { table: &self.table }
    }

    /// Versions of documents and the work on them.
    #[must_use]
    pub fn versions(&self) -> Versions<'_> {
        Versions { table: &self.table }
    }

    /// Files on their way into the store.
    #[must_use]
    pub fn uploads(&self) -> Uploads<'_> {
        Uploads { table: &self.table }
    }

    /// Deletions of documents.
    #[must_use]
    pub fn deletions(&self) -> Deletions<'_> {
        Deletions { table: &self.table }
    }

    /// API keys.
    #[must_use]
    pub fn keys(&self) -> Keys<'_> {
        Keys { table: &self.table }
    }

    /// Where the streams of the audit log end.
    #[must_use]
    pub fn audit_heads(&self) -> AuditHeads<'_> {
        AuditHeads { table: &self.table }
    }

    /// Which log lines an operator wants.
    #[must_use]
    pub fn log_levels(&self) -> LogLevels<'_> {
        LogLevels { table: &self.table }
    }

    /// Rates of tokens' subjects.
    #[must_use]
    pub fn subjects(&self) -> Subjects<'_> {
        Subjects { table: &self.table }
    }

    /// Conversations.
    #[must_use]
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { table: &self.table }
    }

    /// What is held on subjects.
    #[must_use]
    pub fn holdings(&self) -> Holdings<'_> {
        Holdings { table: &self.table }
    }

    /// How far sweeps for documents that are kept no longer came.
    #[must_use]
    pub fn expiry_sweeps(&self) -> ExpirySweeps<'_> {
        ExpirySweeps { table: &self.table }
    }

    /// Cached values.
    #[must_use]
    pub fn cache(&self) -> Cache<'_> {
        Cache { table: &self.table }
    }

    /// Requests that are answered once.
    #[must_use]
    pub fn idempotency(&self) -> Idempotency<'_> {
        Idempotency { table: &self.table }
    }

    /// What was used, by day.
    #[must_use]
    pub fn usage(&self) -> UsageDays<'_> {
        UsageDays { table: &self.table }
    }

    /// What is spent and set aside, by month and day.
    #[must_use]
    pub fn budgets(&self) -> Budgets<'_> {
        Budgets { table: &self.table }
    }

    /// What may be spent.
    #[must_use]
    pub fn spending_rules(&self) -> AllSpendingRules<'_> {
        AllSpendingRules { table: &self.table }
    }

    /// Outcomes of experiments.
    #[must_use]
    pub fn experiments(&self) -> Experiments<'_> {
        Experiments { table: &self.table }
    }

    /// Backups.
    #[must_use]
    pub fn backups(&self) -> Backups<'_> {
        Backups { table: &self.table }
    }

    /// Erasures from backups.
    #[must_use]
    pub fn erasures(&self) -> Erasures<'_> {
        Erasures { table: &self.table }
    }

    /// Restorations.
    #[must_use]
    pub fn restores(&self) -> Restores<'_> {
        Restores { table: &self.table }
    }

    /// All tenants.
    #[must_use]
    pub fn tenants(&self) -> Tenants<'_> {
        Tenants { table: &self.table }
    }

    /// What readers thought of answers.
    #[must_use]
    pub fn feedback(&self) -> Feedbacks<'_> {
        Feedbacks { table: &self.table }
    }
}

fn invalid(reason: &'static str) -> PortError {
    PortError::new(ErrorKind::Invalid, CONNECT, reason)
}
