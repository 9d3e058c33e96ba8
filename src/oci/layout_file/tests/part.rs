use std::fs;
use std::path::Path;

use super::*;
use crate::content::Referrers;
use crate::oci::{ReadLayout, media_type};

use super::super::file::LayoutFile;

/// Stores a blob, a manifest under `tag`, and a referrer of the manifest.
async fn put(part: &LayoutFilePart, tag: &str) -> (Descriptor, Descriptor) {
    let blob = Bytes::from(format!("the blob of {tag}"));
    let layer = Descriptor::of("text/plain", &blob);
    part.put_blob(&layer, &blob).await.unwrap();
    let kind = media_type::OCI_MANIFEST;
    let text = format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","n":"{tag}"}}"#);
    let manifest = Descriptor::of(kind, text.as_bytes());
    let bytes = Bytes::from(text);
    part.put_manifest(&manifest, &bytes, Some(tag))
        .await
        .unwrap();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","artifactType":"a/b","subject":{{"digest":"{}"}}}}"#,
        manifest.digest
    );
    let referrer = Descriptor::of(kind, text.as_bytes());
    let bytes = Bytes::from(text);
    part.put_manifest(&referrer, &bytes, None).await.unwrap();
    (manifest, layer)
}

/// Returns the tags of the file, without those of lists of referrers.
async fn tags(path: &Path) -> Vec<String> {
    let mut tags = LayoutFile::open(path).unwrap().tags().await.unwrap();
    tags.retain(|tag| !tag.starts_with("sha256-"));
    tags
}

/// Opens the layout for writing, and starts `N` parts.
async fn parts<const N: usize>(path: &Path) -> (Arc<LayoutFileWriter>, [LayoutFilePart; N]) {
    let writer = LayoutFileWriter::open_or_create(path).await.unwrap();
    let writer = Arc::new(writer);
    let parts = std::array::from_fn(|_| LayoutFilePart::new(Arc::clone(&writer)));
    (writer, parts)
}

#[tokio::test]
async fn the_file_has_a_finished_part_and_nothing_of_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let (writer, [first, second]) = parts(&path).await;
    let (manifest, layer) = put(&first, "first").await;
    let (other, other_layer) = put(&second, "second").await;
    // A part finds what it has stored. The tag is its own until it has finished.
    assert_eq!(first.tagged("first").await.unwrap().unwrap(), manifest);
    assert_eq!(writer.tagged("first").await.unwrap(), None);
    assert_eq!(second.tagged("first").await.unwrap(), None);
    let name = ManifestName::Tag("first".to_owned());
    assert_eq!(first.fetch_manifest(&name).await.unwrap().0, manifest);
    first.finish().await.unwrap();
    assert_eq!(second.tagged("first").await.unwrap().unwrap(), manifest);
    drop(second);
    writer.finish().await.unwrap();
    let file = LayoutFile::open(&path).unwrap();
    assert_eq!(file.resolve(&name).await.unwrap(), manifest);
    file.open(&layer, None).await.unwrap();
    assert_eq!(
        file.referrers(&manifest.digest, None).await.unwrap().len(),
        1
    );
    for digest in [&other, &other_layer].map(|content| &content.digest) {
        assert_eq!(file.blob_size(digest), None);
    }
    let of_other = file.referrers(&other.digest, None).await.unwrap();
    assert!(of_other.is_empty());
    // Only what the file does not have stays for the next session.
    let staged = directory
        .path()
        .join("image.tar.partial/layout/blobs/sha256");
    let has = |content: &Descriptor| staged.join(content.digest.hex()).exists();
    drop(writer);
    assert!(has(&other) && has(&other_layer) && !has(&manifest) && !has(&layer));

    let (writer, [again]) = parts(&path).await;
    let blob = Bytes::from("the blob of second");
    let stored = again.put_blob(&other_layer, &blob).await.unwrap();
    assert_eq!(stored, Stored::existing(other_layer.size));
    put(&again, "second").await;
    again.finish().await.unwrap();
    writer.finish().await.unwrap();
    drop((writer, again));
    assert_eq!(tags(&path).await, ["first", "second"]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn no_file_is_written_without_a_finished_part() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let (writer, [part]) = parts(&path).await;
    put(&part, "only").await;
    drop(part);
    writer.finish().await.unwrap();
    assert!(!path.exists());
    // A finished part has all of its content, even if a part that was dropped has stored it before.
    let (writer, [first, second]) = parts(&path).await;
    put(&first, "only").await;
    drop(first);
    put(&second, "only").await;
    second.finish().await.unwrap();
    writer.finish().await.unwrap();
    drop((writer, second));
    assert_eq!(tags(&path).await, ["only"]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}
