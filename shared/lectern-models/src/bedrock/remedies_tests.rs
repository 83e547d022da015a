use std::collections::HashMap;

use super::*;

#[test]
fn exceptions_become_remedies() {
    let limited = ErrorKind::RateLimited { retry_after: None };
    for (code, kind) in [
        ("ThrottlingException", limited),
        ("ServiceQuotaExceededException", limited),
        ("AccessDeniedException", ErrorKind::Unauthenticated),
        ("UnrecognizedClientException", ErrorKind::Unauthenticated),
        ("ExpiredTokenException", ErrorKind::Unauthenticated),
        ("ValidationException", ErrorKind::Invalid),
        ("ResourceNotFoundException", ErrorKind::NotFound),
        ("ModelTimeoutException", ErrorKind::Timeout),
        ("ModelNotReadyException", ErrorKind::Unavailable),
        ("InternalServerException", ErrorKind::Unavailable),
        ("ServiceUnavailableException", ErrorKind::Unavailable),
        ("ModelErrorException", ErrorKind::Unavailable),
    ] {
        // Its name, not the status it came with, says what an exception means.
        assert_eq!(kind_of(code, "", 400, None), kind, "{code}");
    }
}

#[test]
fn a_status_without_an_exception_has_a_remedy_too() {
    for (status, kind) in [
        (302, ErrorKind::Internal),
        (400, ErrorKind::Invalid),
        (403, ErrorKind::Unauthenticated),
        (404, ErrorKind::NotFound),
        (413, ErrorKind::TooLarge),
        (429, ErrorKind::RateLimited { retry_after: None }),
        (502, ErrorKind::Unavailable),
        (504, ErrorKind::Timeout),
    ] {
        assert_eq!(kind_of("none", "", status, None), kind, "{status}");
    }
}

#[test]
fn a_text_over_the_window_is_too_large_in_every_dialect() {
    for says in [
        "Input is too long for requested model.",
        "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
        "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        "Malformed input request: #/texts/0: expected maxLength: 2048, actual: 3000, please reformat",
        "This model's maximum context length is 8192 tokens.",
        "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000",
    ] {
        let kind = kind_of("ValidationException", &says.to_lowercase(), 400, None);
        assert_eq!(kind, ErrorKind::TooLarge, "{says}");
    }
    let says = "the maximum tokens you requested exceeds the model limit of 4096";
    assert_eq!(kind_of("ValidationException", says, 400, None), ErrorKind::Invalid);
}

#[test]
fn waits_are_read_in_both_forms() {
    for (headers, millis) in [
        (vec![("retry-after", "7")], Some(7_000)),
        (vec![("x-amz-retry-after", "120"), ("retry-after", "7")], Some(120)),
        (vec![("retry-after", "-1")], None),
        (vec![("retry-after", "soon")], None),
        (vec![("retry-after", "1e300")], None),
        (vec![], None),
    ] {
        let headers: HashMap<_, _> = headers.into_iter().collect();
        let wait = retry_after(|name| headers.get(name).copied());
        assert_eq!(wait, millis.map(Duration::from_millis), "{headers:?}");
    }
}

#[test]
fn only_words_of_a_vocabulary_are_kept() {
    assert_eq!(word(Some("ThrottlingException")), "ThrottlingException");
    for text in [None, Some(""), Some("a sentence"), Some(&"x".repeat(65) as &str)] {
        assert_eq!(word(text), "none");
    }
    assert_eq!(capitalised("throttlingException"), "ThrottlingException");
    assert_eq!(capitalised(""), "");
}
