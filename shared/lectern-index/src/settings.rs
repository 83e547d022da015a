//! What an index holds: whose vectors, under which names, within which bounds.

use lectern_core::{
    errors::{ErrorKind, PortError},
    passage::{Point, PointId},
    ports::EmbeddingModel,
};

/// Name of the dense vector of a point.
pub(crate) const DENSE: &str = "dense";
/// Name of the sparse vector of a point.
pub(crate) const SPARSE: &str = "bm25";
/// Most passages one ranking returns, whatever the caller asks for.
pub const MAX_RANKING: usize = 1_000;
/// Most points one page of a scroll returns, whatever the caller asks for, and most ids of one `get`.
pub const MAX_PAGE: usize = 1_000;
/// Longest id of an embedding model in bytes: it becomes part of a collection's name.
pub const MAX_MODEL_ID_BYTES: usize = 128;
/// Vectors fetched by their int8 copies for each one returned, before the exact ones decide.
pub(crate) const OVERSAMPLING: f64 = 2.0;
/// Share of the components the int8 scale spans; outliers are clipped.
pub(crate) const QUANTILE: f32 = 0.99;

/// Whose vectors an index keeps. Each model has an index of its own: vectors of two models are
/// never compared, and a new model is filled beside the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSettings {
    model: Option<EmbeddingModel>,
}

impl IndexSettings {
    /// Returns the settings of an index for the vectors of `model`, or of one for BM25 alone.
    ///
    /// # Errors
    /// `Invalid` when the model's id is empty or over [`MAX_MODEL_ID_BYTES`], or it has no dimensions.
    pub fn new(model: Option<EmbeddingModel>) -> Result<Self, PortError> {
        let usable = |model: &EmbeddingModel| {
            (1..=MAX_MODEL_ID_BYTES).contains(&model.id.len()) && model.dimensions > 0
        };
        if model.as_ref().is_some_and(|model| !usable(model)) {
            let reason = "an embedding model needs an id of 1 to 128 bytes and a dimension";
            return Err(PortError::new(ErrorKind::Invalid, "index settings", reason));
        }
        Ok(Self { model })
    }

    /// Returns the length of the dense vectors, `None` when there are none.
    #[must_use]
    pub fn dimensions(&self) -> Option<usize> {
        self.model.as_ref().map(|model| model.dimensions)
    }

    /// Returns the name of the collection or directory: `lectern-all-minilm-l6-v2-384`,
    /// `lectern-bm25`.
    #[must_use]
    pub fn name(&self) -> String {
        let Some(model) = &self.model else { return "lectern-bm25".to_owned() };
        let plain = |letter: char| {
            let letter = letter.to_ascii_lowercase();
            let allowed = letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
            if allowed { letter } else { '-' }
        };
        let slug: String = model.id.chars().map(plain).collect();
        format!("lectern-{slug}-{}", model.dimensions)
    }

    /// Checks that a vector belongs to this index.
    pub(crate) fn check(
        &self,
        dense: Option<&Vec<f32>>,
        operation: &'static str,
    ) -> Result<(), PortError> {
        let Some(vector) = dense else { return Ok(()) };
        let expected = self.dimensions().unwrap_or(0);
        if vector.len() == expected && vector.iter().all(|component| component.is_finite()) {
            return Ok(());
        }
        let reason = format!("a dense vector here has {expected} finite components");
        Err(PortError::new(ErrorKind::Invalid, operation, reason))
    }

    /// Checks all points of a write before any is written.
    pub(crate) fn check_points(
        &self,
        points: &[Point],
        operation: &'static str,
    ) -> Result<(), PortError> {
        points.iter().try_for_each(|point| {
            if point.sparse.indices.len() != point.sparse.values.len() {
                let reason = "a sparse vector has as many values as indices";
                return Err(PortError::new(ErrorKind::Invalid, operation, reason));
            }
            self.check(point.dense.as_ref(), operation)
        })
    }
}

/// Refuses more ids than one answer can hold.
pub(crate) fn check_ids(ids: &[PointId], operation: &'static str) -> Result<(), PortError> {
    if ids.len() <= MAX_PAGE {
        return Ok(());
    }
    let reason = format!("at most {MAX_PAGE} passages are read at once");
    Err(PortError::new(ErrorKind::TooLarge, operation, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(id: &str, dimensions: usize) -> Result<IndexSettings, PortError> {
        IndexSettings::new(Some(EmbeddingModel { id: id.to_owned(), dimensions }))
    }

    #[test]
    fn names_follow_the_model() {
        assert_eq!(
            settings("all-MiniLM-L6-v2", 384).unwrap().name(),
            "lectern-all-minilm-l6-v2-384"
        );
        let remote = settings("openai:text-embedding-3-small", 1_536).unwrap();
        assert_eq!(remote.name(), "lectern-openai-text-embedding-3-small-1536");
        assert_eq!(IndexSettings::new(None).unwrap().name(), "lectern-bm25");
    }

    #[test]
    fn refuses_what_cannot_name_a_collection() {
        assert!(settings(&"m".repeat(MAX_MODEL_ID_BYTES), 1).is_ok());
        assert!(settings(&"m".repeat(MAX_MODEL_ID_BYTES + 1), 1).is_err());
        assert!(settings("", 1).is_err());
        assert!(settings("m", 0).is_err());
    }

    #[test]
    fn a_vector_of_another_model_is_refused() {
        let two = settings("m", 2).unwrap();
        assert!(two.check(Some(&vec![1.0, 0.0]), "test").is_ok());
        assert!(two.check(Some(&vec![1.0]), "test").is_err());
        assert!(two.check(Some(&vec![f32::NAN, 0.0]), "test").is_err());
        assert!(IndexSettings::new(None).unwrap().check(Some(&vec![1.0]), "test").is_err());
    }
}
