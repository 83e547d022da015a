//! JSON bodies: what is wrong is told by status, pointer and sentence, and what is right says the same when it is written.

use admin::contract::{ChangeBudgetBody, ChangeKeyBody, CreateKeyBody, RotateKeyBody};
use lectern_core::{filter::Filter, settings::CollectionSettings};
use lectern_runtime::{extract::parse_json, problem::Problem};
use query::contract::{FeedbackBody, QueryBody, SearchBody};
use serde_json::{Map, Value};
use upload::contract::{CollectionChange, NewCollection, TextDocument, UploadRequest};

/// Every body, by the first byte.
pub(crate) fn requests(bytes: &[u8]) {
    let Some((choice, bytes)) = super::chosen(bytes) else { return };
    let problem = match choice % 13 {
        0 => parse_json::<QueryBody>(bytes).err(),
        1 => parse_json::<SearchBody>(bytes).err(),
        2 => parse_json::<FeedbackBody>(bytes).err(),
        3 => parse_json::<TextDocument>(bytes).err(),
        4 => parse_json::<UploadRequest>(bytes).err(),
        5 => parse_json::<NewCollection>(bytes).err(),
        6 => parse_json::<CollectionChange>(bytes).err(),
        7 => parse_json::<CreateKeyBody>(bytes).err(),
        8 => parse_json::<ChangeKeyBody>(bytes).err(),
        9 => parse_json::<RotateKeyBody>(bytes).err(),
        10 => parse_json::<ChangeBudgetBody>(bytes).err(),
        11 => return filter(bytes),
        _ => return settings(bytes),
    };
    if let Some(Problem { status, errors, .. }) = problem {
        assert!(matches!(status, 400 | 422), "{status}");
        assert!(
            errors.iter().all(|error| error.pointer.is_empty() || error.pointer.starts_with('/'))
        );
    }
}

fn filter(bytes: &[u8]) {
    if let Ok(filter) = serde_json::from_slice::<Filter>(bytes) {
        // Either answer is right; neither is a panic.
        let _ = filter.validate();
    }
}

fn settings(bytes: &[u8]) {
    let Ok(written) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return };
    match CollectionSettings::read(&written) {
        Ok(settings) => assert!(settings.validate().is_ok(), "what was read is valid"),
        Err(errors) => assert!(!errors.is_empty(), "a refusal names something"),
    }
}
