use super::*;

const MANIFEST: &str = "\
# A comment
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: hello
  annotations:
    description: 'a: b'
spec:
  components:
    - name: hello
      type: component
      properties:
        image: file://./build/hello_s.wasm
      traits:
        - type: spreadscaler
          properties:
            instances: 1
    - name: httpserver
      type: capability
      properties:
        image: ghcr.io/wasmcloud/http-server:0.27.0
        id: http_server
      traits:
        - type: link
          properties: {target: {name: hello}, interfaces: [incoming-handler]}
    - name: shared
      type: capability
      properties:
        application: {name: other, component: keyvalue}
---
apiVersion: v1
kind: Service
spec: {ports: [{port: 80}]}
---
kind: Application
spec:
  components:
    - {name: kv, type: capability, properties: {image: 'ghcr.io/wasmcloud/kv:1.0.0'}}
";

fn read(content: &str) -> Vec<(u64, String)> {
    let lines = lines(content, "app.yaml").unwrap_or_else(|error| panic!("{error:#}"));
    lines
        .into_iter()
        .map(|line| (line.number, line.written))
        .collect()
}

fn problem(content: &str) -> String {
    let error = lines(content, "app.yaml").unwrap_err();
    assert!(error.is::<Failure>());
    error.to_string()
}

#[test]
fn a_list_has_a_reference_per_line_and_comments() {
    let list = "# what runs\n\nghcr.io/org/a:1.0  # the first\r\n\tlocalhost:5000/b:2\n\
                    oci-layout://dir#1:3\n";
    let found = [
        (3, "ghcr.io/org/a:1.0"),
        (4, "localhost:5000/b:2"),
        (5, "oci-layout://dir#1:3"),
    ];
    assert_eq!(
        read(list),
        found.map(|(line, text)| (line, text.to_owned()))
    );
    assert_eq!(read("\n# nothing\n"), []);
}

#[test]
fn only_the_images_of_providers_are_read_from_a_manifest() {
    let found = [
        (21, "ghcr.io/wasmcloud/http-server:0.27.0"),
        (38, "ghcr.io/wasmcloud/kv:1.0.0"),
    ];
    let found = found.map(|(line, text)| (line, text.to_owned()));
    assert_eq!(read(MANIFEST), found);
    let json = r#"{"kind": "Application", "spec": {"components":
            [{"name": "a", "type": "capability", "properties": {"image": "ghcr.io/a/b:1"}}]}}"#;
    assert_eq!(read(json), [(2, "ghcr.io/a/b:1".to_owned())]);
}

#[test]
fn errors_in_a_manifest_name_the_file_and_the_line() {
    for (content, said) in [
        ("kind: Application\nspec: [", "line 2"),
        ("kind: Application\nspec:\n  components: 3\n", "line 3"),
        ("kind: Application\n", "spec.components"),
        ("apiVersion: v1\n", "kind"),
        (
            "kind: Application\nspec:\n  components:\n  - name: a\n    type: provider\n",
            "line 5: the component `a` has the type `provider`",
        ),
    ] {
        let problem = problem(content);
        assert!(problem.starts_with("app.yaml"), "{problem}");
        assert!(problem.contains(said), "{problem}");
        assert!(!problem.contains('\n'), "{problem}");
    }
}

#[test]
fn aliases_do_not_expand_without_limit() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let problem = problem(&format!("kind: Application\n{bomb}"));
    assert!(
        problem.starts_with("app.yaml is not a wadm manifest"),
        "{problem}"
    );
}
