//! Documents go that their collections keep no longer: tenants → collections with `/retention/days` → their oldest documents → those
//! whose version that answers was accepted too long ago → [`Forget`].
//!
//! A document whose newest version is on its way is left alone, and a new version that answers begins its time anew: such
//! documents stay among the oldest, so that a sweep, which is bounded, remembers how far it came
//! (`lectern_tables::expiry`). Two sweeps at once delete each document once.

use std::time::{Duration, Instant};

use futures::future::try_join;
use lectern_core::{
    document::{Document, DocumentState, Version},
    errors::{PortError, chain},
    ids::TenantId,
    time::Timestamp,
};
use lectern_tables::{MAX_PAGE, Tables, collections::Collection, expiry::SweepPlace};
use tracing::{info, warn};

use crate::{collections::settings_of, errors::FlowError, forget::Forget};

/// Most documents of a collection that one sweep looks at.
pub const MAX_LOOKED_AT: usize = 1_000;
/// Most documents of a collection that one sweep deletes.
pub const MAX_EXPIRED: usize = 100;
/// How long a collection is left alone that was looked through.
pub const PAUSE: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Deletes what is kept no longer.
#[derive(Clone, Debug)]
pub struct Expire {
    /// The table.
    pub tables: Tables,
    /// Deletes documents.
    pub forget: Forget,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Documents that are gone.
    pub deleted: u64,
    /// Documents whose deletion failed; the worker, or a later sweep, goes on.
    pub failed: u64,
    /// Whether something was left for the next sweep.
    pub is_cut_short: bool,
}

impl Expire {
    /// Deletes what is kept no longer at `now`, of every tenant, until `until`. What fails keeps nothing else from it.
    ///
    /// # Errors
    /// When tenants cannot be listed.
    pub async fn sweep(&self, now: Timestamp, until: Instant) -> Result<Expired, PortError> {
        let mut expired = Expired::default();
        let mut cursor = None;
        loop {
            let page = self.tables.tenants().list(cursor.as_deref()).await?;
            for tenant in &page.items {
                let tenant = tenant.live();
                if Instant::now() >= until {
                    expired.is_cut_short = true;
                    return Ok(expired);
                }
                if let Err(error) = self.tenant(&tenant, now, until, &mut expired).await {
                    warn!(%tenant, error = %chain(&error), "failed to look for documents that are kept no longer");
                    expired.failed += 1;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(expired);
            }
        }
    }

    async fn tenant(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        until: Instant,
        expired: &mut Expired,
    ) -> Result<(), PortError> {
        let mut cursor = None;
        loop {
            let collections = self.tables.collections();
            let page = collections.list(tenant, MAX_PAGE, cursor.as_deref()).await?;
            for collection in &page.items {
                let Some(days) = settings_of(collection).retention.days else { continue };
                let before = now.before(DAY * days);
                self.collection(collection, before, now, until, expired).await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Deletes the documents of a collection that were accepted before `before`.
    async fn collection(
        &self,
        collection: &Collection,
        before: Timestamp,
        now: Timestamp,
        until: Instant,
        expired: &mut Expired,
    ) -> Result<(), PortError> {
        let Collection { tenant, id, .. } = collection;
        let (sweeps, documents) = (self.tables.expiry_sweeps(), self.tables.documents());
        let mut place = sweeps.get(tenant, id, now).await?;
        if now < place.not_before {
            return Ok(());
        }
        let (mut looked_at, mut deleted) = (0, 0);
        let may_go_on = |deleted| deleted < MAX_EXPIRED && Instant::now() < until;
        let done = 'pages: loop {
            if looked_at >= MAX_LOOKED_AT || !may_go_on(deleted) {
                break false;
            }
            let page = documents.oldest(tenant, id, MAX_PAGE, place.cursor.as_deref()).await?;
            looked_at += page.items.len();
            let was_last = page.items.iter().any(|document| document.created_at >= before);
            for document in self.overdue(tenant, page.items, before).await? {
                // The next sweep reads this page again: what is deleted is on it no more.
                if !may_go_on(deleted) {
                    break 'pages false;
                }
                deleted += 1;
                self.delete(&document, expired).await;
            }
            if was_last || page.next.is_none() {
                break true;
            }
            place.cursor = page.next;
        };
        if done {
            place = SweepPlace { cursor: None, not_before: now + PAUSE };
        } else {
            expired.is_cut_short = true;
        }
        sweeps.put(tenant, id, &place, now).await
    }

    /// Returns those of some documents that are kept no longer.
    async fn overdue(
        &self,
        tenant: &TenantId,
        documents: Vec<Document>,
        before: Timestamp,
    ) -> Result<Vec<Document>, PortError> {
        let old = documents.into_iter().filter(|one| one.created_at < before && is_at_rest(one));
        let old: Vec<Document> = old.collect();
        let ids: Vec<_> = old.iter().map(|document| document.id.clone()).collect();
        let counting: Vec<(_, Version)> = old.iter().map(|one| (&one.id, counts(one))).collect();
        // The list lags behind; the records do not.
        let versions = self.tables.versions();
        let all = self.tables.documents();
        let (current, versions) =
            try_join(all.get_many(tenant, &ids), versions.get_many(tenant, &counting)).await?;
        let is_old = |document: &Document| {
            let counted = versions.iter().find(|version| {
                version.document_id == document.id && version.version == counts(document)
            });
            is_at_rest(document) && counted.is_some_and(|version| version.created_at < before)
        };
        Ok(current.into_iter().filter(is_old).collect())
    }

    async fn delete(&self, document: &Document, expired: &mut Expired) {
        match self.forget.expire(document).await {
            Ok(Some(_)) => {
                info!(document.id = %document.id, collection.id = %document.collection, "deleted a document that is kept no longer");
                expired.deleted += 1;
            }
            // Another sweep or its writer was faster.
            Ok(None) | Err(FlowError::NotFound(_)) => {}
            Err(error) => {
                warn!(document.id = %document.id, error = %chain(&error), "failed to delete a document that is kept no longer");
                expired.failed += 1;
            }
        }
    }
}

/// Returns the version whose time counts: the one that answers, and the newest where none does.
fn counts(document: &Document) -> Version {
    document.live_version.unwrap_or(document.latest_version)
}

/// Whether nothing of a document is on its way.
fn is_at_rest(document: &Document) -> bool {
    matches!(document.state, DocumentState::Ready | DocumentState::Failed)
}
