//! Redirects: to other registries, in loops, and on requests that write.

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::hosts::configure;
use crate::support::certificates::Authority;
use crate::support::forwarder::Forwarder;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Answer, Environment, Outcome, Registry, Rules, Server, TokenService, User};
use crate::transfer::{pack_noise, push, text};

/// Stores credentials for several registries.
fn store(environment: &Environment, entries: &[(&str, &str, &str)]) {
    let entries = entries.iter().map(|(registry, user, password)| {
        let auth = BASE64.encode(format!("{user}:{password}").as_bytes());
        ((*registry).to_owned(), json!({ "auth": auth }))
    });
    let auths: serde_json::Map<String, Value> = entries.collect();
    let config = json!({ "auths": auths });
    environment.write("../home/.docker/config.json", config.to_string());
}

/// Starts a registry that asks for a password and redirects all reads to `elsewhere`, with the same path after `/v2`.
fn leading_to(elsewhere: &str, status: &'static str) -> Server {
    let elsewhere = elsewhere.to_owned();
    Server::start(move |asked, _| match asked.head.get("authorization") {
        Some(_) => {
            Answer::status(status).header("location", format!("http://{elsewhere}{}", asked.target))
        }
        None => Answer::status("401 Unauthorized").header("www-authenticate", "Basic realm=x"),
    })
}

#[test]
fn a_redirect_to_a_registry_with_its_own_token_service_is_followed() {
    let may: &[(&str, &str)] = &[("*", "pull,push")];
    let users = |name, password, may| {
        vec![User {
            name,
            password,
            may,
        }]
    };
    let service = TokenService::start(Rules {
        users: users("tester", "password", may),
        ..Rules::default()
    });
    let behind = service.registry();
    let environment = Environment::new();
    store(&environment, &[(behind.address(), "tester", "password")]);
    let file = pack_noise(&environment, "provider.par", 50_000);
    push(&environment, &behind.reference("org/x:1.0.0"), &file);

    for status in [
        "307 Temporary Redirect",
        "301 Moved",
        "302 Found",
        "308 Permanent",
    ] {
        // The stored credentials for the other registry are used.
        let front = leading_to(behind.address(), status);
        let environment = Environment::new();
        let (here, there) = (front.address(), behind.address());
        let (jane, tester) = ((here, "jane", "secret"), (there, "tester", "password"));
        store(&environment, &[jane, tester]);
        service.change(|rules| rules.users = users("tester", "password", may));
        let reference = front.reference("org/x:1.0.0");
        environment
            .par(["pull", &reference, "--destination", "pulled.par"])
            .success();
        let pulled = std::fs::read(environment.path("pulled.par")).unwrap();
        assert_eq!(pulled, std::fs::read(&file).unwrap());
        environment
            .par(["tags", &front.reference("org/x")])
            .success();

        // Without stored credentials for it, the other registry is asked anonymously.
        let environment = Environment::new();
        store(&environment, &[jane]);
        let refused = environment.par(["pull", &reference]).exit(4);
        let said = format!("{there} requires credentials for the manifest 1.0.0 of {here}/org/x");
        assert!(refused.stderr.contains(&said), "{refused}");
        assert!(
            refused.stderr.contains(&format!("par login {there}")),
            "{refused}"
        );
        service.change(|rules| rules.users = users("", "", may));
        environment.par(["pull", &reference]).success();
        // The token service has never seen the user of the first registry.
        let asked = service.asked();
        assert!(
            asked
                .iter()
                .all(|asked| asked.who.as_deref() != Some("jane"))
        );
        assert!(
            asked
                .iter()
                .any(|asked| asked.scopes == ["repository:org/x:pull"])
        );
    }
}

