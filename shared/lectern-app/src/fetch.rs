//! One document arrives by its address: may the caller write there, and all they say of it? → read it, bounded → upload it.
//!
//! What it leads to is looked at by the reader (`lectern_core::web`); this flow reads for nobody who could not upload, and tells
//! them why nothing was read.

use std::sync::Arc;

use bytes::Bytes;
use lectern_core::{
    auth::Caller,
    document::Metadata,
    errors::chain,
    ids::{CollectionId, DocumentId},
    web::{Page, PageError, WebReader},
};
use tracing::info;

use crate::{
    errors::FlowError,
    upload::{NewDocument, Upload, Uploaded, authorize, is_name},
};

/// Name of a document whose address has none that fits.
const UNNAMED: &str = "page";

/// Media types of HTML.
const HTML: [&str; 2] = ["text/html", "application/xhtml+xml"];
/// Endings of names of HTML.
const HTML_EXTENSIONS: [&str; 3] = ["html", "htm", "xhtml"];

/// A document somebody names by its address.
#[derive(Clone, Debug)]
pub struct Named {
    /// Where it is.
    pub url: String,
    /// Where it belongs.
    pub collection: CollectionId,
    /// The document to update, `None` for a new one.
    pub document_id: Option<DocumentId>,
    /// What it is called; the last part of its address when `None`, if that is a name.
    pub name: Option<String>,
    /// Who may see it; empty for everybody of the tenant.
    pub acl: Vec<String>,
    /// Flat metadata.
    pub metadata: Metadata,
}

/// Takes documents in by their address.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Reads them; `None` where the operator allows no host.
    pub reader: Option<Arc<dyn WebReader>>,
    /// Takes them in.
    pub upload: Upload,
}

impl Fetch {
    /// Reads a document and accepts it. The same bytes sent twice give the same document.
    ///
    /// # Errors
    /// `Forbidden` when the caller may not write there, or nothing is read at all; as [`Upload::upload`], before anything is read
    /// where the bytes do not matter; a field error when the address is not read or does not answer.
    pub async fn fetch(&self, caller: &Caller, named: Named) -> Result<Uploaded, FlowError> {
        authorize(caller, &named.collection)?;
        let reader = self.reader.as_ref().ok_or(FlowError::Forbidden(
            "this server reads no documents from addresses; its operator can allow hosts, see LECTERN_FETCH_HOSTS",
        ))?;
        let is_named = named.name.is_some();
        let mut new = NewDocument {
            collection: named.collection,
            document_id: named.document_id,
            new_id: None,
            name: named.name.unwrap_or_else(|| UNNAMED.to_owned()),
            bytes: Bytes::new(),
            acl: named.acl,
            metadata: named.metadata,
        };
        // Nothing is read for a request that is wrong whatever it reads.
        self.upload.check_ahead(caller, &new).await?;
        let max_bytes = self.upload.max_bytes;
        let page =
            reader.read(&named.url, max_bytes).await.map_err(|error| refusal(&error, max_bytes))?;
        if !is_named {
            new.name = name_of(&page);
        }
        new.bytes = page.bytes.into();
        self.upload.upload(caller, new).await
    }
}

/// Returns what a page is called: as its address ends, but HTML never as if it were anything else, for names tell formats of text
/// apart (`lectern_parse::sniff`). What says nothing of itself is taken for HTML.
fn name_of(page: &Page) -> String {
    let name = page.name.as_deref().filter(|name| is_name(name));
    let is_html = |said: &String| HTML.contains(&said.as_str());
    let is_html = page.media_type.as_ref().map_or(name.is_none(), is_html);
    let name = name.unwrap_or(UNNAMED);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let says_so = extension.is_some_and(|extension| HTML_EXTENSIONS.contains(&&*extension));
    if !is_html || says_so {
        return name.to_owned();
    }
    let html = |name: &str| format!("{name}.html");
    Some(html(name)).filter(|name| is_name(name)).unwrap_or_else(|| html(UNNAMED))
}

fn refusal(error: &PageError, limit_bytes: usize) -> FlowError {
    info!(error = %chain(error), "read no document from an address");
    match error {
        PageError::TooLarge(_) => FlowError::TooLarge { limit_bytes },
        error => FlowError::field("/url", error),
    }
}
