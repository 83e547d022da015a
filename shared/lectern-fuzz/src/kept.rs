//! What lies in a store or stands in settings, and may have been changed there.

use lectern_app::back_up::{
    manifest::Manifest,
    records::{CollectionLine, FileLine, OriginalLine, PassageLine, TextLine},
};
use lectern_core::{filter::Moment, issuers::Issuers, pricing::PriceTable};
use serde::{Serialize, de::DeserializeOwned};

/// Every form, by the first byte.
pub(crate) fn kept(bytes: &[u8]) {
    let Some((choice, bytes)) = super::chosen(bytes) else { return };
    let text = String::from_utf8_lossy(bytes);
    match choice % 9 {
        0 => again::<PassageLine>(&text),
        1 => again::<TextLine>(&text),
        2 => again::<FileLine>(&text),
        3 => again::<OriginalLine>(&text),
        4 => again::<CollectionLine>(&text),
        5 => again::<Manifest>(&text),
        6 => drop(text.parse::<Issuers>()),
        7 => drop(PriceTable::overridden(&text)),
        _ => drop(text.parse::<Moment>()),
    }
}

/// What was read says the same when it is written, and read again.
fn again<T: Serialize + DeserializeOwned>(text: &str) {
    let Ok(read) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&read).unwrap();
    let read = serde_json::from_str::<T>(&written).expect("what was written is read");
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
}
