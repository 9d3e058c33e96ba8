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
    let images = images(content, "app.yaml").unwrap_or_else(|error| panic!("{error:#}"));
    images
        .into_iter()
        .map(|image| (image.number, image.written))
        .collect()
}

fn problem(content: &str) -> String {
    let error = images(content, "app.yaml").unwrap_err();
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

fn pinned(content: &str) -> Result<String> {
    let deployment = Deployment {
        name: "app.yaml".to_owned(),
        content: content.to_owned(),
        is_list: false,
        images: images(content, "app.yaml")?,
        components: Vec::new(),
    };
    deployment.with_digests(|written| {
        (!written.contains("other")).then(|| crate::content::Digest::of(written.as_bytes()))
    })
}

#[test]
fn digests_are_written_after_references_and_nothing_else_changes() {
    let template = "\u{feff}# \u{fc}ber\r\nkind: Application\r\nx: &image \"ghcr.io/a/anchor:1{0}\"  # first\r\n\
        spec:\r\n  components:\r\n  - {name: \u{fc}, type: capability, properties: {image: *image}}\r\n  \
        - name: b\r\n    type: capability\r\n    properties: &shared\r\n      \
        image: !!str 'ghcr.io/b/quoted:1{1}'   # second\r\n  - name: c\r\n    type: capability\r\n    \
        properties:\r\n      image: >-\r\n        ghcr.io/c/folded:1{2}\r\n  - name: d\r\n    \
        type: capability\r\n    properties:\r\n      <<: *shared\r\n  - name: w\r\n    type: component\r\n    \
        properties: {image: 'ghcr.io/w/component:1'}\r\n---\r\nkind: Application\r\n\
        spec: {components: [{name: e, type: capability, properties: {image: ghcr.io/e/flow:1{3}}},\r\n    \
        {name: f, type: capability, properties: {image: file://f.par}},\r\n    \
        {name: g, type: capability, properties: {image: ghcr.io/g/other:1}}]}";
    let fill = |digests: [String; 4]| {
        let digests = digests.iter().enumerate();
        digests.fold(template.to_owned(), |text, (index, digest)| {
            text.replace(&format!("{{{index}}}"), digest)
        })
    };
    let content = fill([const { String::new() }; 4]);
    let names = [
        "ghcr.io/a/anchor:1",
        "ghcr.io/b/quoted:1",
        "ghcr.io/c/folded:1",
        "ghcr.io/e/flow:1",
    ];
    let digest = |name: &str| format!("@{}", crate::content::Digest::of(name.as_bytes()));
    let written = pinned(&content).unwrap();
    assert_eq!(written, fill(names.map(digest)));
    // References with digests stay as they are.
    assert_eq!(pinned(&written).unwrap(), written);

    let list = "# list\nghcr.io/a/b:1  # b\n\n\tghcr.io/a/c:1\r\n";
    let expected = list
        .replace("b:1", &format!("b:1{}", digest("ghcr.io/a/b:1")))
        .replace("c:1", &format!("c:1{}", digest("ghcr.io/a/c:1")));
    assert_eq!(pinned(list).unwrap(), expected);
}

#[test]
fn a_reference_that_is_not_written_literally_gets_no_digest() {
    let content = "kind: Application\nspec:\n  components:\n  - name: a\n    type: capability\n    \
                   properties:\n      image: \"ghcr.io\\x2fa/b:1\"\n";
    let error = pinned(content).unwrap_err().to_string();
    assert!(
        error.starts_with("app.yaml, line 7: cannot write"),
        "{error}"
    );
}

#[test]
fn a_file_with_only_other_kinds_of_documents_is_not_a_manifest() {
    let problem = problem("kind: Service\nspec: {ports: []}\n");
    assert!(problem.contains("no document of the kind"), "{problem}");
}
