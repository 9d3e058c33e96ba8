use std::fs;
use std::ops::Range;
use std::sync::Barrier;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::content::{Descriptor, ErrorKind, Fetch, ManifestName, Push, Resolve};

use super::super::media_type;
use super::files::{MARKER, create_marker};
use super::{Layout, changes};

async fn read(layout: &Layout, descriptor: &Descriptor, range: Option<Range<u64>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = Fetch::open(layout, descriptor, range).await.unwrap();
    reader.read_to_end(&mut bytes).await.unwrap();
    bytes
}

async fn put(layout: &Layout, media_type: &str, bytes: &'static [u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type, bytes);
    layout
        .put_blob(&descriptor, &Bytes::from_static(bytes))
        .await
        .unwrap();
    descriptor
}

fn index_of(layout: &Layout) -> Value {
    serde_json::from_slice(&fs::read(layout.directory.join("index.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn content_is_read_as_it_was_written_whole_and_in_ranges() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(directory.path().join("new/layout")).unwrap();
    let descriptor = put(&layout, "text/plain", b"content").await;
    assert_eq!(read(&layout, &descriptor, None).await, b"content");
    assert_eq!(read(&layout, &descriptor, Some(3..5)).await, b"te");
    let outside = Fetch::open(&layout, &descriptor, Some(3..8)).await;
    assert_eq!(outside.err().unwrap().kind(), ErrorKind::Usage);
    Layout::open(layout.directory.clone()).unwrap();
}

#[tokio::test]
async fn wrong_content_leaves_no_blob() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(directory.path()).unwrap();
    let descriptor = Descriptor::of("text/plain", b"content");
    for wrong in ["c0ntent", "conten", "contents"] {
        let error = layout
            .put_blob(&descriptor, &Bytes::from(wrong))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotVerified);
    }
    let missing = Fetch::open(&layout, &descriptor, None).await.err().unwrap();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(
        fs::read_dir(directory.path().join("blobs/sha256"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(
        layout
            .resolve(&ManifestName::Tag("none".to_owned()))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_manifest_that_loses_its_tag_is_still_found_by_digest() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(directory.path()).unwrap();
    let first = put(&layout, media_type::OCI_MANIFEST, br#"{"schemaVersion":2}"#).await;
    let second = put(&layout, media_type::OCI_INDEX, br#"{"schemaVersion": 2}"#).await;
    assert_eq!(
        layout
            .resolve(&ManifestName::Digest(first.digest.clone()))
            .await
            .unwrap(),
        first
    );
    layout.tag(&first, "1.0").await.unwrap();
    layout.tag(&second, "1.0").await.unwrap();
    layout.tag(&second, "latest").await.unwrap();
    assert_eq!(
        layout
            .resolve(&ManifestName::Tag("1.0".to_owned()))
            .await
            .unwrap(),
        second
    );
    assert_eq!(
        layout
            .resolve(&ManifestName::Tag("latest".to_owned()))
            .await
            .unwrap(),
        second
    );
    assert_eq!(
        layout
            .resolve(&ManifestName::Digest(first.digest.clone()))
            .await
            .unwrap(),
        first
    );
    assert_eq!(index_of(&layout)["manifests"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn entries_and_annotations_of_other_tools_stay_in_the_index() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(directory.path()).unwrap();
    let manifest = put(&layout, media_type::OCI_MANIFEST, b"{}").await;
    let foreign = json!({
        "schemaVersion": 2, "annotations": {"a": "b"},
        "manifests": [{"mediaType": "x/y", "unknown": 1, "annotations": {"c": "d"}}],
    });
    fs::write(directory.path().join("index.json"), foreign.to_string()).unwrap();
    layout.tag(&manifest, "1.0").await.unwrap();
    let index = index_of(&layout);
    assert_eq!(index["annotations"], foreign["annotations"]);
    assert_eq!(index["manifests"][0], foreign["manifests"][0]);
}

#[tokio::test]
async fn tags_that_are_set_at_the_same_time_are_all_kept() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(directory.path()).unwrap();
    let manifest = put(&layout, media_type::OCI_MANIFEST, b"{}").await;
    let tags = (0..20).map(|number| {
        let (layout, manifest) = (layout.clone(), manifest.clone());
        tokio::spawn(async move { layout.tag(&manifest, &format!("t{number}")).await.unwrap() })
    });
    for tag in tags.collect::<Vec<_>>() {
        tag.await.unwrap();
    }
    assert_eq!(index_of(&layout)["manifests"].as_array().unwrap().len(), 20);
}

#[test]
fn processes_that_create_one_layout_at_the_same_time_keep_all_tags() {
    for _ in 0..20 {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("layout");
        let together = Barrier::new(4);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (directory, together) = (&directory, &together);
                scope.spawn(move || {
                    together.wait();
                    Layout::open_or_create(directory).unwrap();
                    let manifest = Descriptor::of(media_type::OCI_MANIFEST, b"{}");
                    changes::update(directory, &manifest, &format!("t{number}")).unwrap();
                });
            }
        });
        let layout = Layout::open(directory).unwrap();
        assert_eq!(index_of(&layout)["manifests"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn an_existing_marker_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let theirs = r#"{ "imageLayoutVersion": "1.0.0" }"#;
    fs::write(directory.path().join(MARKER), theirs).unwrap();
    create_marker(directory.path()).unwrap();
    assert_eq!(
        fs::read_to_string(directory.path().join(MARKER)).unwrap(),
        theirs
    );
}

#[tokio::test]
async fn damaged_content_is_written_again_and_intact_content_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(directory.path()).unwrap();
    let descriptor = put(&layout, "text/plain", b"content").await;
    fs::write(layout.blob(&descriptor.digest), b"c0ntent").unwrap();
    put(&layout, "text/plain", b"content").await;
    assert_eq!(read(&layout, &descriptor, None).await, b"content");
    // The source is not read when the layout has the content.
    let wrong = Bytes::from_static(b"else");
    layout.put_blob(&descriptor, &wrong).await.unwrap();
    assert_eq!(read(&layout, &descriptor, None).await, b"content");
}

#[test]
fn a_directory_that_is_not_a_layout_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let absent = Layout::open(directory.path().join("absent")).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    assert!(Layout::open(directory.path()).is_err());
    fs::write(directory.path().join("photo.jpg"), "").unwrap();
    assert!(Layout::open_or_create(directory.path()).is_err());
    fs::write(
        directory.path().join(MARKER),
        r#"{"imageLayoutVersion":"2.0.0"}"#,
    )
    .unwrap();
    assert!(
        Layout::open(directory.path())
            .unwrap_err()
            .to_string()
            .contains("1.0.0")
    );
}
