//! All routes of the process.

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state};
use lectern_app::{
    audit::AuditHeads, canary::Canary, fetch::Fetch, status::Statuses, subjects::Subjects,
    uploads::Uploads,
};
use lectern_core::ids::TenantId;
use lectern_runtime::routes;

use super::{BACKUP_TIMEOUT, Local};
use crate::connections::{self, Limits, Rooms};

impl Local {
    /// Returns all routes. Without `open_to` every API route wants a key.
    pub(crate) fn router(&self, open_to: Option<TenantId>) -> Router {
        let gate = self.gate(open_to);
        let query = query::router(query::Query {
            gate: gate.clone(),
            ask: self.ask.clone(),
            answer_timeout: self.answer_timeout,
        });
        let rooms = Rooms::new(&Limits::default());
        let uploads = from_fn_with_state(rooms.clone(), connections::admit_upload);
        let upload = upload::router(upload::Upload {
            gate: gate.clone(),
            upload: self.upload.clone(),
            fetch: Fetch { reader: self.pages.clone(), upload: self.upload.clone() },
            uploads: Uploads { upload: self.upload.clone() },
            documents: self.documents.clone(),
            forget: self.worker.forget.clone(),
            collections: self.collections.clone(),
        })
        .layer(uploads);
        let backup = backup::router(backup::Backup {
            gate: gate.clone(),
            restore: self.restore(),
            request_timeout: BACKUP_TIMEOUT,
        });
        let (experiments, spending) = (self.experiments.clone(), self.ask.spending.clone());
        let audit = AuditHeads { tables: self.ask.tables.clone() };
        let (tables, clock) = (self.ask.tables.clone(), self.ask.clock.clone());
        let subjects = Subjects { tables, clock };
        let (health, clock) = (self.health.clone(), self.ask.clock.clone());
        let statuses =
            Statuses { health: health.clone(), measured: Arc::new(self.measured.clone()), clock };
        let canary = Canary::new(self.ask.clone(), Some(self.upload.clone()));
        let health =
            health::router(health::Health { gate: gate.clone(), health, canary, statuses });
        let admin = admin::router(admin::Admin { gate, experiments, spending, audit, subjects });
        let requests = from_fn_with_state(rooms, connections::admit);
        let bounded = query.merge(backup).merge(admin).layer(requests).merge(upload);
        routes::complete(bounded.merge(health).merge(site::router()))
    }
}
