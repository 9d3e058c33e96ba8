//! Trial uploads of content that belongs to no artifact and is deleted again.

use std::collections::BTreeMap;

use bytes::Bytes;
use ring::rand::{SecureRandom, SystemRandom};

use crate::content::{Descriptor, with_causes};
use crate::oci::{Artifact, Probe, media_type};

use super::finding::{Advice, Check, Finding};
use super::ranges;

/// Returns random content. No registry has it already, so deleting it later removes nothing that is in use.
fn content(media_type: &str) -> (Descriptor, Bytes) {
    let mut random = [0; 16];
    // A failure is ignored: without a source of randomness, TLS would have failed before.
    let _ = SystemRandom::new().fill(&mut random);
    let text = format!(
        r#"{{"par doctor":"{}"}}"#,
        data_encoding::HEXLOWER.encode(&random)
    );
    let bytes = Bytes::from(text);
    (Descriptor::of(media_type, &bytes), bytes)
}

/// Tries the requests of a push. `existing` is a blob of the repository.
pub(super) async fn check(
    registry: &Probe,
    existing: Option<Descriptor>,
    findings: &mut Vec<Finding>,
) {
    let (layer, bytes) = content(media_type::PROVIDER_ARCHIVE_LAYER);
    let refusal = match registry.upload_whole(&layer, bytes.clone()).await {
        Ok(refusal) => refusal,
        Err(error) => {
            // The registry may have received the blob in spite of the error.
            let _ = registry.delete(&layer).await;
            findings.push(Finding::failed(Check::Upload, error));
            findings.push(ranges::check(registry, existing.as_ref()).await);
            return;
        }
    };
    findings.push(match &refusal {
        None => Finding::good(Check::Upload, "blobs are accepted in one request"),
        Some(error) => {
            let said = format!(
                "blobs are not accepted in one request: {}",
                with_causes(error)
            );
            Finding::limited(Check::Upload, said).advice(Advice::ChunksSuffice)
        }
    });
    findings.push(chunks(registry, refusal.is_some()).await);
    let sent = match refusal {
        None => Ok(()),
        Some(_) => registry.put(&layer, &bytes).await,
    };
    let blob = existing.as_ref().or(sent.is_ok().then_some(&layer));
    findings.push(ranges::check(registry, blob).await);
    match sent {
        Ok(()) => media_types(registry, layer, findings).await,
        Err(error) => findings.push(Finding::failed(Check::Upload, error)),
    }
}

/// Checks whether blobs are accepted in chunks. `needed` says that they are not accepted in one request.
async fn chunks(registry: &Probe, needed: bool) -> Finding {
    let check = Check::Chunks;
    let (chunk, bytes) = content(media_type::PROVIDER_ARCHIVE_LAYER);
    match registry.upload_chunk(&chunk, bytes).await {
        Ok(true) => Finding::good(check, "blobs are accepted in chunks"),
        Ok(false) => Finding::good(
            check,
            "blobs are accepted in chunks; the trial upload could not be cancelled, and stays until the \
             registry removes it",
        ),
        Err(error) if needed => Finding::failed(check, error),
        Err(error) => {
            let said = format!("blobs are not accepted in chunks: {}", with_causes(&error));
            Finding::limited(check, said).advice(Advice::WholeSuffices)
        }
    }
}

/// Checks whether the manifest of a provider archive is accepted, then deletes everything.
async fn media_types(registry: &Probe, layer: Descriptor, findings: &mut Vec<Finding>) {
    let check = Check::MediaTypes;
    let (config, bytes) = content(media_type::PROVIDER_ARCHIVE_CONFIG);
    let mut pushed = vec![layer.clone()];
    let mut sent = registry.put(&config, &bytes).await;
    if sent.is_ok() {
        pushed.push(config.clone());
        let artifact = Artifact::with_config(config, &layer, None, &BTreeMap::new());
        sent = registry
            .put(artifact.descriptor(), artifact.manifest())
            .await;
        if sent.is_ok() {
            pushed.push(artifact.descriptor().clone());
        }
    }
    findings.push(match sent {
        Ok(()) => Finding::good(check, "manifests of provider archives are accepted"),
        Err(error) => {
            let prefix = "application/vnd.wasmcloud.provider.archive";
            Finding::failed(check, error).advice(Advice::AllowMediaTypes(prefix))
        }
    });
    findings.push(clear_away(registry, pushed).await);
}

/// Deletes the pushed content, the manifest first.
async fn clear_away(registry: &Probe, pushed: Vec<Descriptor>) -> Finding {
    let mut left = Vec::new();
    let mut refusal = None;
    for content in pushed.into_iter().rev() {
        if let Err(error) = registry.delete(&content).await {
            left.push(content.digest.to_string());
            refusal.get_or_insert(error);
        }
    }
    match refusal {
        None => Finding::good(
            Check::Delete,
            "content can be deleted; nothing of the trial is left",
        ),
        Some(error) => {
            let said = format!("content cannot be deleted: {}", with_causes(&error));
            Finding::limited(Check::Delete, said).advice(Advice::CollectGarbage(left))
        }
    }
}
