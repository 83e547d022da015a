//! The contract of [`PassageReader`] and [`PassageWriter`], line by line.
//!
//! Every function takes an index for the vectors of [`model`], writes under tenants of its own and leaves
//! them empty, so that the suite runs beside other data, on a shared server too, but not twice at
//! once. A broken line panics.

mod builders;
mod reading;
mod visibility;
mod writing;

use lectern_core::ports::{PassageReader, PassageWriter};

pub use self::{
    builders::{
        DIMENSIONS, a_passage, a_point, a_query, a_tenant, clear, everybody, everything, model,
    },
    reading::{
        an_absent_vector_gives_an_empty_ranking, answers_a_ping, answers_alike_twice,
        counts_exactly, gets_each_wanted_passage_once, gives_back_what_was_written,
        ranks_best_first_within_the_limit, refuses_vectors_of_another_model,
        scrolls_every_point_once_in_id_order,
    },
    visibility::{
        applies_every_form_of_filter, gets_only_what_may_be_seen, leaves_out_what_is_hostile,
        never_crosses_collections, never_crosses_tenants, refuses_a_broken_filter,
        shows_only_what_the_acl_allows,
    },
    writing::{
        deletes_only_its_scope, deleting_nothing_succeeds, keeps_points_without_a_dense_vector,
        replaces_a_point_as_a_whole, shows_a_write_to_the_next_read, takes_more_than_one_batch,
        writing_twice_leaves_one,
    },
};

/// Runs every line of the contract, one after the other.
pub async fn run_all(reader: &dyn PassageReader, writer: &dyn PassageWriter) {
    never_crosses_tenants(reader, writer).await;
    never_crosses_collections(reader, writer).await;
    shows_only_what_the_acl_allows(reader, writer).await;
    leaves_out_what_is_hostile(reader, writer).await;
    gets_only_what_may_be_seen(reader, writer).await;
    applies_every_form_of_filter(reader, writer).await;
    refuses_a_broken_filter(reader, writer).await;
    ranks_best_first_within_the_limit(reader, writer).await;
    answers_alike_twice(reader, writer).await;
    an_absent_vector_gives_an_empty_ranking(reader, writer).await;
    gives_back_what_was_written(reader, writer).await;
    gets_each_wanted_passage_once(reader, writer).await;
    counts_exactly(reader, writer).await;
    scrolls_every_point_once_in_id_order(reader, writer).await;
    refuses_vectors_of_another_model(reader, writer).await;
    answers_a_ping(reader, writer).await;
    shows_a_write_to_the_next_read(reader, writer).await;
    writing_twice_leaves_one(reader, writer).await;
    replaces_a_point_as_a_whole(reader, writer).await;
    keeps_points_without_a_dense_vector(reader, writer).await;
    deletes_only_its_scope(reader, writer).await;
    deleting_nothing_succeeds(reader, writer).await;
    takes_more_than_one_batch(reader, writer).await;
}
