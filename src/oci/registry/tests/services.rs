use super::*;

fn call<'a>(url: &'a str, bearer: Option<&'a str>) -> ServiceCall<'a> {
    ServiceCall {
        what: "certificate",
        url,
        bearer,
        body: None,
        accept: "application/json",
        limit: 10,
    }
}

#[test]
fn only_https_is_asked_except_on_this_machine() {
    for url in [
        "https://a.example/b",
        "http://127.0.0.1:1/b",
        "http://localhost/b",
    ] {
        assert!(call(url, None).request().is_ok(), "{url}");
    }
    for url in [
        "http://a.example/b",
        "ftp://a.example",
        "file:///etc/passwd",
        "a",
        "",
    ] {
        let error = call(url, None).request().err().unwrap().to_string();
        assert!(error.contains("URL of the certificate"), "{error}");
    }
}

#[test]
fn no_error_and_no_debug_output_has_the_secret() {
    let request = call("https://a.example", Some("hidden")).request().unwrap();
    assert!(!format!("{:?}", request.headers).contains("hidden"));
    let error = call("https://a.example", Some("hidden\n"))
        .request()
        .err()
        .unwrap();
    assert!(
        !format!("{error} {error:?}").contains("hidden"),
        "{error:?}"
    );
}

#[test]
fn a_message_that_repeats_the_secret_is_left_out() {
    let secret = "secret-of-the-job-that-nobody-sees";
    let call = call("https://a.example", Some(secret));
    let answer = |message: &str| Answer {
        status: 401,
        code: None,
        message: Some(message.to_owned()),
        retry_after: None,
    };
    for repeated in [format!("bad Bearer {secret}"), secret[..20].to_owned()] {
        let left = call.without_secret(Box::new(answer(&repeated)));
        assert_eq!(left.message, None);
    }
    let left = call.without_secret(Box::new(answer("no such secret")));
    assert_eq!(left.message.as_deref(), Some("no such secret"));
}

#[test]
fn the_message_of_a_service_is_part_of_the_error() {
    let answer = |code: Option<&str>| {
        Box::new(Answer {
            status: 400,
            code: code.map(str::to_owned),
            message: None,
            retry_after: None,
        })
    };
    let body = br#"{"code":3,"message":"wrong\ntoken","details":[]}"#;
    let message = with_message(answer(None), body).message;
    assert_eq!(message.as_deref(), Some("wrong token"));
    assert_eq!(with_message(answer(Some("DENIED")), body).message, None);
    assert_eq!(with_message(answer(None), b"<html>").message, None);
}
