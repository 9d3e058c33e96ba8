use std::ops::Range;
use std::sync::Barrier;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::*;
use crate::content::{ErrorKind, Fetch, ManifestName, Push, Resolve};

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

fn index(layout: &Layout) -> Value {
    serde_json::from_slice(&fs::read(layout.directory().join("index.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn content_comes_out_as_it_went_in_whole_and_in_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(folder.path().join("new/layout")).unwrap();
    let descriptor = put(&layout, "text/plain", b"content").await;
    assert!(layout.exists(&descriptor).await.unwrap());
    assert_eq!(read(&layout, &descriptor, None).await, b"content");
    assert_eq!(read(&layout, &descriptor, Some(3..5)).await, b"te");
    let outside = Fetch::open(&layout, &descriptor, Some(3..8)).await;
    assert_eq!(outside.err().unwrap().kind(), ErrorKind::Usage);
    Layout::open(layout.directory()).unwrap();
}

#[tokio::test]
async fn wrong_content_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(folder.path()).unwrap();
    let descriptor = Descriptor::of("text/plain", b"content");
    for wrong in ["c0ntent", "conten", "contents"] {
        let error = layout
            .put_blob(&descriptor, &Bytes::from(wrong))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotVerified);
    }
    assert!(!layout.exists(&descriptor).await.unwrap());
    assert_eq!(
        fs::read_dir(folder.path().join("blobs/sha256"))
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
async fn a_tag_moves_and_what_had_it_is_still_found_by_digest() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(folder.path()).unwrap();
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
    assert_eq!(index(&layout)["manifests"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_other_tools_wrote_into_the_index_stays() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(folder.path()).unwrap();
    let manifest = put(&layout, media_type::OCI_MANIFEST, b"{}").await;
    let foreign = json!({
        "schemaVersion": 2, "annotations": {"a": "b"},
        "manifests": [{"mediaType": "x/y", "unknown": 1, "annotations": {"c": "d"}}],
    });
    fs::write(folder.path().join("index.json"), foreign.to_string()).unwrap();
    layout.tag(&manifest, "1.0").await.unwrap();
    let index = index(&layout);
    assert_eq!(index["annotations"], foreign["annotations"]);
    assert_eq!(index["manifests"][0], foreign["manifests"][0]);
}

#[tokio::test]
async fn tags_set_at_the_same_time_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(folder.path()).unwrap();
    let manifest = put(&layout, media_type::OCI_MANIFEST, b"{}").await;
    let tags = (0..20).map(|number| {
        let (layout, manifest) = (layout.clone(), manifest.clone());
        tokio::spawn(async move { layout.tag(&manifest, &format!("t{number}")).await.unwrap() })
    });
    for tag in tags.collect::<Vec<_>>() {
        tag.await.unwrap();
    }
    assert_eq!(index(&layout)["manifests"].as_array().unwrap().len(), 20);
}

#[test]
fn tags_set_by_those_who_make_the_layout_at_the_same_time_are_all_there() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("layout");
        let together = Barrier::new(4);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (directory, together) = (&directory, &together);
                scope.spawn(move || {
                    together.wait();
                    Layout::open_or_create(directory).unwrap();
                    let manifest = Descriptor::of(media_type::OCI_MANIFEST, b"{}");
                    index::update(directory, &manifest, &format!("t{number}")).unwrap();
                });
            }
        });
        let layout = Layout::open(directory).unwrap();
        assert_eq!(index(&layout)["manifests"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn a_marker_that_is_there_stays_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = r#"{ "imageLayoutVersion": "1.0.0" }"#;
    fs::write(folder.path().join(MARKER), theirs).unwrap();
    mark(folder.path()).unwrap();
    assert_eq!(
        fs::read_to_string(folder.path().join(MARKER)).unwrap(),
        theirs
    );
}

#[tokio::test]
async fn content_that_is_damaged_is_written_anew_and_what_is_not_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(folder.path()).unwrap();
    let descriptor = put(&layout, "text/plain", b"content").await;
    fs::write(layout.blob(&descriptor.digest), b"c0ntent").unwrap();
    put(&layout, "text/plain", b"content").await;
    assert_eq!(read(&layout, &descriptor, None).await, b"content");
    // The source is not asked for what is there.
    let wrong = Bytes::from_static(b"else");
    layout.put_blob(&descriptor, &wrong).await.unwrap();
    assert_eq!(read(&layout, &descriptor, None).await, b"content");
}

#[test]
fn a_folder_that_is_no_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let absent = Layout::open(folder.path().join("absent")).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    assert!(Layout::open(folder.path()).is_err());
    fs::write(folder.path().join("photo.jpg"), "").unwrap();
    assert!(Layout::open_or_create(folder.path()).is_err());
    fs::write(
        folder.path().join(MARKER),
        r#"{"imageLayoutVersion":"2.0.0"}"#,
    )
    .unwrap();
    assert!(
        Layout::open(folder.path())
            .unwrap_err()
            .to_string()
            .contains("1.0.0")
    );
}
