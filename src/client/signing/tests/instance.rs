use serde_json::{Value, json};

use super::*;

fn service(name: &str, version: u32) -> Value {
    json!({
        "url": format!("https://{name}.example/"),
        "majorApiVersion": version,
        "validFor": { "start": "2024-01-01T00:00:00Z" },
    })
}

fn config() -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [service("fulcio", 1)],
        "rekorTlogUrls": [service("rekor1", 1), service("rekor2", 2)],
        "tsaUrls": [service("tsa", 1)],
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaConfig": { "selector": "ANY" },
    })
}

fn parse(config: &Value) -> Result<Instance, String> {
    Instance::parse(&config.to_string()).map_err(|error| error.to_string())
}

#[test]
fn the_public_instance_is_known() {
    let public = Instance::read(None).unwrap();
    assert_eq!(public.authority, "https://fulcio.sigstore.dev");
    assert!(public.log.is_some() && public.timestamps.is_some());
}

#[test]
fn the_newest_log_is_chosen() {
    let instance = parse(&config()).unwrap();
    assert_eq!(instance.authority, "https://fulcio.example");
    let log = Log {
        url: "https://rekor2.example".to_owned(),
        version: LogVersion::V2,
    };
    assert_eq!(instance.log, Some(log));
    assert_eq!(instance.timestamps.as_deref(), Some("https://tsa.example/"));
}

#[test]
fn services_that_are_not_valid_now_are_not_used() {
    let mut config = config();
    config["rekorTlogUrls"][1]["validFor"]["end"] = "2024-01-02T00:00:00Z".into();
    let log = parse(&config).unwrap().log.unwrap();
    assert_eq!(log.url, "https://rekor1.example");
    config["caUrls"][0]["validFor"]["start"] = "2999-01-01T00:00:00Z".into();
    assert!(
        parse(&config)
            .unwrap_err()
            .contains("no certificate authority")
    );
}

#[test]
fn an_instance_that_demands_several_of_a_kind_is_refused() {
    for demand in [
        json!({ "selector": "ALL" }),
        json!({ "selector": "EXACT", "count": 2 }),
    ] {
        let mut config = config();
        config["rekorTlogConfig"] = demand;
        let error = parse(&config).unwrap_err();
        assert!(error.contains("more than one transparency log"), "{error}");
    }
    let mut config = config();
    config["rekorTlogConfig"] = json!({ "selector": "EXACT", "count": 1 });
    config["tsaConfig"] = json!({ "selector": "ALL" });
    assert!(parse(&config).is_ok());
}

#[test]
fn a_service_that_is_not_reached_by_https_is_refused() {
    for (services, kind) in [
        ("caUrls", "certificate authority"),
        ("rekorTlogUrls", "transparency log"),
        ("tsaUrls", "timestamp authority"),
    ] {
        for url in ["http://a.example", "file:///a", "a", ""] {
            let mut config = config();
            let services = config[services].as_array_mut().unwrap();
            for service in services {
                service["url"] = url.into();
            }
            let error = parse(&config).unwrap_err();
            assert!(error.contains(kind), "{url}: {error}");
        }
    }
}

#[test]
fn an_instance_without_any_time_is_refused() {
    let mut config = config();
    config["tsaUrls"] = json!([]);
    let error = parse(&config).unwrap_err();
    assert!(error.contains("says when"), "{error}");
    config["rekorTlogUrls"] = json!([service("rekor1", 1)]);
    assert!(parse(&config).is_ok());
    assert!(parse(&json!({ "mediaType": "a" })).is_err());
}
