//! The domain of Lectern: what a document, a passage, a question and an answer are, and every rule
//! that needs no outside world.
//!
//! This crate refuses to know: async runtimes, HTTP, storage engines, SDKs, vendors, the clock and
//! the random source (both are arguments). The ports at the bottom are what flows ask of the world;
//! adapters in sibling crates answer.
//!
//! | module | answers |
//! |---|---|
//! | [`ids`] | which strings are identifiers |
//! | [`document`] | what a document and its versions are, and which state follows which |
//! | [`text`] | what a parser returns and how it becomes the canonical text |
//! | [`chunking`] | how a canonical text is cut into chunks |
//! | [`passage`] | what the index stores and returns |
//! | [`filter`] | which metadata conditions a caller can set |
//! | [`analysis`] | how text becomes BM25 terms |
//! | [`fusion`] | how two rankings become one |
//! | [`diversity`] | which passages of a ranking are returned: no repetitions, variety, a share for each document |
//! | [`neighbours`] | how a passage is widened by the chunks around it |
//! | [`settings`] | how a collection is searched and answered, and which values are refused |
//! | [`experiment`] | which variant of its settings a conversation falls to, and what outcomes say |
//! | [`question`], [`paraphrase`] | what may be asked, and when two questions may share an answer |
//! | [`followup`] | which questions lean on earlier ones, and what they mean |
//! | [`prompt`] | what the model is sent |
//! | [`answer`], [`citations`], [`extract`] | how a draft becomes an answer whose citations hold |
//! | [`metrics`] | how good rankings and answers are |
//! | [`limits`], [`pricing`], [`spending`], [`retention`] | arithmetic of rates, money and how long backups are kept |
//! | [`auth`], [`issuers`], [`widget`], [`secret`] | keys, tenants, scopes; whose tokens are trusted; tokens for pages; secrets that may be replaced |
//! | [`breaker`] | when calls of a dependency are not worth making |
//! | [`audit`] | what is kept of each decision, and how a change of that shows |
//! | [`injection`], [`outgoing`] | what documents tell machines to do, and what answers may carry out |
//! | [`personal`], [`redaction`] | where a text holds personal data, and how it is covered |
//! | [`web`] | documents by their address, and why they are not read |
//! | [`ports`], [`errors`], [`env`] | the edge: what adapters implement, how they fail, what configures them |

pub mod analysis;
pub mod answer;
pub mod audit;
pub mod auth;
pub mod breaker;
pub mod chunking;
pub mod citations;
pub mod diversity;
pub mod document;
pub mod env;
pub mod errors;
pub mod experiment;
pub mod extract;
pub mod filter;
pub mod followup;
pub mod fusion;
pub mod ids;
pub mod injection;
pub mod issuers;
pub mod limits;
pub mod metrics;
pub mod neighbours;
pub mod outgoing;
pub mod paraphrase;
pub mod passage;
pub mod personal;
pub mod ports;
pub mod pricing;
pub mod prompt;
pub mod question;
pub mod redaction;
pub mod retention;
pub mod secret;
pub mod sentences;
pub mod settings;
pub mod spending;
pub mod support;
pub mod text;
pub mod time;
pub mod web;
pub mod widget;
