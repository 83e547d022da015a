//! Sets of documents that are asked together.

use lectern_core::{
    auth::{Caller, Permission},
    errors::ErrorKind,
    ids::CollectionId,
    settings::{CollectionSettings, SettingError, merge_patch},
};
pub use lectern_tables::collections::Collection;
use lectern_tables::{MAX_PAGE, Tables};
use serde_json::{Map, Value};
use tracing::warn;

use crate::{
    clock::Clock,
    errors::{FieldError, FlowError},
};

/// Most collections of a tenant.
pub const MAX_COLLECTIONS: usize = 1_000;
/// Largest settings of a collection, as JSON, in bytes.
pub const MAX_SETTINGS_BYTES: usize = 16 * 1024;
/// How often a change is made again when somebody else was faster.
const MAX_REPEATS: usize = 3;

/// A change of a collection's name or settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionPatch {
    /// What people call it from now on; as before without.
    pub name: Option<String>,
    /// A JSON merge patch (RFC 7396) of its settings; `null` for a setting means its default.
    pub settings: Map<String, Value>,
    /// The revision it must have; any without.
    pub based_on: Option<u64>,
}

/// Manages collections.
#[derive(Clone, Debug)]
pub struct Collections {
    /// The table.
    pub tables: Tables,
    /// The time.
    pub clock: Clock,
}

impl Collections {
    /// Creates a collection; one that exists is returned as it is, with `false`.
    ///
    /// # Errors
    /// When the caller may not, there are too many, or a port fails.
    pub async fn create(
        &self,
        caller: &Caller,
        id: &CollectionId,
        name: &str,
        settings: Map<String, Value>,
    ) -> Result<(Collection, bool), FlowError> {
        self.authorize_write(caller, id)?;
        check_name(name)?;
        let settings = merged(Map::new(), settings)?;
        if let Some(existing) = self.tables.collections().get(&caller.tenant, id).await? {
            return Ok((existing, false));
        }
        if self.all(caller).await?.len() >= MAX_COLLECTIONS {
            return Err(FlowError::Conflict(format!(
                "a tenant has at most {MAX_COLLECTIONS} collections"
            )));
        }
        let now = self.clock.now();
        let mut collection =
            Collection::new(caller.tenant.clone(), id.clone(), name.to_owned(), now);
        collection.settings = settings;
        let created = self.tables.collections().create_if_absent(&collection).await?;
        Ok((collection, created))
    }

