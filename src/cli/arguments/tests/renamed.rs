use super::super::deployment::images_of_all;
use super::{Deployment, Images};

fn deployment(content: &str, is_list: bool) -> Deployment {
    let Images { images, components } = images_of_all(content, "app.yaml").unwrap();
    Deployment {
        name: "app.yaml".to_owned(),
        content: content.to_owned(),
        is_list,
        images,
        components,
    }
}

fn renamed(content: &str, is_list: bool) -> Result<String, String> {
    let name = |written: &str| {
        let name = written.strip_prefix("ghcr.io/")?;
        Some(format!("mirror.lan/ghcr.io/{name}"))
    };
    let renamed = deployment(content, is_list).renamed(name);
    renamed.map_err(|error| format!("{error:#}"))
}

const MANIFEST: &str = "\
kind: Application   # a comment
spec:
  components:
    - name: hello
      type: component
      properties:
        image: ghcr.io/org/hello:1.0   # the component
    - name: http
      type: capability
      properties:
        image: &http 'ghcr.io/org/http:1.0'
    - name: http-again
      type: capability
      properties: {image: *http}
    - name: local
      type: component
      properties:
        image: file://hello.wasm
";

#[test]
fn providers_and_components_get_other_references_and_everything_else_stays() {
    let expected = MANIFEST
        .replace(
            "ghcr.io/org/hello:1.0 ",
            "mirror.lan/ghcr.io/org/hello:1.0 ",
        )
        .replace(
            "'ghcr.io/org/http:1.0'",
            "'mirror.lan/ghcr.io/org/http:1.0'",
        );
    assert_eq!(renamed(MANIFEST, false).unwrap(), expected);
    let list = "# what runs\r\nghcr.io/org/http:1.0 # http\r\n\r\nlocalhost:5000/p:1\r\n";
    let expected = list.replace("ghcr.io/org", "mirror.lan/ghcr.io/org");
    assert_eq!(renamed(list, true).unwrap(), expected);
}

#[test]
fn a_reference_with_escape_sequences_is_refused_with_its_line() {
    let escaped = MANIFEST.replace("'ghcr.io/org/http:1.0'", r#""ghcr.io\/org\/http:1.0""#);
    let error = renamed(&escaped, false).unwrap_err();
    assert!(error.contains("app.yaml, line 11"), "{error}");
}
