use super::*;

#[test]
fn the_hint_about_a_reference_with_http_names_the_option() {
    let error = "http://ghcr.io/a".parse::<crate::oci::Reference>();
    let hint = reference_hint(&error.unwrap_err()).unwrap();
    assert!(hint.contains("--insecure"), "{hint}");
}

#[test]
fn the_hint_is_found_behind_attempts_that_were_given_up() {
    let component = || Error::Component {
        reference: "ghcr.io/org/component:1".to_owned(),
        media_type: "application/wasm".to_owned(),
    };
    let hint = oci_hint(&component()).unwrap();
    assert!(hint.contains("wkg oci"), "{hint}");
    let gave_up = Error::GaveUp {
        attempts: 3,
        seconds: 50,
        last: Box::new(component()),
    };
    assert_eq!(oci_hint(&gave_up), Some(hint));
}

#[test]
fn the_hint_on_a_location_names_the_header_that_the_proxy_has_to_set() {
    for (part, header) in [
        (UrlPart::Scheme, "X-Forwarded-Proto"),
        (UrlPart::Host, "Host"),
        (UrlPart::Port, "Host"),
    ] {
        let problem = UploadProblem::Elsewhere {
            location: "http://ghcr.io/upload".to_owned(),
            asked: "https://ghcr.io".to_owned(),
            part,
        };
        let hint = upload_hint(&problem);
        assert!(hint.contains(header), "{hint}");
    }
}

#[test]
fn the_hint_about_missing_content_names_the_tag_or_the_digest_to_check() {
    let hint = |what: &str| {
        let answer = crate::oci::Answer {
            status: 404,
            code: None,
            message: None,
            retry_after: None,
        };
        let error = Error::NotFound {
            what: what.to_owned(),
            registry: "ghcr.io".to_owned(),
            answer: Box::new(answer),
        };
        oci_hint(&error).unwrap()
    };
    assert!(hint("manifest 1.0 of ghcr.io/a").ends_with("the tag"));
    assert!(hint("manifest sha256:00 of ghcr.io/a").ends_with("the digest"));
    assert!(hint("list of tags of ghcr.io/a").ends_with("the repository"));
}

#[test]
fn the_hint_about_a_plus_in_a_tag_suggests_an_underscore() {
    let error = "ghcr.io/a:1.0+b".parse::<crate::oci::Reference>();
    let hint = reference_hint(&error.unwrap_err()).unwrap();
    assert!(hint.ends_with("1.0_b"), "{hint}");
}
