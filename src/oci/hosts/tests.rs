use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Url;

use super::super::error::Error;
use super::*;

/// Returns the hosts of `registry` when these files are in the directory.
fn found(files: &[(&str, &str)], registry: &str) -> Result<Vec<Host>, Error> {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let hosts = find(registry, Some(directory.path()))?;
    // Paths are absolute. The tests compare them without the temporary directory.
    let short = |path: &PathBuf| path.strip_prefix(directory.path()).unwrap().to_owned();
    let short = |host: Host| Host {
        certificate_authorities: host.certificate_authorities.iter().map(short).collect(),
        client_certificate: host.client_certificate.map(|client| ClientCertificate {
            certificate: short(&client.certificate),
            key: client.key.as_ref().map(short),
        }),
        ..host
    };
    Ok(hosts.into_iter().map(short).collect())
}

fn bases(hosts: &[Host]) -> Vec<&str> {
    let urls = hosts.iter();
    urls.map(|host| host.base.as_ref().map_or("registry", Url::as_str))
        .collect()
}

#[test]
fn mirrors_are_in_the_order_of_the_file_and_the_server_is_last() {
    let file = r#"
        server = "https://docker.io"
        future = { key = 1 }
        [host."https://z.example"]
        capabilities = ["pull", "RESOLVE"]
        unknown = true
        [host."a.example:8443/cache/"]
        [host."http://b.example/v2/hub"]
        override_path = true
    "#;
    let hosts = found(&[("docker.io/hosts.toml", file)], "docker.io").unwrap();
    assert_eq!(
        bases(&hosts),
        [
            "https://z.example/v2",
            "https://a.example:8443/cache/v2",
            "http://b.example/v2/hub",
            "https://registry-1.docker.io/v2"
        ]
    );
    let [z, a, ..] = hosts.as_slice() else {
        panic!()
    };
    assert_eq!(z.capabilities, [Capability::Pull, Capability::Resolve]);
    assert_eq!(a.capabilities, Capability::ALL);
}

#[test]
fn certificates_are_a_file_a_list_or_pairs_relative_to_the_file() {
    let file = r#"
        ca = "a.pem"
        client = "both.pem"
        skip_verify = true
        [host."https://m"]
        ca = ["b.pem", "c.pem"]
        client = [["d.cert", "d.key"], ["e.pem", ""]]
        header = { x-one = "1", x-more = ["2", "3"] }
        proxy = "http://proxy:3128"
    "#;
    let hosts = found(&[("r/hosts.toml", file)], "r").unwrap();
    let [mirror, server] = hosts.as_slice() else {
        panic!()
    };
    assert_eq!(server.certificate_authorities, [Path::new("r/a.pem")]);
    let both = ClientCertificate::new("r/both.pem".into(), None);
    assert_eq!(server.client_certificate, Some(both));
    assert!(server.skip_tls_verify && !mirror.skip_tls_verify);
    let authorities = [Path::new("r/b.pem"), Path::new("r/c.pem")];
    assert_eq!(mirror.certificate_authorities, authorities);
    let pair = ClientCertificate::new("r/d.cert".into(), Some("r/d.key".into()));
    assert_eq!(mirror.client_certificate, Some(pair));
    assert_eq!(mirror.headers.get_all("x-more").iter().count(), 2);
    assert!(!format!("{:?}", mirror.headers).contains('3'));
    assert_eq!(
        mirror.proxy.as_ref().map(Url::as_str),
        Some("http://proxy:3128/")
    );
}

