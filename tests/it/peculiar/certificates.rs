//! Certificate authorities and certificates that cannot be used.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::archives::ArchiveBuilder;
use crate::support::certificates::Authority;
use crate::support::{Environment, Outcome, Registry};

const ADDRESS: &str = "127.0.0.1";
const BAD: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// A user with an archive, and a registry with TLS and a certificate of a private authority.
struct Setup {
    environment: Environment,
    authority: Authority,
    registry: Registry,
}

impl Setup {
    fn new() -> Self {
        Self::with(|authority| authority.server(ADDRESS))
    }

    fn with(issue: impl FnOnce(&Authority) -> (PathBuf, PathBuf)) -> Self {
        let environment = Environment::new();
        environment.write("provider.par", ArchiveBuilder::two_targets().build());
        let authority = Authority::new(&environment.path("authority"));
        let registry = Registry::builder().tls(&issue(&authority)).start();
        Self {
            environment,
            authority,
            registry,
        }
    }

    /// Pushes over TLS with these variables and options.
    #[track_caller]
    fn push(&self, variables: &[(&str, &Path)], options: &[&str]) -> Outcome {
        let reference = format!("https://{}/provider:1.0.0", self.registry.address());
        let reference = reference.trim_start_matches("https://");
        let mut command = self.environment.command();
        command.envs(variables.iter().copied());
        // A registry on this machine is reached over TLS if its `hosts.toml` says so.
        let hosts = format!("server = \"https://{}\"\n", self.registry.address());
        crate::hosts::configure(&self.environment, self.registry.address(), &hosts);
        command
            .args(["push", reference, "provider.par"])
            .args(options);
        Outcome::of(command, b"")
    }
}

#[test]
fn authorities_that_cannot_be_loaded_are_named_with_their_variable() {
    let setup = Setup::new();
    let path = |name: &str| setup.environment.path(name);
    setup.environment.write("empty.pem", "");
    setup.environment.write("garbage.pem", "garbage");
    setup.environment.write("bad.pem", BAD);
    fs::create_dir(path("empty")).unwrap();
    for (variable, name) in [
        ("SSL_CERT_FILE", "nowhere.pem"),
        ("SSL_CERT_FILE", "empty.pem"),
        ("SSL_CERT_FILE", "garbage.pem"),
        ("SSL_CERT_FILE", "bad.pem"),
        ("SSL_CERT_FILE", "empty"),
        ("SSL_CERT_DIR", "nowhere"),
        ("SSL_CERT_DIR", "empty"),
        ("SSL_CERT_DIR", "empty.pem"),
    ] {
        let value = path(name);
        let outcome = setup.push(&[(variable, &value)], &[]).exit(2);
        let said = format!("{}, which {variable} names", value.display());
        assert!(outcome.stderr.contains(&said), "{outcome}");
        assert!(outcome.stderr.contains("ca-certificates"), "{outcome}");
        assert!(outcome.stderr.contains("--ca"), "{outcome}");
        // The authority of `--ca` is enough.
        let ca = setup.authority.file().to_str().unwrap();
        setup.push(&[(variable, &value)], &["--ca", ca]).success();
        setup
            .push(&[(variable, &value)], &["--insecure-skip-tls-verify"])
            .success();
    }
}

#[test]
fn without_authorities_plain_http_and_layouts_work() {
    let (environment, registry) = (Environment::new(), Registry::start());
    environment.write("provider.par", ArchiveBuilder::two_targets().build());
    let reference = registry.reference("provider:1.0.0");
    for arguments in [
        ["push", &reference, "provider.par"],
        ["push", "oci-layout://layout:1.0.0", "provider.par"],
        ["copy", &reference, "oci-layout://copy:1.0.0"],
    ] {
        let mut command = environment.command();
        command.env("SSL_CERT_FILE", "/nowhere.pem").args(arguments);
        let outcome = Outcome::of(command, b"").success();
        assert!(!outcome.stderr.contains("SSL_CERT_FILE"), "{outcome}");
    }
}

