//! Manifests of any kind: reading one, and what it names.

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, Source, VerifyReader};

use super::MANIFEST_LIMIT;
use super::error::Error;

/// How much content one manifest may name.
const CHILDREN_LIMIT: usize = 1000;

/// The bytes of a manifest, verified.
pub(crate) async fn read_manifest(
    content: &Descriptor,
    source: &dyn Source,
) -> Result<Bytes, Error> {
    let what = || format!("manifest {}", content.digest);
    if content.size > MANIFEST_LIMIT {
        return Err(Error::TooLarge {
            what: what(),
            limit: MANIFEST_LIMIT,
        });
    }
    let mut reader = VerifyReader::new(source.open(0).await?, content);
    let mut bytes = Vec::new();
    let verified = async {
        reader.read_to_end(&mut bytes).await?;
        reader.finish_async().await
    };
    verified.await.map_err(|error| match error.downcast() {
        Ok(source) => Error::NotVerified {
            what: what(),
            source,
        },
        Err(source) => Error::SourceFailed {
            what: what(),
            source,
        },
    })?;
    Ok(bytes.into())
}

/// Everything that the manifest `bytes` names: its config and layers, or the manifests of an index. What a
/// manifest is about (`subject`) is no part of it.
pub(crate) fn children(content: &Descriptor, bytes: &[u8]) -> Result<Vec<Descriptor>, Error> {
    let what = || format!("manifest {}", content.digest);
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|source| Error::Json {
        what: what(),
        source,
    })?;
    let Manifest {
        config,
        layers,
        manifests,
    } = manifest;
    let children: Vec<_> = config.into_iter().chain(layers).chain(manifests).collect();
    if children.len() > CHILDREN_LIMIT {
        return Err(Error::Malformed {
            what: what(),
            reason: format!("it names more than {CHILDREN_LIMIT} other contents"),
        });
    }
    Ok(children)
}

/// As much of a manifest or an index as says what belongs to it.
#[derive(Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn children_of(manifest: &Value) -> Result<Vec<Descriptor>, Error> {
        let bytes = manifest.to_string();
        children(&Descriptor::of("", bytes.as_bytes()), bytes.as_bytes())
    }

    #[test]
    fn a_manifest_names_its_config_and_layers_and_an_index_its_manifests() {
        let [one, two, three] =
            ["one", "two", "three"].map(|text| Descriptor::of(text, text.as_bytes()));
        let subject = Descriptor::of("subject", b"subject");
        let manifest = json!({ "config": one, "layers": [two, three], "subject": subject });
        let all = [one, two.clone(), three.clone()];
        assert_eq!(children_of(&manifest).unwrap(), all);
        let index = json!({ "manifests": [two, three] });
        assert_eq!(children_of(&index).unwrap(), [two, three]);
        assert_eq!(children_of(&json!({})).unwrap(), []);
    }

    #[test]
    fn what_names_too_much_or_no_digest_is_refused() {
        let one = Descriptor::of("one", b"one");
        let many = json!({ "layers": vec![one; CHILDREN_LIMIT + 1] });
        assert!(matches!(children_of(&many), Err(Error::Malformed { .. })));
        let nameless =
            json!({ "layers": [{ "mediaType": "a", "digest": "../../etc", "size": 1 }] });
        assert!(matches!(children_of(&nameless), Err(Error::Json { .. })));
    }
}