    /// Returns the collections the caller may touch.
    ///
    /// # Errors
    /// When the table fails.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Collection>, FlowError> {
        let mut collections = self.all(caller).await?;
        collections.retain(|collection| caller.may_touch(&collection.id));
        Ok(collections)
    }

    /// Returns one collection.
    ///
    /// # Errors
    /// `NotFound` when it does not exist or is not the caller's to touch.
    pub async fn get(&self, caller: &Caller, id: &CollectionId) -> Result<Collection, FlowError> {
        let found = self.tables.collections().get(&caller.tenant, id).await?;
        found.filter(|_| caller.may_touch(id)).ok_or(FlowError::NotFound("collection"))
    }

    /// Changes name and settings.
    ///
    /// # Errors
    /// `Invalid` naming every setting that is wrong; `Conflict` when the collection has another revision than
    /// named, or keeps changing; `NotFound` as in [`Self::get`].
    pub async fn patch(
        &self,
        caller: &Caller,
        id: &CollectionId,
        patch: &CollectionPatch,
    ) -> Result<Collection, FlowError> {
        self.authorize_write(caller, id)?;
        for _ in 0..=MAX_REPEATS {
            let mut collection = self.get(caller, id).await?;
            let revision = collection.revision;
            if patch.based_on.is_some_and(|based_on| based_on != revision) {
                break;
            }
            if let Some(name) = &patch.name {
                check_name(name)?;
                collection.name.clone_from(name);
            }
            collection.settings = merged(collection.settings, patch.settings.clone())?;
            let now = self.clock.now();
            match self.tables.collections().update(&collection, revision, now).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return Err(FlowError::NotFound("collection"));
                }
                updated => return Ok(updated?),
            }
        }
        Err(FlowError::Conflict(
            "the collection was changed by somebody else; read it again and repeat".into(),
        ))
    }

    /// Deletes an empty collection.
    ///
    /// # Errors
    /// `Conflict` while it holds documents; `NotFound` as in [`Self::get`].
    pub async fn delete(&self, caller: &Caller, id: &CollectionId) -> Result<(), FlowError> {
        self.authorize_write(caller, id)?;
        self.get(caller, id).await?;
        let deleted = self.tables.collections().delete(&caller.tenant, id).await;
        match deleted {
            Err(error) if error.kind == ErrorKind::Conflict => Err(FlowError::Conflict(
                "the collection still holds documents; delete them first".into(),
            )),
            other => Ok(other?),
        }
    }

    async fn all(&self, caller: &Caller) -> Result<Vec<Collection>, FlowError> {
        let mut collections = Vec::new();
        let mut cursor = None;
        loop {
            let tables = self.tables.collections();
            let page = tables.list(&caller.tenant, MAX_PAGE, cursor.as_deref()).await?;
            collections.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || collections.len() >= MAX_COLLECTIONS {
                return Ok(collections);
            }
        }
    }

    fn authorize_write(&self, caller: &Caller, id: &CollectionId) -> Result<(), FlowError> {
        if !caller.may(Permission::Upload) {
            return Err(FlowError::Forbidden("it lacks the permission `upload`"));
        }
        if caller.may_touch(id) { Ok(()) } else { Err(FlowError::NotFound("collection")) }
    }
}

/// Returns the settings a collection has, each spelled out, with defaults for what it leaves open.
/// What an older or newer release stored and this one refuses counts as the defaults: a question is answered all
/// the same. What the settings say of safety is kept where that alone can be read.
#[must_use]
pub fn settings_of(collection: &Collection) -> CollectionSettings {
    static WARNED: std::sync::Once = std::sync::Once::new();
    CollectionSettings::read(&collection.settings).unwrap_or_else(|wrong| {
        WARNED.call_once(|| {
            let pointer = wrong.first().map_or("", |wrong| wrong.pointer.as_str());
            warn!(collection.id = %collection.id, pointer, "stored settings cannot be used; the defaults stand in for them");
        });
        let safety = collection.settings.get_key_value("safety");
        let safety = safety.map(|(name, value)| (name.clone(), value.clone()));
        CollectionSettings::read(&safety.into_iter().collect()).unwrap_or_default()
    })
}

fn check_name(name: &str) -> Result<(), FlowError> {
    if (1..=lectern_core::document::MAX_NAME_BYTES).contains(&name.len()) {
        Ok(())
    } else {
        Err(FlowError::field("/name", "must have 1 to 512 bytes"))
    }
}

/// Returns the settings with a patch applied, as they are stored: only what somebody set.
fn merged(
    mut settings: Map<String, Value>,
    patch: Map<String, Value>,
) -> Result<Map<String, Value>, FlowError> {
    merge_patch(&mut settings, patch);
    let field = |wrong: SettingError| FieldError {
        pointer: format!("/settings{}", wrong.pointer),
        detail: wrong.message,
    };
    let invalid = |wrong: Vec<SettingError>| wrong.into_iter().map(field).collect();
    CollectionSettings::read(&settings).map_err(|wrong| FlowError::Invalid(invalid(wrong)))?;
    let size = serde_json::to_string(&settings).map_or(usize::MAX, |json| json.len());
    if size > MAX_SETTINGS_BYTES {
        let detail = format!("must have at most {MAX_SETTINGS_BYTES} bytes as JSON");
        return Err(FlowError::field("/settings", detail));
    }
    Ok(settings)
}
