//! Archives that the `provider-archive` crate writes.

use std::path::{Path, PathBuf};

use nkeys::KeyPair;
use serde_json::Value;

use super::{LINUX, MACOS, VENDOR};

/// What the archive contains besides its executables.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeerArchive {
    pub(crate) compress: bool,
    pub(crate) world: Option<Vec<u8>>,
    pub(crate) schema: Option<Value>,
}

impl PeerArchive {
    /// Returns all combinations: plain and compressed, with and without a world and a schema.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for compress in [false, true] {
            for world in [None, Some(b"world in any bytes".to_vec())] {
                for schema in [None, Some(serde_json::json!({"type": "object"}))] {
                    let world = world.clone();
                    all.push(Self {
                        compress,
                        world,
                        schema,
                    });
                }
            }
        }
        all
    }
}

/// Writes an archive of [`LINUX`] and [`MACOS`] through `provider-archive` 0.16 into `directory`.
pub(crate) async fn peer_archive(
    directory: &Path,
    what: &PeerArchive,
    issuer: &KeyPair,
    subject: &KeyPair,
) -> PathBuf {
    let version = Some("1.2.3".to_owned());
    let mut archive =
        provider_archive::ProviderArchive::new("Test Provider", VENDOR, Some(7), version);
    for (target, executable) in [LINUX, MACOS] {
        archive.add_library(target, executable).unwrap();
    }
    if let Some(world) = &what.world {
        archive.add_wit_world(world).unwrap();
    }
    if let Some(schema) = &what.schema {
        archive.set_schema(schema.clone()).unwrap();
    }
    // That crate appends `.gz` when it is missing.
    let path = directory.join(if what.compress {
        "peer.par.gz"
    } else {
        "peer.par"
    });
    archive
        .write(&path, issuer, subject, what.compress)
        .await
        .unwrap();
    path
}