#[test]
fn one_bad_certificate_among_good_ones_is_left_out_with_a_warning() {
    let setup = Setup::new();
    let good = fs::read_to_string(setup.authority.file()).unwrap();
    let file = setup.environment.write("some.pem", format!("{BAD}{good}"));
    let outcome = setup.push(&[("SSL_CERT_FILE", &file)], &[]).success();
    assert!(outcome.stderr.contains("SSL_CERT_FILE"), "{outcome}");

    let directory = setup.environment.write("some/good.crt", &good);
    setup.environment.write("some/bad.crt", BAD);
    setup.environment.write("some/readme", "text");
    let directory = directory.parent().unwrap();
    setup.push(&[("SSL_CERT_DIR", directory)], &[]).success();
    setup
        .environment
        .write("some/cut.crt", &good[..good.len() / 2]);
    let outcome = setup.push(&[("SSL_CERT_DIR", directory)], &[]).success();
    let said = "some/cut.crt, a certificate has no end line";
    assert!(outcome.stderr.contains(said), "{outcome}");
    let both = [
        ("SSL_CERT_FILE", Path::new("/nowhere.pem")),
        ("SSL_CERT_DIR", directory),
    ];
    let outcome = setup.push(&both, &[]).success();
    assert!(outcome.stderr.contains("/nowhere.pem"), "{outcome}");

    let outcome = setup.push(&[], &["--ca", file.to_str().unwrap()]).exit(2);
    assert!(outcome.stderr.contains("some.pem"), "{outcome}");
}

#[test]
fn a_variable_without_a_value_names_nothing() {
    let setup = Setup::new();
    let nothing = Path::new("");
    let variables = [("SSL_CERT_FILE", nothing), ("SSL_CERT_DIR", nothing)];
    let outcome = setup.push(&variables, &[]);
    assert!(!outcome.stderr.contains("SSL_CERT_FILE names"), "{outcome}");
    let both = [
        ("SSL_CERT_FILE", nothing),
        ("SSL_CERT_DIR", setup.authority.file().parent().unwrap()),
    ];
    setup.push(&both, &[]).success();
}

#[test]
fn a_certificate_that_is_not_trusted_is_named_and_nothing_is_retried() {
    type Issue = fn(&Authority) -> (PathBuf, PathBuf);
    let cases: [(Issue, &str, &str); 6] = [
        (
            |authority| authority.expired(ADDRESS),
            "it has expired",
            "renew",
        ),
        (
            |authority| authority.early(ADDRESS),
            "it becomes valid later",
            "clock",
        ),
        (
            |authority| authority.server("r.test"),
            "for another name",
            "use the name",
        ),
        (
            |authority| authority.below(ADDRESS),
            "is a certificate of an authority",
            "replace",
        ),
        (
            |authority| authority.for_another_purpose(ADDRESS),
            "not for servers",
            "serverAuth",
        ),
        (
            |authority| {
                let files = authority.server(ADDRESS);
                Authority::make_version_1(&files.0);
                files
            },
            "version 1 of X.509",
            "version 3",
        ),
    ];
    for (issue, said, hint) in cases {
        let setup = Setup::with(issue);
        let ca = setup.authority.file().to_str().unwrap().to_owned();
        let outcome = setup.push(&[], &["--ca", &ca]).exit(5);
        assert!(outcome.stderr.contains(said), "{outcome}");
        assert!(outcome.stderr.contains(hint), "{outcome}");
        assert!(!outcome.stderr.contains("attempts"), "{outcome}");
    }
    let setup = Setup::new();
    let other = Authority::new(&setup.environment.path("other"));
    let outcome = setup.push(&[("SSL_CERT_FILE", other.file())], &[]).exit(5);
    assert!(outcome.stderr.contains("is not trusted"), "{outcome}");
    assert!(outcome.stderr.contains("SSL_CERT_FILE"), "{outcome}");
    let outcome = setup
        .push(&[], &["--ca", other.file().to_str().unwrap()])
        .exit(5);
    assert!(outcome.stderr.contains("is not trusted"), "{outcome}");
}

