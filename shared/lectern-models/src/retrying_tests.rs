//! Attempts and pauses with the clock stopped.

use std::{collections::VecDeque, sync::Mutex};

use futures::{StreamExt, stream};
use lectern_core::ports::ChatEvent;

use super::*;

const LIMITED: ErrorKind = ErrorKind::RateLimited { retry_after: None };

/// Fails as scripted, then succeeds; each call takes `takes`.
#[derive(Debug)]
struct Scripted {
    model: EmbeddingModel,
    failures: Mutex<VecDeque<ErrorKind>>,
    takes: Duration,
    allowed: Mutex<Vec<Duration>>,
}

impl Scripted {
    fn new(failures: &[ErrorKind]) -> Self {
        Self {
            model: EmbeddingModel { id: "scripted".into(), dimensions: 1 },
            failures: Mutex::new(failures.iter().copied().collect()),
            takes: Duration::ZERO,
            allowed: Mutex::default(),
        }
    }

    fn calls(&self) -> usize {
        self.allowed.lock().unwrap().len()
    }

    async fn answer(&self, allowed: Duration) -> Result<(), PortError> {
        self.allowed.lock().unwrap().push(allowed);
        tokio::time::sleep(self.takes).await;
        let failure = self.failures.lock().unwrap().pop_front();
        failure.map_or(Ok(()), |kind| Err(PortError::bare(kind, "scripted")))
    }
}

#[async_trait]
impl Embedder for Scripted {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError> {
        self.answer(Duration::MAX).await?;
        Ok(vec![vec![1.0]; texts.len()])
    }
}

#[async_trait]
impl ChatModel for Scripted {
    fn model(&self) -> &str {
        &self.model.id
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, PortError> {
        self.answer(request.timeout).await?;
        let late = PortError::bare(ErrorKind::Unavailable, "scripted");
        Ok(Box::pin(stream::iter([Ok(ChatEvent::Token("a".into())), Err(late)])))
    }
}

#[async_trait]
impl Reranker for Scripted {
    fn model(&self) -> &str {
        &self.model.id
    }

