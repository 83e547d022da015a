//! What the function reads from its environment.

use lectern_core::env::{Settings as ReadSettings, SettingsReader};
use lectern_stack::{
    callers::Callers,
    settings::{Budget, Process, Table},
};

/// Settings of `admin`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
    /// The table.
    pub table: Table,
    /// Who may call.
    pub callers: Callers,
    /// What may be spent where an account has no limits of its own.
    pub budget: Budget,
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        let table = Table::read(reader);
        let callers = Callers::read(reader);
        let budget = Budget::read(reader);
        Some(Self { process: process?, table: table?, callers: callers?, budget: budget? })
    }
}
