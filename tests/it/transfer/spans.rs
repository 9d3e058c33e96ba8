//! The spans and events that a host sees of concurrent transfers.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use wasmcloud_par::archive::Target;
use wasmcloud_par::client::{Client, ClientOptions};
use wasmcloud_par::oci::Reference;
use wasmcloud_par::trust::TrustPolicy;

use super::{digest, par, push, small};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry};

/// The fields of a span or of an event, as text.
#[derive(Clone, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// The message of an event and its span.
struct Recorded {
    message: String,
    span: &'static str,
    fields: Fields,
}

/// A subscriber that collects the events inside spans.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Recorded>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else {
            return;
        };
        let mut said = Fields::default();
        event.record(&mut said);
        let recorded = Recorded {
            message: said.0.remove("message").unwrap_or_default(),
            span: span.name(),
            fields: span
                .extensions()
                .get::<Fields>()
                .cloned()
                .unwrap_or_default(),
        };
        self.0.lock().unwrap().push(recorded);
    }
}

fn impatient(cache: &Path) -> Client {
    let mut options = ClientOptions::default()
        .cache_directory(cache)
        .trust(TrustPolicy::default());
    options.registry.credentials.registry_config = Some(cache.join("no-config.json"));
    options.registry.retry.first_delay = Duration::from_millis(10);
    Client::new(options).unwrap()
}

#[test]
fn events_of_a_transfer_are_inside_its_span() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let away = |name: &str| Rule::on("GET", &format!("/{name}/blobs/"), Fault::status("503 Away"));
    let proxy = Proxy::start(&registry, vec![away("one"), away("two")]);
    let mut manifests = BTreeMap::new();
    for name in ["one:1", "two:2"] {
        let file = small(&environment, name);
        let manifest = push(&environment, &registry.reference(name), &file);
        manifests.insert(proxy.reference(name), manifest);
    }
    let references: Vec<Reference> = manifests.keys().map(|text| text.parse().unwrap()).collect();
    let target: Target = "x86_64-linux".parse().unwrap();
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(log.clone());
    // The runtime uses this thread only, because the subscriber belongs to it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let client = impatient(&environment.path("cache"));
        let at_once = NonZeroUsize::new(2).unwrap();
        let fetches = client.prefetch(references, &target, at_once);
        let fetched: Vec<_> = runtime.block_on(fetches.collect());
        assert!(fetched.iter().all(|(_, fetched)| fetched.is_ok()));
    });
    let log = log.0.lock().unwrap();
    for (reference, manifest) in &manifests {
        let again = log.iter().find(|record| {
            record.span == "fetch"
                && record.message.contains("attempt 2 follows")
                && record.fields.0.get("reference") == Some(reference)
        });
        let fields = &again.expect(reference).fields.0;
        assert_eq!(fields["target"], "x86_64-linux");
        assert_eq!(fields["digest"], *manifest);
    }
}

#[test]
fn events_on_another_thread_are_inside_the_span() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let reference = registry.reference("provider:1");
    push(&environment, &reference, &file);
    par(&environment, ["pull", &reference]).success();
    let blob = digest(&file).replace(':', "/");
    let blob = environment
        .home()
        .join(".cache/wasmcloud-par/v1/blobs")
        .join(blob);
    let damage = || {
        std::fs::remove_file(&blob).unwrap();
        std::fs::write(&blob, "damage").unwrap();
    };
    damage();
    let details = ["pull", &reference, "--verbose", "--verbose"];
    let said = par(&environment, details).success();
    let span = format!("pull{{reference={reference} digest=sha256:");
    let line = said.stderr.lines().find(|line| line.contains("damaged"));
    assert!(line.is_some_and(|line| line.contains(&span)), "{said}");
    // Without --verbose, spans are not shown.
    damage();
    let said = par(&environment, ["pull", &reference]).success();
    assert!(said.stderr.contains("damaged"), "{said}");
    assert!(!said.stderr.contains("pull{"), "{said}");
}
