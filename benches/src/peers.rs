//! The other side of the comparisons: a program that uses `provider-archive` and `oci-client`, as `wash`
//! does.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use nkeys::KeyPair;
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::IMAGE_LAYER_MEDIA_TYPE;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use provider_archive::ProviderArchive;

const LAYER: &str = "application/vnd.wasmcloud.provider.archive.layer.v1+par";
const CONFIG: &str = "application/vnd.wasmcloud.provider.archive.config";

#[derive(clap::Subcommand)]
pub enum Peer {
    /// Packs executables in one pass
    Create {
        destination: PathBuf,
        /// TARGET=PATH
        binaries: Vec<String>,
    },
    /// Loads an archive with all its executables
    Load { archive: PathBuf },
    /// Loads an archive, then pushes it
    Push { reference: String, archive: PathBuf },
    /// Pulls an archive, loads it, then writes it
    Pull {
        reference: String,
        destination: PathBuf,
    },
    /// Fetches the executable for this machine, as wasmCloud's host does
    #[cfg(feature = "host")]
    Fetch { reference: String },
}

impl Peer {
    pub fn run(self) -> anyhow::Result<()> {
        // The client needs a TLS provider that is installed for the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            match self {
                Self::Create {
                    destination,
                    binaries,
                } => create(destination, binaries).await,
                Self::Load { archive } => load(archive).await,
                Self::Push { reference, archive } => push(&reference, archive).await,
                Self::Pull {
                    reference,
                    destination,
                } => pull(&reference, destination).await,
                #[cfg(feature = "host")]
                Self::Fetch { reference } => fetch(&reference).await,
            }
        })
    }
}

async fn create(destination: PathBuf, binaries: Vec<String>) -> anyhow::Result<()> {
    let mut archive = ProviderArchive::new("Provider", "Example", Some(1), Some("1.0.0".into()));
    for binary in binaries {
        let (target, path) = binary.split_once('=').context("TARGET=PATH")?;
        archive
            .add_library(target, &std::fs::read(path)?)
            .map_err(|error| anyhow!(error))?;
    }
    let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
    archive
        .write(&destination, &issuer, &subject, true)
        .await
        .map_err(|error| anyhow!(error))
}

async fn load(archive: PathBuf) -> anyhow::Result<()> {
    let loaded = ProviderArchive::try_load_file(archive).await;
    loaded.map(drop).map_err(|error| anyhow!(error))
}

fn client() -> Client {
    Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    })
}

async fn push(reference: &str, archive: PathBuf) -> anyhow::Result<()> {
    let bytes = std::fs::read(archive)?;
    ProviderArchive::try_load(&bytes)
        .await
        .map_err(|error| anyhow!(error))?;
    let layer = ImageLayer::new(bytes, LAYER.to_owned(), None);
    let config = Config::new(b"{}".to_vec(), CONFIG.to_owned(), None);
    let reference: Reference = reference.parse()?;
    let (auth, layers) = (RegistryAuth::Anonymous, [layer]);
    client()
        .push(&reference, &layers, config, &auth, None)
        .await?;
    Ok(())
}

async fn pull(reference: &str, destination: PathBuf) -> anyhow::Result<()> {
    let accepted = vec![LAYER, IMAGE_LAYER_MEDIA_TYPE];
    let image = client()
        .pull(&reference.parse()?, &RegistryAuth::Anonymous, accepted)
        .await?;
    let bytes: Vec<u8> = image
        .layers
        .into_iter()
        .flat_map(|layer| layer.data)
        .collect();
    ProviderArchive::try_load(&bytes)
        .await
        .map_err(|error| anyhow!(error))?;
    std::fs::write(destination, bytes)?;
    Ok(())
}

#[cfg(feature = "host")]
async fn fetch(reference: &str) -> anyhow::Result<()> {
    use wasmcloud_core::{OciFetcher, RegistryConfig};
    let config = RegistryConfig::builder()
        .reg_type(wasmcloud_core::RegistryType::Oci)
        .allow_insecure(true)
        .build()?;
    let fetcher = OciFetcher::from(config);
    let (path, claims) = fetcher.fetch_provider(reference, "host").await?;
    anyhow::ensure!(claims.is_some(), "an archive without claims");
    println!("{}", path.display());
    Ok(())
}
