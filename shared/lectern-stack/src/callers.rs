//! Who may call, as settings say it.

use lectern_core::{
    env::{Settings, SettingsReader},
    issuers::Issuers,
    secret::SecretSetting,
};
use lectern_runtime::origins::Origins;

/// Who may call, and from which pages.
#[derive(Clone, Debug)]
pub struct Callers {
    /// `LECTERN_KEY_PEPPER`: the secret under which API keys are hashed.
    pub key_pepper: SecretSetting,
    /// `LECTERN_ISSUERS`: whose tokens are trusted.
    pub issuers: Issuers,
    /// `LECTERN_ALLOWED_ORIGINS`: whose pages may call.
    pub origins: Origins,
}

impl Settings for Callers {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let key_pepper = reader.required_secret("LECTERN_KEY_PEPPER");
        let issuers = reader.or("LECTERN_ISSUERS", "", str::parse);
        let origins = Origins::read(reader);
        Some(Self { key_pepper: key_pepper?, issuers: issuers?, origins: origins? })
    }
}
