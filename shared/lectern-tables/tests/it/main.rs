//! What the tables promise, on every engine. Each promise is a function over [`Tables`]; it runs on
//! the engine in memory (or on the table named by `LECTERN_TEST_DYNAMODB_URL`) and on a file.
#![expect(clippy::unwrap_used, reason = "a promise that is not kept ends its test")]

mod deletion;
mod documents;
mod engine;
mod erasures;
mod experiments;
mod forgettable;
mod holdings;
mod incarnations;
mod ingestion;
mod keys;
mod kill;
mod spending;
mod world;

macro_rules! on_every_engine {
    ($($module:ident :: $promise:ident,)*) => {
        mod memory_or_service {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                crate::$module::$promise(&crate::world::memory_or_service().await).await;
            }
        )*}
        mod file {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                crate::$module::$promise(&crate::world::file(folder.path()).await).await;
            }
        )*}
    };
}

on_every_engine! {
    deletion::a_deleted_document_stops_answering_and_leaves_a_receipt,
    deletion::a_deletion_removes_many_versions,
    deletion::content_can_return_while_its_document_is_being_deleted,
    deletion::only_begun_deletions_finish,
    documents::a_failed_document_is_tried_again_with_the_same_bytes,
    documents::a_named_document_gets_the_next_version,
    documents::concurrent_versions_are_numbered_one_by_one,
    documents::lists_are_paged_newest_first,
    documents::many_are_read_at_once,
    documents::other_metadata_makes_a_version,
    documents::registering_asks_for_an_existing_place,
    documents::replaced_content_is_free_again,
    documents::the_same_content_is_one_document,
    documents::collections_change_only_as_read,
    documents::collections_are_paged,
    erasures::a_backup_is_amended_only_as_read,
    erasures::one_at_a_time_rewrites_backups,
    experiments::outcomes_add_up_under_concurrency,
    experiments::ratings_find_their_variants_and_replace_each_other,
    forgettable::a_request_is_carried_out_once,
    forgettable::cached_values_are_kept_many_at_once,
    forgettable::cached_values_expire,
    forgettable::conversations_are_bounded_and_expire,
    forgettable::feedback_is_replaced,
    holdings::a_conversation_of_two_keeps_the_others_messages,
    holdings::a_conversation_that_goes_on_stays_on_the_list,
    holdings::a_sweep_goes_on_where_it_stopped,
    holdings::feedback_is_erased_by_who_gave_it,
    holdings::long_lists_are_paged,
    holdings::only_a_document_as_it_was_read_is_deleted,
    holdings::usage_and_months_are_of_one_key,
    incarnations::a_held_collection_lets_nothing_change_until_it_is_released,
    incarnations::a_live_incarnation_is_not_removed_and_another_leaves_nothing,
    incarnations::no_key_is_left_behind_by_a_switch,
    ingestion::a_failure_shows_and_keeps_the_live_version,
    ingestion::a_first_version_goes_live,
    ingestion::a_lost_lease_writes_nothing,
    ingestion::a_next_version_retires_the_last,
    ingestion::a_retry_starts_anew,
    ingestion::a_superseded_version_is_removed,
    ingestion::attempts_are_bounded,
    ingestion::exactly_one_claim_wins,
    ingestion::pending_work_is_paged,
    keys::a_burst_of_thirty_lets_thirty_of_sixty_four_through,
    keys::a_rotated_key_opens_with_both_secrets_for_a_while,
    keys::what_was_seen_of_a_key_changes_no_verdict,
    keys::another_secret_takes_nothing,
    keys::keys_belong_to_their_tenant,
    keys::a_subject_has_a_rate_of_its_own,
    keys::rates_refill,
    spending::budgets_are_of_a_key_a_day_and_a_month,
    spending::budgets_hold_under_concurrency,
    spending::spending_rules_are_kept,
    spending::usage_adds_up_and_is_paged,
    spending::what_a_crash_held_is_let_go,
}
