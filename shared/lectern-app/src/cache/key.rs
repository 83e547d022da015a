//! What a cached value depends on, as one hash.

use lectern_core::{
    auth::Caller,
    filter::Filter,
    ids::{CollectionId, TenantId},
};
use sha2::{Digest as _, Sha256};

/// Changes with the form of what is kept, so that a new release does not read the old one's.
const FORMAT: &str = concat!("lectern-cache/2 ", env!("CARGO_PKG_VERSION"));

/// SHA-256 of everything a value depends on besides the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Returns the name in the table.
    pub(crate) fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Returns the key of a text's vector.
    pub(crate) fn of_vector(model: &str, dimensions: usize, text: &str) -> Self {
        let encoding = Encoding::new("vector").text(model).number(dimensions).text(text);
        encoding.finish()
    }
}

/// What a question is asked of, and as whom. Equal views of equal documents see equal things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    tenant: &'a TenantId,
    collection: &'a CollectionId,
    principals: &'a [String],
    filter: Option<&'a Filter>,
    recipe: &'a str,
}

impl<'a> View<'a> {
    /// Returns the view of `caller` on a collection. `recipe` names everything else that makes a
    /// difference: models, prompts, ranking, variants of an experiment.
    pub(crate) fn of(
        caller: &'a Caller,
        collection: &'a CollectionId,
        filter: Option<&'a Filter>,
        recipe: &'a str,
    ) -> Self {
        Self { tenant: &caller.tenant, principals: &caller.principals, collection, filter, recipe }
    }

    /// Returns the key of what was retrieved for `question`.
    pub(crate) fn retrieval(&self, question: &str) -> Key {
        self.encode("retrieval").text(question).finish()
    }

    /// Returns the key of the answer to `question`.
    pub(crate) fn answer(&self, question: &str) -> Key {
        self.encode("answer").text(question).finish()
    }

    /// Returns the key of all answers of this view.
    pub(crate) fn answers(&self) -> Key {
        self.encode("answers").finish()
    }

    fn encode(&self, kind: &str) -> Encoding {
        // Principals are a set; a filter is written by the types that read it, always the same way.
        let mut principals: Vec<&str> = self.principals.iter().map(String::as_str).collect();
        principals.sort_unstable();
        principals.dedup();
        let filter = self.filter.map(serde_json::to_string);
        let filter = filter.map(|json| json.expect("a filter is strings, numbers and lists"));
        let encoding =
            Encoding::new(kind).text(self.tenant.as_str()).text(self.collection.as_str());
        let encoding = encoding.number(principals.len());
        let encoding = principals.into_iter().fold(encoding, Encoding::text);
        let encoding = encoding.number(usize::from(filter.is_some()));
        encoding.text(&filter.unwrap_or_default()).text(self.recipe)
    }
}

/// Fields with their lengths, so that no two lists of fields are the same bytes.
struct Encoding(Sha256);

impl Encoding {
    fn new(kind: &str) -> Self {
        Self(Sha256::new()).text(FORMAT).text(kind)
    }

    fn text(self, text: &str) -> Self {
        let next = self.number(text.len());
        Self(next.0.chain_update(text))
    }

    fn number(self, number: usize) -> Self {
        Self(self.0.chain_update((number as u64).to_le_bytes()))
    }

    fn finish(self) -> Key {
        Key(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn caller(tenant: &str, principals: &[&str]) -> Caller {
        let mut caller = Caller::operator(tenant.parse().unwrap());
        caller.principals = principals.iter().map(|name| (*name).to_owned()).collect();
        caller
    }

    #[test]
    fn everything_an_answer_depends_on_makes_another_key() {
        let filter: Filter = serde_json::from_str(r#"{"field":"a","equals":"b"}"#).unwrap();
        let (one, other): (CollectionId, CollectionId) =
            ("one".parse().unwrap(), "other".parse().unwrap());
        let base = caller("acme", &["ops", "dev"]);
        let mut keys = HashSet::new();
        let mut all = 0;
        for (caller, collection, filter, recipe, question) in [
            (&base, &one, None, "r", "q"),
            (&base, &one, None, "r", "q2"),
            (&base, &one, None, "r2", "q"),
            (&base, &one, Some(&filter), "r", "q"),
            (&base, &other, None, "r", "q"),
            (&caller("acme", &["ops"]), &one, None, "r", "q"),
            (&caller("acme", &["opsdev"]), &one, None, "r", "q"),
            (&caller("acme", &[]), &one, None, "r", "q"),
            (&caller("other", &["ops", "dev"]), &one, None, "r", "q"),
        ] {
            let view = View::of(caller, collection, filter, recipe);
            keys.insert(view.answer(question));
            keys.insert(view.retrieval(question));
            all += 2;
        }
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn principals_are_a_set_and_fields_do_not_run_together() {
        let collection = CollectionId::default_collection();
        let key = |principals: &[&str], recipe: &str, question: &str| {
            View::of(&caller("acme", principals), &collection, None, recipe).answer(question)
        };
        assert_eq!(key(&["a", "b"], "r", "q"), key(&["b", "a", "b"], "r", "q"));
        assert_ne!(key(&[], "ab", "c"), key(&[], "a", "bc"));
        assert_ne!(Key::of_vector("m", 1, "x"), Key::of_vector("m", 2, "x"));
    }
}
