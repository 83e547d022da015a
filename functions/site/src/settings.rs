//! What the function reads from its environment.

use lectern_core::env::{Settings as ReadSettings, SettingsReader};
use lectern_stack::settings::Process;

/// Settings of `site`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which deployment, which logs.
    pub process: Process,
}

impl ReadSettings for Settings {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let process = Process::read(reader);
        Some(Self { process: process? })
    }
}
