use super::*;

#[test]
fn the_content_has_the_type_that_is_given_or_that_its_artifact_type_or_its_name_says() {
    let cases = [
        (
            "bill.json",
            "application/vnd.cyclonedx+json",
            "application/vnd.cyclonedx+json",
        ),
        (
            "report.JSON",
            "application/vnd.example.report",
            "application/json",
        ),
        ("notes", "text/spdx", "text/spdx"),
        (
            "notes",
            "application/vnd.example.notes",
            "application/octet-stream",
        ),
        (
            "a.b/notes",
            "application/vnd.example.notes",
            "application/octet-stream",
        ),
    ];
    for (path, artifact_type, expected) in cases {
        let attachment = Attachment::file(path, artifact_type);
        assert_eq!(attachment.content_type(), expected, "{path}");
        assert_eq!(
            attachment.media_type("text/plain").content_type(),
            "text/plain"
        );
    }
    let bytes = Attachment::bytes("text", "application/vnd.example.notes");
    assert_eq!(bytes.content_type(), "application/octet-stream");
    let titled = bytes.title(Some("notes.md".to_owned()));
    assert_eq!(titled.content_type(), "text/markdown");
}

#[test]
fn only_media_types_are_types() {
    for right in ["a/b", "application/vnd.dev.sigstore.bundle.v0.3+json"] {
        Attachment::bytes("", right).check().unwrap();
    }
    let long = format!("a/{}", "b".repeat(128));
    for wrong in [
        "", "sbom", "/", "a/", "/b", "a/b/c", "a/b; c=d", "a /b", "é/b", "a/.b", &long,
    ] {
        let error = Attachment::bytes("", wrong).check().unwrap_err();
        assert!(matches!(error, Error::MediaType(_)), "{wrong}");
        Attachment::bytes("", "a/b")
            .media_type(wrong)
            .check()
            .unwrap_err();
    }
}

#[test]
fn the_time_is_the_given_one_or_now_and_an_annotation_wins() {
    let now = crate::content::unix_time(86_400);
    let attachment = Attachment::bytes("", "a/b");
    let created = |attachment: &Attachment| attachment.manifest_annotations(now)[CREATED].clone();
    assert_eq!(created(&attachment), "1970-01-02T00:00:00Z");
    let attachment = attachment.created(crate::content::unix_time(0));
    assert_eq!(created(&attachment), "1970-01-01T00:00:00Z");
    assert_eq!(
        created(&attachment.annotation(CREATED, "long ago")),
        "long ago"
    );
}