    async fn rerank(
        &self,
        _: &str,
        passages: &[String],
        timeout: Duration,
    ) -> Result<Vec<f32>, PortError> {
        self.answer(timeout).await?;
        Ok(vec![1.0; passages.len()])
    }
}

fn request(timeout: Duration) -> ChatRequest {
    ChatRequest { messages: Vec::new(), max_tokens: 1, temperature: 0.0, timeout }
}

fn policy() -> RetryPolicy {
    RetryPolicy { max_attempts: 3, ..RetryPolicy::default() }
}

async fn embed(failures: &[ErrorKind]) -> (Result<Vec<Vec<f32>>, PortError>, usize, Duration) {
    let retrying = Retrying::new(Scripted::new(failures), policy());
    let started = Instant::now();
    let result = retrying.embed(&["a".to_owned()]).await;
    (result, retrying.inner.calls(), started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_until_it_does() {
    let (result, calls, elapsed) = embed(&[ErrorKind::Unavailable, ErrorKind::Timeout]).await;
    assert_eq!((result.unwrap(), calls), (vec![vec![1.0]], 3));
    assert!(elapsed <= Duration::from_millis(250 + 500 + 2), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_and_the_last_error_is_returned() {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Timeout, LIMITED, ErrorKind::Internal];
    let (result, calls, _) = embed(&kinds).await;
    assert_eq!((result.unwrap_err().kind, calls), (LIMITED, 3));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_pass_is_not_tried_again() {
    for kind in [
        ErrorKind::Invalid,
        ErrorKind::TooLarge,
        ErrorKind::Unauthenticated,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Internal,
    ] {
        let (result, calls, elapsed) = embed(&[kind]).await;
        assert_eq!((result.unwrap_err().kind, calls, elapsed), (kind, 1, Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_up_to_its_cap() {
    let asks = |seconds| ErrorKind::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
    let (result, calls, elapsed) = embed(&[asks(7)]).await;
    assert!(result.is_ok() && calls == 2);
    assert!((7_000..=7_252).contains(&elapsed.as_millis()), "{elapsed:?}");
    let (result, calls, elapsed) = embed(&[asks(11)]).await;
    assert_eq!((result.unwrap_err().kind, calls, elapsed), (asks(11), 1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_embedding_stays_within_its_budget() {
    let slow = Scripted { takes: Duration::from_secs(25), ..Scripted::new(&[LIMITED; 9]) };
    let retrying = Retrying::new(slow, policy());
    let started = Instant::now();
    let error = retrying.embed(&["a".to_owned()]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!((retrying.inner.calls(), started.elapsed().as_secs()), (2, 30));
}

#[tokio::test(start_paused = true)]
async fn a_chat_s_attempts_share_its_time() {
    let slow = Scripted { takes: Duration::from_secs(4), ..Scripted::new(&[LIMITED; 9]) };
    let retrying = Retrying::new(slow, RetryPolicy { max_attempts: 9, ..policy() });
    let error = retrying.stream(request(Duration::from_secs(5))).await.err().unwrap();
    assert_eq!(error.kind, LIMITED);
    let allowed = retrying.inner.allowed.lock().unwrap().clone();
    assert_eq!(allowed[0], Duration::from_secs(5));
    assert_eq!(allowed.len(), 2);
    assert!(allowed[1] <= Duration::from_secs(1), "{allowed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_chat_is_tried_again_before_its_first_token_and_never_after() {
    let retrying = Retrying::new(Scripted::new(&[ErrorKind::Unavailable]), policy());
    let reply = retrying.stream(request(Duration::from_secs(60))).await.unwrap();
    assert_eq!(retrying.inner.calls(), 2);
    let events: Vec<_> = reply.collect().await;
    assert!(matches!(&events[0], Ok(ChatEvent::Token(token)) if token == "a"));
    assert!(matches!(&events[1], Err(error) if error.kind == ErrorKind::Unavailable));
    assert_eq!((events.len(), retrying.inner.calls()), (2, 2));
}

#[test]
fn the_jitter_reaches_from_nothing_to_the_whole_pause() {
    let error = PortError::bare(ErrorKind::Unavailable, "scripted");
    let longest = Some(Duration::from_millis(800));
    let pause = |fraction, remaining| {
        policy().pause(&error, longest, fraction, Duration::from_millis(remaining))
    };
    assert_eq!(pause(0.0, 900), Some(Duration::ZERO));
    assert_eq!(pause(1.0, 900), Some(Duration::from_millis(800)));
    assert_eq!(pause(1.0, 800), None);
}

#[tokio::test(start_paused = true)]
async fn attempts_of_a_reranking_share_its_time() {
    let mut scripted = Scripted::new(&[ErrorKind::Unavailable, ErrorKind::Unavailable]);
    scripted.takes = Duration::from_millis(400);
    let retrying = Retrying::new(scripted, policy());
    let limit = Duration::from_secs(1);
    let result = retrying.rerank("asked", &["a".to_owned()], limit).await;
    let allowed = retrying.inner.allowed.lock().unwrap().clone();
    assert_eq!(allowed[0], limit);
    assert!(allowed.windows(2).all(|pair| pair[1] + Duration::from_millis(400) <= pair[0]));
    // The third begins only if the pauses before it left time for it.
    assert_eq!(result.is_ok(), allowed.len() == 3, "{allowed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_nobody_hears_of_is_counted_and_the_last_one_is_not() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let guard = metrics::set_default_local_recorder(&recorder);
    let model = Retrying::new(Scripted::new(&[ErrorKind::Unavailable]), RetryPolicy::default());
    model.embed(&["a".into()]).await.unwrap();
    let model = Retrying::new(Scripted::new(&[ErrorKind::Invalid]), RetryPolicy::default());
    model.embed(&["a".into()]).await.unwrap_err();
    let model = Retrying::new(Scripted::new(&[LIMITED; 9]), RetryPolicy::default());
    model.rerank("q", &["a".into()], Duration::from_secs(60)).await.unwrap_err();
    drop(guard);
    let counted = snapshots.snapshot().into_vec().into_iter();
    let mut counted: Vec<String> =
        counted.map(|(key, _, _, value)| format!("{} {value:?}", key.key())).collect();
    counted.sort();
    assert_eq!(
        counted,
        [
            "Key(rag_model_retries_total, [dependency = embedder, kind = unavailable]) Counter(1)",
            "Key(rag_model_retries_total, [dependency = reranker, kind = rate_limited]) Counter(2)",
        ]
    );
}
