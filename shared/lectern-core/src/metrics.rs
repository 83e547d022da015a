//! How good rankings, answers and confidences are, as the field measures it.
//!
//! | module | measures |
//! |---|---|
//! | [`ranking`] | nDCG, recall, reciprocal rank and success at a depth, as trec_eval computes them |
//! | [`answers`] | exact match, token F1 and answer hit against gold answers, as SQuAD defines them |
//! | [`discrimination`] | how well a confidence tells two kinds of question apart (AUROC) |
//! | [`significance`] | whether two systems differ on the same questions by more than chance |
//! | [`share`] | means and ratios that know how much they are made of; percentiles |

pub mod answers;
pub mod discrimination;
pub mod ranking;
pub mod share;
pub mod significance;
