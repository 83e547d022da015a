//! The embedded files and the release they hash to.

use std::{borrow::Cow, sync::LazyLock};

use sha2::{Digest, Sha256};

/// Name of the icon among the assets.
pub const FAVICON: &str = "favicon.svg";
/// What `index.html` writes where the release's name belongs.
const RELEASE_MARK: &str = "{{release}}";
/// Hex digits of a SHA-256 kept in a release's name and in an `ETag`: 64 bits.
const DIGEST_DIGITS: usize = 16;

/// The description of the API. `lectern openapi` makes it from the types; a test of the local process compares them.
const OPENAPI: &str = include_str!("../assets/openapi.json");

const PAGE: &str = include_str!("../assets/index.html");

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

macro_rules! embedded {
    ($($name:literal => $media_type:expr),+ $(,)?) => {
        [$(($name, $media_type, include_str!(concat!("../assets/", $name)))),+]
    };
}

/// Every file under `/assets/`: name, media type, content.
const ASSETS: &[(&str, &str, &str)] = &embedded![
    "answer.css" => CSS,
    "answer.js" => JAVASCRIPT,
    "api.js" => JAVASCRIPT,
    "base.css" => CSS,
    "chat.css" => CSS,
    "chat.js" => JAVASCRIPT,
    "conversation.js" => JAVASCRIPT,
    "documents.js" => JAVASCRIPT,
    "dom.js" => JAVASCRIPT,
    "favicon.svg" => SVG,
    "key.js" => JAVASCRIPT,
    "language.js" => JAVASCRIPT,
    "panels.css" => CSS,
    "panels.js" => JAVASCRIPT,
    "passage.js" => JAVASCRIPT,
    "problem.js" => JAVASCRIPT,
    "sse.js" => JAVASCRIPT,
    "strings.en.js" => JAVASCRIPT,
    "strings.ur.js" => JAVASCRIPT,
    "text.js" => JAVASCRIPT,
    "uploads.js" => JAVASCRIPT,
];

/// One file as it is served.
#[derive(Debug)]
pub struct File {
    /// Name in its folder.
    pub name: &'static str,
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// Strong entity tag with its quotes: a prefix of the content's SHA-256.
    pub etag: String,
    /// The content, UTF-8.
    pub content: Cow<'static, str>,
}

/// The files of this build, and the name their addresses carry.
#[derive(Debug)]
pub struct Release {
    /// Prefix of the SHA-256 over every asset's name and content, lower-case hex.
    pub name: String,
    /// `index.html`, its links pointing into this release.
    pub page: File,
    /// The description of the API, OpenAPI 3.1.
    pub openapi: File,
    assets: Vec<File>,
}

impl Release {
    fn new(page: &str, assets: &[(&'static str, &'static str, &'static str)]) -> Self {
        let mut hash = Sha256::new();
        for (name, _, content) in assets {
            // Lengths keep the boundary between a name and its content unambiguous.
            hash.update(name.len().to_le_bytes());
            hash.update(name);
            hash.update(content.len().to_le_bytes());
            hash.update(content);
        }
        let name = abbreviate(&hash.finalize());
        let page = file("index.html", HTML, Cow::Owned(page.replace(RELEASE_MARK, &name)));
        let assets = assets
            .iter()
            .map(|(name, media_type, content)| file(name, media_type, Cow::Borrowed(content)))
            .collect();
        let openapi = file("openapi.json", JSON, Cow::Borrowed(OPENAPI));
        Self { name, page, openapi, assets }
    }

    /// Returns the asset called `name`, `None` when there is none.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&File> {
        self.assets.iter().find(|file| file.name == name)
    }

    /// Returns every asset, by name.
    #[must_use]
    pub fn assets(&self) -> &[File] {
        &self.assets
    }
}

/// Returns the files of this build; hashed on first use.
#[must_use]
pub fn release() -> &'static Release {
    static RELEASE: LazyLock<Release> = LazyLock::new(|| Release::new(PAGE, ASSETS));
    &RELEASE
}

fn file(name: &'static str, media_type: &'static str, content: Cow<'static, str>) -> File {
    let etag = format!("\"{}\"", abbreviate(&Sha256::digest(content.as_bytes())));
    File { name, media_type, etag, content }
}

fn abbreviate(digest: &[u8]) -> String {
    let mut digits = hex::encode(digest);
    digits.truncate(DIGEST_DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_byte_or_name_makes_another_release() {
        let release = |assets: &[_]| Release::new("<p>{{release}}", assets).name;
        let original = release(&[("a.js", JAVASCRIPT, "one"), ("b.js", JAVASCRIPT, "two")]);
        for changed in [
            [("a.js", JAVASCRIPT, "onE"), ("b.js", JAVASCRIPT, "two")],
            [("a.js", JAVASCRIPT, "one"), ("c.js", JAVASCRIPT, "two")],
            [("a.js", JAVASCRIPT, "on"), ("b.js", JAVASCRIPT, "etwo")],
        ] {
            assert_ne!(release(&changed), original);
        }
    }

    #[test]
    fn the_page_points_into_its_release() {
        let release = Release::new("<link href=assets/{{release}}/a.css>", &[]);
        assert_eq!(release.page.content, format!("<link href=assets/{}/a.css>", release.name));
    }
}