#[test]
fn a_flat_list_of_client_certificates_has_one_file_for_each() {
    for (list, key) in [
        (r#"["a.pem", "b.pem"]"#, None),
        (r#"["a.pem", ["b.cert", "b.key"]]"#, None),
        (r#"[["a.pem", "b.pem"]]"#, Some("r/b.pem".into())),
    ] {
        let file = format!("client = {list}");
        let hosts = found(&[("r/hosts.toml", &file)], "r").unwrap();
        let expected = ClientCertificate::new("r/a.pem".into(), key);
        assert_eq!(hosts[0].client_certificate, Some(expected), "{list}");
    }
}

#[test]
fn the_first_entry_that_fits_is_used() {
    let toml = |name: &str| format!("server = \"https://{name}\"");
    let (safe, plain, default) = (toml("safe"), toml("plain"), toml("default"));
    let files = [
        ("r_5000_/hosts.toml", safe.as_str()),
        ("r:5000/hosts.toml", &plain),
        ("_default/hosts.toml", &default),
    ];
    let server = |files, registry| bases(&found(files, registry).unwrap()).join(" ");
    assert_eq!(server(&files, "r:5000"), "https://safe/v2");
    assert_eq!(server(&files[1..], "r:5000"), "https://plain/v2");
    assert_eq!(server(&files, "r"), "https://default/v2");
    assert_eq!(server(&files[..2], "r"), "registry");
    let (other, own) = (toml("other"), toml("own"));
    let files = [
        ("r/hosts.toml", other.as_str()),
        ("r_443_/hosts.toml", &own),
    ];
    assert_eq!(server(&files, "r:443"), "https://own/v2");
    assert_eq!(server(&files[..1], "r:443"), "https://other/v2");
}

#[test]
fn without_a_hosts_toml_dockers_layout_is_used() {
    let files = [("r/ca.crt", ""), ("r/client.cert", ""), ("r/readme", "")];
    let hosts = found(&files, "r").unwrap();
    assert_eq!(bases(&hosts), ["registry"]);
    assert_eq!(hosts[0].certificate_authorities, [Path::new("r/ca.crt")]);
    let pair = ClientCertificate::new("r/client.cert".into(), Some("r/client.key".into()));
    assert_eq!(hosts[0].client_certificate, Some(pair));
}

#[test]
fn a_malformed_file_is_an_error_with_its_line() {
    let deep = format!("\n\na = {}", "[".repeat(100_000));
    for (file, line, reason) in [
        ("server = ", 1, ""),
        (
            "\n\n[host.\"https://m\"]\ncapabilities = [\"pul\"]",
            4,
            "`pul`",
        ),
        ("server = \"ftp://m\"", 1, "neither http nor https"),
        ("\n[host.\"https://u:p@m\"]", 2, "contains credentials"),
        ("\nca = 7", 2, "a string or a list"),
        ("client = [[\"a\", \"b\", \"c\"]]", 1, "[certificate, key]"),
        ("\n[header]\n\"x y\" = \"1\"", 3, "`x y`"),
        ("[header]\n\nx = \"a\\nb\"", 3, "`x`"),
        ("proxy = \"nonsense\"", 1, "proxy"),
        ("host = 1", 1, ""),
        (&deep, 3, ""),
    ] {
        let error = found(&[("r/hosts.toml", file)], "r").unwrap_err();
        assert_eq!(error.kind(), crate::content::ErrorKind::Usage);
        let text = error.to_string();
        assert!(
            text.contains(&format!("r/hosts.toml, line {line}, column ")) && text.contains(reason),
            "{file}: {text}"
        );
    }
    let large = " ".repeat(2 << 20);
    assert!(found(&[("r/hosts.toml", &large)], "r").is_err());
}

#[test]
fn a_named_directory_has_to_exist() {
    let error = find("r", Some(Path::new("/nonexistent"))).unwrap_err();
    assert!(error.to_string().contains("/nonexistent"), "{error}");
}

#[test]
fn unknown_keys_are_found_with_their_positions() {
    let file = "server = \"https://r\"\ncapabilites = [\"pull\"]\r\nca = \"x\"\n\n\
        [host.\"https://m\"]\n  capabilities = [\"pull\"]\n  skipverify = true\n  dial_timeout = \"1s\"\n\n\
        [hosts.\"https://n\"]\n[host.\"https://o\"]\ncapabilites = []\n[host.\"https://o\".header]\nx-any = \"1\"\n";
    let found = unknown_keys::unknown_keys(file);
    let found: Vec<_> = found
        .iter()
        .map(|key| {
            let at = hosts_toml::Position::of(file, key.span.start);
            let all = key.message.contains("all capabilities");
            (
                at.line,
                at.column,
                key.message.split('`').nth(1).unwrap(),
                all,
            )
        })
        .collect();
    let expected = [
        (2, 1, "capabilites", false),
        (7, 3, "skipverify", false),
        (10, 2, "hosts", false),
        (12, 1, "capabilites", true),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let file = "\u{feff}server = \"https://s\"\r\n[host.\"https://m\"]\r\n";
    let hosts = found(&[("r/hosts.toml", file)], "r").unwrap();
    assert_eq!(bases(&hosts), ["https://m/v2", "https://s/v2"]);
    let error = found(&[("r/hosts.toml", "a = 1\nca = 7")], "r").unwrap_err();
    assert!(error.to_string().contains("line 2, column 6: "), "{error}");
}

#[test]
fn a_proxy_may_lack_its_scheme() {
    let hosts = found(&[("r/hosts.toml", "proxy = \"proxy:3128\"")], "r").unwrap();
    assert_eq!(
        hosts[0].proxy.as_ref().map(Url::as_str),
        Some("http://proxy:3128/")
    );
    assert!(found(&[("r/hosts.toml", "proxy = \"ftp://proxy\"")], "r").is_err());
}
