//! `lectern import FILE.jsonl`: records of another system, a document each, with the vectors they have.

use lectern_app::upload::NewDocument;
use lectern_core::document::Metadata;
use serde_json::{Map, Value};

use super::{BATCH, Import, Incoming, Tally, lines::Vectors, reading::JsonLines};
use crate::{failure::Failure, main_arguments::portable::ImportArguments};

/// Most fields of a record that become metadata.
const MAX_FIELDS: usize = 32;

impl Import<'_> {
    pub(super) async fn records(&self, options: &ImportArguments) -> Result<Tally, Failure> {
        let takes_vectors = match &options.vectors_of {
            Some(model) if self.has_model(model) => true,
            Some(model) => {
                self.output.note(format_args!(
                    "`{model}` is not the model in use here: passages are embedded anew"
                ));
                false
            }
            None => {
                self.output
                    .note("vectors are made anew; --vectors-of MODEL takes those of the records");
                false
            }
        };
        self.ensure_collection(None).await?;
        let mut lines = JsonLines::open(&options.source)?;
        let (mut tally, mut batch) = (Tally::default(), Vec::new());
        while let Some((number, line)) = lines.next()? {
            match self.record(options, &line, number, takes_vectors) {
                Ok(incoming) => batch.push(incoming),
                Err(reason) => {
                    tally.failed += 1;
                    self.output
                        .complain(format_args!("{}:{number}: {reason}", options.source.display()));
                }
            }
            if batch.len() == BATCH {
                self.batch(std::mem::take(&mut batch), &mut tally).await?;
            }
        }
        self.batch(batch, &mut tally).await?;
        Ok(tally)
    }

    fn record(
        &self,
        options: &ImportArguments,
        line: &str,
        number: u64,
        takes_vectors: bool,
    ) -> Result<Incoming, String> {
        let mut record: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| error.to_string())?;
        let Some(Value::String(text)) = record.remove(&options.text_field) else {
            return Err(format!(
                "no text in the field `{}`; --text-field names another",
                options.text_field
            ));
        };
        let vector = record.remove(&options.vector_field);
        let vector = vector.map(serde_json::from_value::<Option<Vec<f32>>>).transpose();
        let vector = vector
            .map_err(|error| format!("the field `{}`: {error}", options.vector_field))?
            .flatten();
        let stem = options.source.file_stem().unwrap_or_default().to_string_lossy();
        let name = match record.remove(&options.name_field) {
            Some(Value::String(name)) if !name.trim().is_empty() => name,
            Some(Value::Number(name)) => format!("{stem} {name}"),
            _ => format!("{stem} {number}"),
        };
        // Without an ending it is read as plain text, whatever it looks like.
        let name = if name.ends_with(".txt") { name } else { format!("{name}.txt") };
        let mut vectors = Vectors::new();
        if let Some(vector) = vector.filter(|_| takes_vectors) {
            // What ingestion makes of a text of one passage.
            vectors.insert(text.trim().to_owned(), vector);
        }
        let new = NewDocument {
            collection: self.collection.clone(),
            document_id: None,
            new_id: None,
            name,
            bytes: text.into(),
            acl: Vec::new(),
            metadata: metadata(record),
        };
        Ok(Incoming { new, vectors })
    }
}

/// Returns what of a record's other fields can be metadata: flat ones, the first so many.
fn metadata(record: Map<String, Value>) -> Metadata {
    let is_flat = |value: &Value| match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(values) => values.iter().all(Value::is_string),
        Value::Null | Value::Object(_) => false,
    };
    record.into_iter().filter(|(_, value)| is_flat(value)).take(MAX_FIELDS).collect()
}
