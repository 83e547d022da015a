//! A data directory as production has it.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Json, Router, routing::get};
use lectern_testkit::collector::Collector;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Lines, lines};
use crate::lectern::{Lectern, OK};

/// A Prometheus with Lectern's rules, as far as its API tells.
async fn prometheus(has_manager: Arc<AtomicBool>) -> String {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/prometheus/rules.yaml");
    let rules: Value = serde_yaml_ng::from_str(&fs::read_to_string(rules).unwrap()).unwrap();
    let alerts = rules["groups"].as_array().unwrap().iter().flat_map(|group| {
        group["rules"].as_array().unwrap().iter().filter_map(|rule| rule.get("alert").cloned())
    });
    let alerts: Vec<Value> = alerts.map(|name| json!({ "name": name })).collect();
    let groups = json!({ "status": "success", "data": { "groups": [{ "rules": alerts }] } });
    let managers = async move || {
        let one = json!({ "url": "http://127.0.0.1:9093/api/v2/alerts" });
        let active = if has_manager.load(Ordering::Relaxed) { vec![one] } else { vec![] };
        Json(json!({ "status": "success", "data": { "activeAlertmanagers": active } }))
    };
    let router = Router::new()
        .route("/api/v1/rules", get(async move || Json(groups)))
        .route("/api/v1/alertmanagers", get(managers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

/// A data directory, and the settings it is looked at with.
pub(super) struct Directory {
    pub(super) lectern: Lectern,
    pub(super) prometheus: String,
    collector: Collector,
    identity: String,
    /// On another disk, where this machine has one for everybody.
    pub(super) backups: tempfile::TempDir,
    monitor_key: String,
}

impl Directory {
    /// Returns the settings that production has.
    pub(super) fn env(&self) -> [(&'static str, String); 4] {
        [
            ("LECTERN_BACKUP_IDENTITY", self.identity.clone()),
            ("LECTERN_BACKUPS_DIRECTORY", self.backups.path().to_str().unwrap().to_owned()),
            ("LECTERN_MONITOR_KEY", self.monitor_key.clone()),
            ("LECTERN_TRACES", self.collector.setting()),
        ]
    }

    /// Looks at it, with other settings.
    pub(super) fn doctor(&self, others: &[(&str, &str)]) -> (i32, Lines) {
        let own = self.env();
        let mut env: Vec<(&str, &str)> =
            own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        env.extend(others);
        let arguments = ["doctor", "--production", "--json", "--prometheus", &self.prometheus];
        let ran = self.lectern.run_with(&arguments, &env);
        (ran.code, lines(&ran))
    }

    /// Returns what a command that must succeed prints.
    pub(super) fn done(&self, arguments: &[&str]) -> String {
        let own = self.env();
        let env: Vec<(&str, &str)> =
            own[..2].iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ran = self.lectern.run_with(arguments, &env);
        assert_eq!(ran.code, OK, "{ran:?}");
        ran.out.trim().to_owned()
    }
}

/// Does what the lines ask for.
pub(super) async fn mended(lectern: Lectern, has_manager: Arc<AtomicBool>) -> Directory {
    let backups = elsewhere().map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let identity = age::x25519::Identity::generate().to_string();
    let mut directory = Directory {
        lectern,
        prometheus: prometheus(has_manager).await,
        collector: Collector::start(),
        identity: identity.expose_secret().to_owned(),
        backups,
        monitor_key: String::new(),
    };
    directory.done(&["keys", "create", "boss", "--permission", "admin", "--expires-in-days", "90"]);
    directory.monitor_key =
        directory.done(&["keys", "create", "prometheus", "--permission", "monitor", "--quiet"]);
    directory.done(&["budget", "--usd-per-day", "5", "--usd-per-month", "100"]);
    directory.done(&["collections", "set", "default", r#"{"retention": {"days": 365}}"#]);
    directory.done(&["backup", "create"]);
    directory.done(&["backup", "drill"]);
    directory
}

/// Returns the disk of memory that everybody may use on Linux.
pub(super) fn elsewhere() -> Option<&'static Path> {
    Some(Path::new("/dev/shm")).filter(|memory| memory.is_dir())
}
