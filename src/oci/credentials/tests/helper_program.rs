use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use super::*;

/// Returns the answer of a helper with this script.
async fn get(script: &str) -> Result<Option<Credentials>, CredentialHelperError> {
    get_for("ghcr.io", script).await
}

async fn get_for(
    registry: &str,
    script: &str,
) -> Result<Option<Credentials>, CredentialHelperError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("docker-credential-test");
    std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let helper = Helper {
        program: path.display().to_string(),
        time_limit: Duration::from_secs(2),
    };
    loop {
        match helper.get(registry).await {
            // Another test is starting its script, and its child process still has this file open.
            Err(CredentialHelperError::Start { source, .. })
                if source.kind() == io::ErrorKind::ExecutableFileBusy => {}
            answer => return answer,
        }
    }
}

#[tokio::test]
async fn a_helper_answers_with_a_password_a_token_or_nothing() {
    let basic = get(r#"cat >/dev/null; echo '{"Username":"a","Secret":"b"}'"#).await;
    let expected = Credentials::Basic {
        user: "a".to_owned(),
        password: "b".to_owned(),
    };
    assert_eq!(basic.unwrap(), Some(expected));
    let token = get(r#"echo '{"Username":"<token>","Secret":"b"}'"#).await;
    let expected = Credentials::IdentityToken {
        user: None,
        token: "b".to_owned(),
    };
    assert_eq!(token.unwrap(), Some(expected));
    let token = get(r#"echo '{"username":"<token>","SECRET":"b","ServerURL":null}'"#).await;
    let expected = Credentials::IdentityToken {
        user: None,
        token: "b".to_owned(),
    };
    assert_eq!(token.unwrap(), Some(expected));
    for nothing in [
        "echo '{}'",
        "exit 0",
        "echo",
        r#"echo '{"Username":"","Secret":""}'"#,
        r#"echo '{"Username":null}'"#,
    ] {
        assert_eq!(get(nothing).await.unwrap(), None, "{nothing}");
    }
    let nothing = get("echo credentials not found in native keychain; exit 1").await;
    assert_eq!(nothing.unwrap(), None);
}

#[tokio::test]
async fn a_registry_with_the_port_443_is_the_same_registry() {
    for written in ["ghcr.io", "ghcr.io:443"] {
        let script = format!(
            r#"test "$(cat)" = {written} || {{ echo credentials not found; exit 1; }}
            echo '{{"Username":"a","Secret":"b"}}'"#
        );
        let found = get_for("ghcr.io:443", &script).await.unwrap();
        assert!(found.is_some(), "{written}");
    }
}

#[tokio::test]
async fn the_message_of_a_failure_contains_no_secrets() {
    for (script, expected) in [
        ("exit 7", "(exit status: 7) without a message"),
        (
            "echo the keychain is locked; exit 1",
            ": the keychain is locked",
        ),
        ("echo hunter2; echo locked >&2; exit 1", ": locked"),
        (
            r#"echo '{"Secret":"hunter2"}'; exit 1"#,
            "without a message",
        ),
        ("echo hunter2", "did not print credentials"),
        ("head -c 2000000 /dev/zero", "more than 1048576 bytes"),
        ("kill -9 $$", "signal: 9"),
    ] {
        let error = get(script).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{script}: {text}");
        assert!(!format!("{error:?} {text}").contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_helper_that_does_not_end_in_time_is_an_error() {
    let started = Instant::now();
    let error = get("exec sleep 60").await.unwrap_err();
    assert!(error.to_string().contains("within 2 seconds"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_helper_may_report_in_other_words_that_it_has_no_credentials() {
    for script in [
        "echo 'The specified item could not be found in the keychain.'; exit 1",
        "echo 'Error: r.test is not in the password store.' >&2; exit 1",
        "echo 'No credentials for this host' >&2; exit 2",
        "exit 1",
    ] {
        let error = get(script).await.unwrap_err();
        assert!(error.says_nothing(), "{script}: {error}");
    }
    for script in [
        "echo the keychain is locked; exit 1",
        "echo hello",
        "kill -9 $$",
    ] {
        assert!(!get(script).await.unwrap_err().says_nothing(), "{script}");
    }
}