#[test]
fn the_error_about_a_client_certificate_has_a_hint() {
    let setup = Setup::new();
    let (certificate, key) = setup.authority.client();
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let environment = &setup.environment;
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
                 AAAA\n-----END RSA PRIVATE KEY-----\n";
    let (_, other_key) = Authority::new(&environment.path("other")).client();
    let version_1 = environment.write("v1.pem", text(&certificate));
    Authority::make_version_1(&version_1);
    let binary = environment.write("binary.der", [0x30, 0x82, 1, 1]);
    let empty = environment.write("empty.pem", "");
    let unknown = environment.write(
        "unknown.pem",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    for (certificate, key, said, hint) in [
        (
            &certificate,
            &environment.write("a.key", encrypted),
            "is encrypted",
            "openssl pkey",
        ),
        (
            &certificate,
            &environment.write("b.key", older),
            "is encrypted",
            "openssl pkey",
        ),
        (&version_1, &key, "version 1 of X.509", "version 3"),
        (
            &certificate,
            &other_key,
            "does not belong to its certificate",
            "",
        ),
        (&binary, &key, "it is binary", "openssl x509"),
        (&certificate, &binary, "it is binary", "openssl pkey"),
        (&empty, &key, "contains no certificate", ""),
        (
            &certificate,
            &empty,
            "contains no private key",
            "--client-key",
        ),
        (&certificate, &unknown, "not supported", ""),
    ] {
        let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        let options = ["--client-cert", certificate, "--client-key", key];
        let outcome = setup.push(&[], &options).exit(2);
        assert!(outcome.stderr.contains(said), "{outcome}");
        assert!(outcome.stderr.contains(hint), "{outcome}");
    }
    // The key of an elliptic curve may follow the parameters of the curve.
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let both = format!("{}{parameters}{}", text(&certificate), text(&key));
    let both = environment.write("both.pem", both);
    let ca = setup.authority.file().to_str().unwrap();
    setup
        .push(&[], &["--client-cert", both.to_str().unwrap(), "--ca", ca])
        .success();
    let alone = ["--client-cert", certificate.to_str().unwrap()];
    let outcome = setup.push(&[], &alone).exit(2);
    assert!(
        outcome.stderr.contains("contains no private key"),
        "{outcome}"
    );
}

#[test]
fn a_mirror_or_the_cache_is_used_where_certificates_cannot_be_verified() {
    let setup = Setup::new();
    let ca = setup.authority.file().to_str().unwrap();
    setup.push(&[], &["--ca", ca]).success();
    let reference = format!("{}/provider:1.0.0", setup.registry.address());
    let pull = |reference: &str, variables: &[(&str, &str)], options: &[&str]| {
        let mut command = setup.environment.command();
        command.envs(variables.iter().copied());
        command.args(["pull", reference, "--destination", "copy.par"]);
        command.args(options);
        Outcome::of(command, b"")
    };
    pull(&reference, &[], &["--ca", ca]).success();
    let outcome = pull(&reference, &[], &[]).success();
    assert!(outcome.stderr.contains("is unconfirmed since"), "{outcome}");

    // The mirror is reached over TLS, and its certificate cannot be verified. Its registry uses plain HTTP.
    let plain = Registry::start();
    let copy = plain.reference("provider:1.0.0");
    setup
        .environment
        .par(["push", &copy, "provider.par"])
        .success();
    let mirror = setup.registry.address();
    let hosts = format!("[host.\"https://{mirror}\"]\ncapabilities = [\"pull\", \"resolve\"]\n");
    crate::hosts::configure(&setup.environment, plain.address(), &hosts);
    let before = setup.registry.requests().len();
    pull(&copy, &[("SSL_CERT_FILE", "/nowhere.pem")], &[]).success();
    assert_eq!(setup.registry.requests().len(), before);
}
