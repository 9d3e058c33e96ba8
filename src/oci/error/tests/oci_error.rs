use super::*;
use crate::content::ErrorKind;

#[test]
fn an_error_names_registry_content_and_answer() {
    let error = Error::NotFound {
        what: "manifest 1.0 of ghcr.io/org/provider".to_owned(),
        registry: "ghcr.io".to_owned(),
        answer: Box::new(Answer {
            status: 404,
            code: Some("MANIFEST_UNKNOWN".to_owned()),
            message: None,
            retry_after: None,
        }),
    };
    assert_eq!(
        error.to_string(),
        "ghcr.io does not have the manifest 1.0 of ghcr.io/org/provider \
             (HTTP 404, MANIFEST_UNKNOWN)"
    );
    assert_eq!(StoreError::from(error).kind(), ErrorKind::NotFound);
}
