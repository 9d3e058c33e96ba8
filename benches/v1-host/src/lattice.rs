//! A host of wasmCloud v1, and what is asked of it over NATS.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use async_nats::Subscriber;
use futures::StreamExt;
use serde_json::Value;
use wasmcloud_control_interface::{Client, ClientBuilder, CtlResponse};
use wasmcloud_host::{OciConfig, WasmbusHost, WasmbusHostConfig};

use crate::process::Process;

/// The name that hosts use unless told otherwise.
const LATTICE: &str = "default";

/// How long a step may take. The host checks the health of a provider five seconds after its start.
const PATIENCE: Duration = Duration::from_secs(60);

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

type Shutdown = Pin<Box<dyn Future<Output = anyhow::Result<()>>>>;

/// One host in a lattice of its own, and a client of its control interface.
pub struct Lattice {
    nats: async_nats::Client,
    control: Client,
    host: String,
    shutdown: Shutdown,
}

impl Lattice {
    /// Starts a host that may ask the registry at `registry` over plain HTTP.
    pub async fn start(nats: &str, registry: &str) -> anyhow::Result<Self> {
        let config = WasmbusHostConfig {
            ctl_nats_url: nats.parse()?,
            rpc_nats_url: nats.parse()?,
            lattice: LATTICE.into(),
            oci_opts: OciConfig {
                allowed_insecure: vec![registry.to_owned()],
                ..OciConfig::default()
            },
            provider_shutdown_delay: Some(Duration::from_secs(5)),
            ..WasmbusHostConfig::default()
        };
        let (_, shutdown) = WasmbusHost::new(config).await?;
        let nats = async_nats::connect(nats).await?;
        let control = ClientBuilder::new(nats.clone()).lattice(LATTICE).build();
        let hosts = control
            .get_hosts()
            .await
            .map_err(anyhow::Error::from_boxed)?;
        let [host] = hosts.as_slice() else {
            bail!("{} hosts answer in the lattice, expected one", hosts.len());
        };
        let host = host.data().context("a host")?.id().to_owned();
        Ok(Self {
            nats,
            control,
            host,
            shutdown: Box::pin(shutdown),
        })
    }

    pub async fn host_version(&self) -> anyhow::Result<String> {
        let inventory = succeeded(self.control.get_host_inventory(&self.host).await)?;
        Ok(inventory.context("an inventory")?.version().to_owned())
    }

    /// Has the host start the provider of an archive in the registry, and waits until it has.
    pub async fn start_provider(
        &self,
        id: &str,
        reference: &str,
    ) -> anyhow::Result<RunningProvider<'_>> {
        let subject = format!("wasmbus.evt.{LATTICE}.>");
        let events = self.nats.subscribe(subject).await?;
        // The host may publish as soon as it has the request.
        self.nats.flush().await?;
        let mut provider = RunningProvider {
            lattice: self,
            id: id.to_owned(),
            events,
        };
        succeeded(
            self.control
                .start_provider(&self.host, reference, id, None, Vec::new())
                .await,
        )?;
        provider
            .wait_for("provider_started", "provider_start_failed")
            .await?;
        Ok(provider)
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.await
    }
}

/// A provider that the host has started.
pub struct RunningProvider<'a> {
    lattice: &'a Lattice,
    id: String,
    events: Subscriber,
}

impl RunningProvider<'_> {
    /// Finds the provider's process, whose executable has to have these bytes.
    pub fn process(&self, executable: &[u8]) -> anyhow::Result<Process> {
        Process::find(executable)
    }

    /// Waits until the host has checked the health of the provider, and found it healthy.
    pub async fn wait_for_health_check(&mut self) -> anyhow::Result<()> {
        self.wait_for("health_check_passed", "health_check_failed")
            .await
    }

    /// Asks the provider itself, and returns whether it says that it is healthy.
    pub async fn answers_health_ping(&self) -> anyhow::Result<bool> {
        let subject = format!("wasmbus.rpc.{LATTICE}.{}.health", self.id);
        let answer = self.lattice.nats.request(subject, "".into()).await?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        Ok(answer["healthy"] == true)
    }

    /// Returns what the lattice knows about the provider's claims.
    pub async fn claims(&self) -> anyhow::Result<Vec<HashMap<String, String>>> {
        let claims = succeeded(self.lattice.control.get_claims().await)?;
        claims.context("the lattice answers without claims")
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        let control = &self.lattice.control;
        succeeded(control.stop_provider(&self.lattice.host, &self.id).await)?;
        self.wait_for("provider_stopped", "provider_stop_failed")
            .await
    }

    /// Waits for an event about this provider. Fails if the other event comes first, with what it says.
    async fn wait_for(&mut self, wanted: &str, failure: &str) -> anyhow::Result<()> {
        let waiting = async {
            while let Some(message) = self.events.next().await {
                let event: Value = serde_json::from_slice(&message.payload)?;
                let data = &event["data"];
                if data["provider_id"] != self.id.as_str() {
                    continue;
                }
                let name = event["type"].as_str().unwrap_or_default();
                if name.ends_with(failure) {
                    bail!("the host says {failure} of {}: {data}", self.id);
                }
                if name.ends_with(wanted) {
                    return Ok(());
                }
            }
            bail!("the connection to NATS ended")
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .with_context(|| format!("the host does not say {wanted} of {}", self.id))?
    }
}

/// Returns the data of an answer of the control interface.
fn succeeded<T>(answer: Result<CtlResponse<T>, BoxedError>) -> anyhow::Result<Option<T>> {
    let answer = answer.map_err(|error| anyhow!(error))?;
    ensure!(answer.succeeded(), "the host answers: {}", answer.message());
    Ok(answer.into_data())
}