#[test]
fn hidden_content_of_the_redirected_registry_is_read_with_the_credentials_for_it() {
    for status in ["404 Not Found", "403 Forbidden"] {
        let behind = Server::start(move |asked, _| match asked.head.get("authorization") {
            Some(_) => Answer::body(r#"{"tags": ["hidden"]}"#),
            None => Answer::status(status),
        });
        let front = leading_to(behind.address(), "307 Temporary Redirect");
        let environment = Environment::new();
        let jane = (front.address(), "jane", "secret");
        store(
            &environment,
            &[jane, (behind.address(), "tester", "password")],
        );
        let listed = environment.par(["tags", &front.reference("org/x")]);
        assert_eq!(listed.success().stdout, "hidden\n");
        let tester = format!("Basic {}", BASE64.encode(b"tester:password"));
        for asked in behind.asked("GET", "") {
            let sent = asked.head.get("authorization");
            assert!(sent.is_none_or(|sent| sent == tester), "{asked:?}");
        }
    }
}

#[test]
fn the_error_shows_a_redirect_to_an_invalid_location() {
    for (location, said) in [
        ("", "its Location is empty"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("ftp://files.example/x", "ftp://files.example/x"),
    ] {
        let registry =
            Server::start(move |_, _| Answer::status("302 Found").header("location", location));
        let environment = Environment::new();
        let refused = environment.par(["tags", &registry.reference("org/x")]);
        let refused = refused.exit(1);
        assert!(refused.stderr.contains(said), "{refused}");
        assert_eq!(registry.asked("GET", "").len(), 1);
    }
}

#[test]
fn credentials_for_one_registry_are_not_sent_to_the_one_it_redirects_to() {
    let behind = Registry::builder().htpasswd("tester", "password").start();
    let front = leading_to(behind.address(), "307 Temporary Redirect");
    let environment = Environment::new();
    let reference = front.reference("org/x:1.0.0");
    let resolve = ["resolve", &reference, "-u", "tester", "-p", "password"];
    let refused = environment.par(resolve).exit(4);
    let said = format!("{} requires credentials", behind.address());
    assert!(refused.stderr.contains(&said), "{refused}");

    store(&environment, &[(behind.address(), "tester", "password")]);
    environment.par(resolve).exit(3);
}

/// The registry of [`network`].
const FRONT: &str = "registry.test:5000";

/// Starts a proxy that answers in place of all hosts, as anyone between a client and a host can. [`FRONT`] redirects all
/// reads to `elsewhere`. All other hosts answer with `status` to a request without credentials.
fn network(elsewhere: &'static str, status: &'static str) -> Server {
    Server::start(move |asked, _| match asked.target.split_once(FRONT) {
        Some((_, path)) => Answer::status("307 Temporary Redirect")
            .header("location", format!("{elsewhere}{path}")),
        None if asked.head.get("authorization").is_some() => {
            Answer::body(r#"{"tags": ["hidden"]}"#)
        }
        None => Answer::status(status).header("www-authenticate", "Basic realm=x"),
    })
}

/// Lists tags of [`FRONT`] as a user with credentials for `other.test`. `settings` are for [`FRONT`].
fn list_tags(settings: &str, variables: &[(&str, &str)], options: &[&str]) -> Outcome {
    let environment = Environment::new();
    store(&environment, &[("other.test", "tester", "password")]);
    let settings = format!("server = \"http://{FRONT}\"\n{settings}\n");
    configure(&environment, FRONT, &settings);
    let mut command = environment.command();
    command.envs(variables.iter().copied());
    command
        .args(["tags", &format!("{FRONT}/org/x")])
        .args(options);
    Outcome::of(command, b"")
}

#[test]
fn stored_credentials_for_another_host_are_not_sent_to_it_without_tls() {
    for (status, code) in [("401 Unauthorized", 4), ("404 Not Found", 3)] {
        let network = network("http://other.test", status);
        let proxy = format!("http://{}", network.address());
        let refused = list_tags("", &[("HTTP_PROXY", &proxy)], &[]).exit(code);
        let said = "redirected to http://other.test/v2/org/x/tags/list, which gets no credentials";
        assert_eq!(refused.stderr.contains(said), code == 4, "{refused}");
        let asked = network.asked("GET", "other.test");
        assert!(!asked.is_empty());
        for asked in asked {
            assert_eq!(asked.head.get("authorization"), None, "{asked:?}");
        }
    }
}

#[test]
fn stored_credentials_for_another_host_are_sent_only_if_its_certificate_is_checked() {
    let certificates = Environment::new();
    let authority = Authority::new(&certificates.path("authority"));
    let behind = Registry::builder()
        .tls(&authority.server("other.test"))
        .htpasswd("tester", "password");
    let behind = behind.start();
    let (to_front, to_other) = (
        network("https://other.test", "404 Not Found"),
        Forwarder::to(behind.address()),
    );
    let to_front = format!("http://{}", to_front.address());
    let variables = [
        ("HTTP_PROXY", to_front.as_str()),
        ("HTTPS_PROXY", &to_other.url()),
    ];
    let ca = ["--ca", text(authority.file())];
    // The registry has no such repository.
    list_tags("", &variables, &ca).exit(3);
    list_tags("skip_verify = true", &variables, &ca).exit(4);
}

#[test]
fn the_errors_name_loops_and_redirects_without_a_location() {
    let long = Server::start(|asked, _| {
        let number = asked
            .target
            .rsplit('=')
            .next()
            .unwrap()
            .parse()
            .unwrap_or(0);
        let next = format!("/v2/org/x/tags/list?hop={}", number + 1);
        if number == 10 {
            return Answer::body(r#"{"tags": ["1.0.0"]}"#);
        }
        Answer::status("307 Temporary Redirect").header("location", next)
    });
    let environment = Environment::new();
    environment
        .par(["tags", &long.reference("org/x")])
        .success();
    for (location, said, code) in [
        ("/v2/org/x/tags/list", "it is the eleventh in a row", 1),
        ("ftp://127.0.0.1/x", "neither https nor http", 1),
        ("http://[", "is not a URL", 1),
    ] {
        let server = Server::start(move |_, _| {
            Answer::status("307 Temporary Redirect").header("location", location)
        });
        let refused = environment
            .par(["tags", &server.reference("org/x")])
            .exit(code);
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(server.asked("GET", "").len() <= 11, "{refused}");
    }
}

/// Starts a proxy that redirects requests with this method to the registry itself.
fn redirecting(registry: &Registry, method: &'static str, status: &'static str) -> Proxy {
    let place = registry.address().to_owned();
    let rule = Rule::on(method, "/v2/org/", Fault::Redirect { status, place });
    Proxy::start(registry, vec![rule.always()])
}

#[test]
fn uploads_follow_redirects_that_keep_the_method_without_credentials() {
    let registry = Registry::start();
    for method in ["POST", "PUT"] {
        for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
            let behind = Proxy::start(&registry, Vec::new());
            let place = behind.address().to_owned();
            let challenge = Fault::answer("401 No", "www-authenticate", "Basic realm=x");
            let front = vec![
                Rule::on("POST", "/v2/org/", challenge),
                Rule::on(method, "/v2/org/", Fault::Redirect { status, place }).always(),
            ];
            let front = Proxy::start(&registry, front);
            let environment = Environment::new();
            let [here, there] = [&front, &behind].map(|proxy| (proxy.address(), "jane", "secret"));
            store(&environment, &[here, there]);
            let file = pack_noise(&environment, &format!("{method}.par"), 200_000);
            let reference = front.reference(&format!("org/x:{method}-{}", &status[..3]));
            environment.par(["push", &reference, text(&file)]).success();
            let pull = ["pull", &reference, "--destination", "pulled.par"];
            environment.par(pull).success();
            let pulled = std::fs::read(environment.path("pulled.par")).unwrap();
            assert_eq!(pulled, std::fs::read(&file).unwrap());

            let seen = behind.seen(method, "/v2/org/");
            assert!(!seen.is_empty() && seen.iter().all(|seen| !seen.authorized));
            assert!(front.seen(method, "/v2/org/").last().unwrap().authorized);
        }
    }
}

#[test]
fn an_upload_that_is_redirected_to_a_registry_with_a_password_is_denied() {
    let registry = Registry::builder().htpasswd("tester", "password").start();
    let proxy = redirecting(&registry, "POST", "307 Temporary Redirect");
    let environment = Environment::new();
    let file = pack_noise(&environment, "provider.par", 1000);
    let [here, there] = [proxy.address(), registry.address()];
    store(
        &environment,
        &[(here, "tester", "password"), (there, "tester", "password")],
    );
    let reference = proxy.reference("org/x:1.0.0");
    let refused = environment.par(["push", &reference, text(&file)]).exit(4);
    let said = format!("was redirected to http://{there}/v2/org/x/blobs/uploads/");
    assert!(refused.stderr.contains(&said), "{refused}");
    assert!(
        refused
            .stderr
            .contains("the registry to which the redirect leads"),
        "{refused}"
    );
    assert!(
        registry
            .requests()
            .iter()
            .all(|line| !line.starts_with("PUT"))
    );
}

#[test]
fn a_redirect_that_changes_the_method_of_an_upload_is_named() {
    let registry = Registry::start();
    for status in ["301 Moved Permanently", "302 Found", "303 See Other"] {
        let proxy = redirecting(&registry, "POST", status);
        let environment = Environment::new();
        let file = pack_noise(&environment, "provider.par", 1000);
        let reference = proxy.reference("org/x:1.0.0");
        let refused = environment.par(["push", &reference, text(&file)]).exit(1);
        let place = format!("http://{}/v2/org/x/blobs/uploads/", registry.address());
        assert!(refused.stderr.contains(&place), "{refused}");
        let code = format!("HTTP {}", &status[..3]);
        assert!(refused.stderr.contains(&code), "{refused}");
        assert_eq!(proxy.seen("POST", "").len(), 1, "{refused}");
    }
}
