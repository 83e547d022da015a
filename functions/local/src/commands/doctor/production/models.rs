//! Which models answer, and what they cost: `models.…`.

use std::collections::BTreeSet;

use lectern_core::pricing::PriceTable;
use lectern_models::config::{ChatConfig, EmbedderConfig};
use serde_json::Value;

use super::{
    Finding,
    bodies::{Collection, Probe},
    place::Place,
};
use crate::output::harmless;

/// Why a line about settings is left out.
const ELSEWHERE: &str = "models are settings of the server's process: run it with that environment and --data, deployed `lectern doctor --env prod`";

/// Whether the models that are configured answer.
pub(super) fn reachable(probes: &[Probe]) -> Finding {
    let models: Vec<&Probe> =
        probes.iter().filter(|probe| matches!(probe.name.as_str(), "chat" | "embedder")).collect();
    let ill: Vec<String> = models
        .iter()
        .filter(|probe| probe.status != "ok")
        .map(|probe| {
            let detail = probe.detail.as_deref().unwrap_or("does not answer");
            format!("`{}` {}", probe.name, harmless(detail))
        })
        .collect();
    if !ill.is_empty() {
        let next = "`lectern doctor` says more; docs/runbooks/model-down.md";
        return Finding::failed(ill.join("; "), next);
    }
    let told = models.iter().map(|probe| {
        let detail = probe.detail.as_deref().unwrap_or("answers");
        format!("`{}`: {}", probe.name, harmless(detail))
    });
    Finding::ok(told.collect::<Vec<_>>().join("; "))
}

/// Whether each model that is configured has a price.
pub(super) fn prices(place: &Place) -> Finding {
    let Some(settings) = &place.settings else { return Finding::skipped(ELSEWHERE) };
    let chats = settings.chat_alternatives.iter().chain([&settings.chat]);
    judge_prices(&unpriced(chats, &settings.embedder, &settings.prices))
}

/// Says which models have no price.
fn judge_prices(unpriced: &BTreeSet<String>) -> Finding {
    if unpriced.is_empty() {
        return Finding::ok("each model that may be asked has a price");
    }
    let names: Vec<&str> = unpriced.iter().map(String::as_str).collect();
    let found =
        format!("the price of {} is not known and counted as the dearest", names.join(", "));
    Finding::attention(
        found,
        "set it in LECTERN_PRICES: docs/CONFIGURATION.md#what-an-answer-costs",
    )
}

/// Returns the models that would be counted at the dearest price, because the table has none.
pub(crate) fn unpriced<'a>(
    chats: impl IntoIterator<Item = &'a ChatConfig>,
    embedder: &EmbedderConfig,
    prices: &PriceTable,
) -> BTreeSet<String> {
    let chats = chats.into_iter().filter_map(|chat| match chat {
        ChatConfig::Extractive => None,
        ChatConfig::OpenAi { model } | ChatConfig::Bedrock { model } => Some(model),
    });
    let chats = chats.filter(|model| !prices.lists(model)).map(|model| format!("`{model}`"));
    let embeds = match embedder {
        // In this process, and free.
        EmbedderConfig::None | EmbedderConfig::MiniLm => None,
        EmbedderConfig::OpenAi { .. } | EmbedderConfig::Bedrock { .. } => {
            embedder.embedding_model().ok().flatten()
        }
    };
    let embeds = embeds.filter(|model| !prices.lists_embedding(&model.id));
    chats.chain(embeds.map(|model| format!("`{}`", model.id))).collect()
}

/// Whether the models that collections name are there.
pub(super) fn named(place: &Place, collections: &[Collection]) -> Finding {
    let Some(settings) = &place.settings else { return Finding::skipped(ELSEWHERE) };
    let extractive = ChatConfig::Extractive;
    let chats = settings.chat_alternatives.iter().chain([&settings.chat, &extractive]);
    let known: BTreeSet<String> = chats.map(ToString::to_string).collect();
    let missing: Vec<String> = collections
        .iter()
        .flat_map(|collection| models_of(collection).map(move |model| (collection, model)))
        .filter(|(_, model)| !known.contains(*model))
        .map(|(collection, model)| format!("`{}` names `{}`", collection.id, harmless(model)))
        .collect();
    if missing.is_empty() {
        return Finding::ok("each model that a collection names is there");
    }
    let found = format!("{}, which is not there: the default one stands in", missing.join(", "));
    Finding::attention(
        found,
        "add it to LECTERN_CHAT_ALTERNATIVES, or `lectern collections set ID '{\"answers\": {\"model\": null}}'`",
    )
}

/// Returns the models that a collection's settings and experiments name.
fn models_of(collection: &Collection) -> impl Iterator<Item = &str> {
    let settings = &collection.settings;
    let experiments = settings["experiments"].as_array().into_iter().flatten();
    let variants = experiments.flat_map(|one| one["variants"].as_array().into_iter().flatten());
    let of_variants = variants.map(|variant| &variant["model"]);
    std::iter::once(&settings["answers"]["model"]).chain(of_variants).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::production::Verdict;

    fn probe(name: &str, status: &str) -> Probe {
        serde_json::from_value(json!({ "name": name, "status": status, "detail": null })).unwrap()
    }

    #[test]
    fn a_model_that_is_not_well_fails_and_another_dependency_does_not() {
        let fine = [probe("chat", "ok"), probe("embedder", "ok"), probe("index", "down")];
        assert_eq!(reachable(&fine), Finding::ok("`chat`: answers; `embedder`: answers"));
        for status in ["down", "degraded"] {
            let found = reachable(&[probe("chat", "ok"), probe("embedder", status)]);
            assert_eq!(
                found,
                Finding::failed("`embedder` does not answer", found.next.clone().unwrap())
            );
        }
    }

    #[test]
    fn a_model_without_a_price_is_named() {
        let chat = |name: &str| ChatConfig::parse(name).unwrap();
        let prices = PriceTable::overridden(r#"{"mine":{"prompt":1,"completion":1}}"#).unwrap();
        let known = [chat("extractive"), chat("openai:gpt-4o-mini"), chat("openai:mine-7b")];
        let listed = EmbedderConfig::parse("openai:text-embedding-3-small").unwrap();
        assert!(unpriced(&known, &listed, &prices).is_empty());
        let other = EmbedderConfig::parse("openai:other@8").unwrap();
        let found = unpriced(&[chat("openai:another")], &other, &prices);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["`another`", "`openai:other`"]);
    }

    #[test]
    fn prices_and_settings_of_another_process_are_not_known() {
        let place = Place::for_tests(crate::api::Api::InProcess(axum::Router::new()));
        assert_eq!(prices(&place).verdict, Verdict::Skipped);
        assert_eq!(named(&place, &[]).verdict, Verdict::Skipped);
    }

    #[test]
    fn models_of_experiments_are_read_too() {
        let settings = json!({ "answers": { "model": "a" }, "experiments": [{ "variants": [{ "model": "b" }, { "model": null }] }] });
        let collection = Collection { id: "x".into(), settings };
        assert_eq!(models_of(&collection).collect::<Vec<_>>(), ["a", "b"]);
    }
}
