use super::*;
use crate::content::ErrorKind;
use crate::oci::Answer;

fn refused(status: u16, retry_after: Option<u64>) -> Error {
    Error::Refused {
        what: "blob".to_owned(),
        registry: "ghcr.io".to_owned(),
        answer: Box::new(Answer {
            status,
            code: None,
            message: None,
            retry_after: retry_after.map(Duration::from_secs),
        }),
    }
}

fn attempts() -> Attempts {
    Attempts::new(&RetryOptions {
        patience: Duration::from_millis(200),
        first_delay: Duration::from_millis(2),
        longest_delay: Duration::from_millis(20),
        ..RetryOptions::default()
    })
}

#[tokio::test]
async fn transient_failures_are_retried_until_patience_is_over() {
    for status in [408, 429, 499, 500, 502, 503, 504, 520, 522, 530] {
        let mut attempts = attempts();
        let mut count = 0;
        let error = loop {
            count += 1;
            if let Err(error) = attempts.failed(refused(status, None)).await {
                break error;
            }
        };
        let Error::GaveUp {
            attempts: reported,
            last,
            ..
        } = error
        else {
            panic!("{error}");
        };
        assert!(matches!(*last, Error::Refused { .. }));
        assert!(
            reported == count && (6..40).contains(&count),
            "{reported} {count}"
        );
    }
}

#[tokio::test]
async fn final_failures_are_reported_at_once() {
    for status in [400, 404, 405, 413, 501, 505, 507, 511] {
        let error = attempts().failed(refused(status, None)).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_retry_after_beyond_the_limit_ends_the_attempts() {
    let error = attempts()
        .failed(refused(429, Some(3600)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("try again in 3600 s"), "{error}");
}

#[tokio::test]
async fn only_a_new_position_renews_patience() {
    let mut attempts = attempts();
    for position in 1..60 {
        attempts.moved_to(position);
        attempts.failed(refused(503, None)).await.unwrap();
    }
    let mut repeated = 0;
    while attempts.failed(refused(503, None)).await.is_ok() {
        attempts.moved_to(10);
        repeated += 1;
    }
    assert!(repeated < 40);
}

#[test]
fn the_patience_limits_the_first_attempt_unless_it_is_zero() {
    let limit = |patience: u64| {
        let patience = Duration::from_secs(patience);
        let options = RetryOptions::default().patience(patience);
        Attempts::new(&options).stall_timeout()
    };
    assert_eq!(limit(3), Duration::from_secs(3));
    assert_eq!(limit(50), Duration::from_secs(30));
    assert_eq!(limit(0), Duration::from_secs(30));
}

#[test]
fn a_refusal_is_repeated_exactly_if_it_counts_as_unavailable() {
    // Storage behind a redirect answers 401 and 403 when a signed URL has expired. These are repeated a few times only.
    for status in (300..=599).filter(|status| ![401, 403].contains(status)) {
        let error = refused(status, None);
        let is_unavailable = error.kind() == ErrorKind::Unavailable;
        assert_eq!(
            judge(&error) == Verdict::Transient,
            is_unavailable,
            "{status}"
        );
    }
}
