use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::AsyncReadExt;

use super::*;

use super::super::super::media_type;

/// A manifest that is different for each `number`, and a blob.
fn content(number: usize) -> (Descriptor, Bytes, Descriptor, Bytes) {
    let blob = Bytes::from(format!("blob {number}"));
    let manifest = Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","n":{number}}}"#,
        media_type::OCI_MANIFEST
    ));
    (
        Descriptor::of(media_type::OCI_MANIFEST, &manifest),
        manifest,
        Descriptor::of("text/plain", &blob),
        blob,
    )
}

async fn put(writer: &LayoutFileWriter, number: usize, tag: &str) -> Descriptor {
    let (manifest, bytes, blob, content) = content(number);
    writer.put_blob(&blob, &content).await.unwrap();
    writer
        .put_manifest(&manifest, &bytes, Some(tag))
        .await
        .unwrap();
    manifest
}

async fn write(path: &Path, numbers: &[usize]) {
    let writer = LayoutFileWriter::open_or_create(path).await.unwrap();
    for number in numbers {
        put(&writer, *number, &format!("t{number}")).await;
    }
    writer.finish().await.unwrap();
}

/// Returns the tags of the layout. Asserts that each tag names the manifest of its number, and that its blob exists.
async fn tags(path: &Path) -> Vec<String> {
    let file = LayoutFile::open(path).unwrap();
    let tags = file.tags().await.unwrap();
    for tag in &tags {
        let number = tag.trim_start_matches('t').parse().unwrap();
        let (manifest, bytes, blob, content) = content(number);
        let found = file.fetch_manifest(&ManifestName::Tag(tag.clone())).await;
        assert_eq!(found.unwrap(), (manifest, bytes));
        let mut read = Vec::new();
        let mut reader = file.open(&blob, None).await.unwrap();
        reader.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, content);
        let mut part = String::new();
        let mut reader = file.open(&blob, Some(1..4)).await.unwrap();
        reader.read_to_string(&mut part).await.unwrap();
        assert_eq!(part, "lob");
    }
    tags
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().display().to_string());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    (directory, path)
}

#[tokio::test]
async fn equal_content_gives_equal_bytes_in_any_order() {
    let (directory, one) = place();
    let two = directory.path().join("two.tar");
    write(&one, &[1, 2, 3]).await;
    write(&two, &[3, 1, 2]).await;
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    assert_eq!(tags(&one).await, ["t1", "t2", "t3"]);
    assert_eq!(names(directory.path()), ["image.tar", "two.tar"]);
}

#[tokio::test]
async fn what_is_in_the_file_stays_and_is_not_written_again() {
    let (directory, path) = place();
    write(&path, &[1]).await;
    write(&path, &[2]).await;
    assert_eq!(tags(&path).await, ["t1", "t2"]);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    write(&path, &[1, 2]).await;
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    let writer = LayoutFileWriter::open(&path).await.unwrap();
    let (_, _, blob, bytes) = content(1);
    let stored = writer.put_blob(&blob, &bytes).await.unwrap();
    assert_eq!(stored, Stored::existing(blob.size));
    drop(writer);
    assert_eq!(names(directory.path()), ["image.tar"]);
}

#[tokio::test]
async fn nothing_is_visible_before_the_end_and_another_session_continues() {
    let (directory, path) = place();
    write(&path, &[1]).await;
    let before = fs::read(&path).unwrap();
    let writer = LayoutFileWriter::open(&path).await.unwrap();
    let manifest = put(&writer, 2, "t2").await;
    // The writer itself finds both manifests.
    for tag in ["t1", "t2"] {
        assert!(writer.tagged(tag).await.unwrap().is_some(), "{tag}");
        let name = ManifestName::Tag(tag.to_owned());
        writer.fetch_manifest(&name).await.unwrap();
    }
    let name = ManifestName::Digest(manifest.digest.clone());
    assert_eq!(writer.resolve(&name).await.unwrap(), manifest);
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(directory.path()), ["image.tar", "image.tar.partial"]);

    let writer = LayoutFileWriter::open(&path).await.unwrap();
    let (_, _, blob, bytes) = content(2);
    let stored = writer.put_blob(&blob, &bytes).await.unwrap();
    assert_eq!(stored, Stored::existing(blob.size));
    // The manifest that only the interrupted session has tagged is not listed.
    put(&writer, 3, "t3").await;
    writer.finish().await.unwrap();
    assert_eq!(tags(&path).await, ["t1", "t3"]);
    let file = LayoutFile::open(&path).unwrap();
    assert!(file.resolve(&name).await.is_err());
    assert_eq!(names(directory.path()), ["image.tar"]);
}

#[tokio::test]
async fn a_damaged_blob_that_was_left_behind_is_stored_again() {
    let (_directory, path) = place();
    let writer = LayoutFileWriter::open_or_create(&path).await.unwrap();
    put(&writer, 1, "t1").await;
    drop(writer);
    let (_, _, blob, _) = content(1);
    let left = path.with_file_name("image.tar.partial/layout/blobs/sha256");
    fs::write(left.join(blob.digest.hex()), "BLOB 1").unwrap();
    write(&path, &[1]).await;
    assert_eq!(tags(&path).await, ["t1"]);
}

#[tokio::test]
async fn what_was_left_behind_is_discarded_if_it_is_not_a_layout() {
    let (directory, path) = place();
    for marker in ["", "{", r#"{"imageLayoutVersion":"2.0.0"}"#] {
        let writer = LayoutFileWriter::open_or_create(&path).await.unwrap();
        put(&writer, 1, "t1").await;
        drop(writer);
        let left = path.with_file_name("image.tar.partial/layout");
        fs::write(left.join("oci-layout"), marker).unwrap();
        write(&path, &[1]).await;
        assert_eq!(tags(&path).await, ["t1"], "{marker}");
        assert_eq!(names(directory.path()), ["image.tar"]);
        fs::remove_file(&path).unwrap();
    }
    let left = path.with_file_name("image.tar.partial");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("layout"), "a file").unwrap();
    write(&path, &[1]).await;
    assert_eq!(tags(&path).await, ["t1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_wait_for_each_other_and_none_is_lost() {
    let (directory, path) = place();
    let path = Arc::new(path);
    let writers = (0..6).map(|number| {
        let path = Arc::clone(&path);
        tokio::spawn(async move { write(&path, &[number]).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(tags(&path).await, ["t0", "t1", "t2", "t3", "t4", "t5"]);
    assert_eq!(names(directory.path()), ["image.tar"]);
}

#[tokio::test]
async fn a_file_that_is_no_layout_is_not_replaced() {
    let (directory, path) = place();
    fs::write(&path, "precious").unwrap();
    assert!(LayoutFileWriter::open_or_create(&path).await.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert_eq!(names(directory.path()), ["image.tar"]);
    // An empty file only reserves the name.
    fs::write(&path, "").unwrap();
    write(&path, &[1]).await;
    assert_eq!(tags(&path).await, ["t1"]);
}

#[tokio::test]
async fn names_are_taken_and_manifests_are_listed_without_one() {
    let (_directory, path) = place();
    write(&path, &[1]).await;
    let writer = LayoutFileWriter::open(&path).await.unwrap();
    let (manifest, bytes, ..) = content(2);
    assert!(writer.list(&manifest).await.is_err());
    writer.put_manifest(&manifest, &bytes, None).await.unwrap();
    writer.list(&manifest).await.unwrap();
    writer.untag("t1").await.unwrap();
    writer.finish().await.unwrap();
    let file = LayoutFile::open(&path).unwrap();
    assert!(file.tags().await.unwrap().is_empty());
    for number in [1, 2] {
        let (manifest, ..) = content(number);
        let name = ManifestName::Digest(manifest.digest.clone());
        assert_eq!(file.resolve(&name).await.unwrap(), manifest);
    }
    let never = ManifestName::Digest(Digest::of(b"never"));
    assert!(file.resolve(&never).await.is_err());
}

#[tokio::test]
async fn a_file_that_changes_is_not_read_on() {
    let (directory, path) = place();
    write(&path, &[1]).await;
    let file = LayoutFile::open(&path).unwrap();
    write(&path, &[2]).await;
    let (_, _, blob, _) = content(1);
    let error = file.open(&blob, None).await.err().unwrap();
    let causes = crate::content::with_causes(&error);
    assert!(
        causes.contains("changed while it was being read"),
        "{causes}"
    );
    drop(directory);
}

/// Returns a manifest whose subject is `subject`.
fn referrer(subject: &Descriptor, number: usize) -> (Descriptor, Bytes) {
    let bytes = Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"a/{number}","subject":{{"digest":"{}"}}}}"#,
        media_type::OCI_MANIFEST,
        subject.digest
    ));
    (Descriptor::of(media_type::OCI_MANIFEST, &bytes), bytes)
}

async fn write_referrers(path: &Path, numbers: &[usize]) {
    let writer = LayoutFileWriter::open_or_create(path).await.unwrap();
    let subject = put(&writer, 1, "t1").await;
    for number in numbers {
        let (descriptor, bytes) = referrer(&subject, *number);
        writer
            .put_manifest(&descriptor, &bytes, None)
            .await
            .unwrap();
    }
    // The referrers are found before they are on the list.
    let found = writer.referrers(&subject.digest, None).await.unwrap();
    assert!(found.len() >= numbers.len(), "{found:?}");
    writer.finish().await.unwrap();
}

/// Returns the types of the referrers of the first manifest, sorted.
async fn referrers(path: &Path, artifact_type: Option<&str>) -> Vec<String> {
    let file = LayoutFile::open(path).unwrap();
    let (subject, ..) = content(1);
    let found = file.referrers(&subject.digest, artifact_type).await;
    let found = found.unwrap().into_iter();
    let mut types: Vec<_> = found.map(|found| found.artifact_type.unwrap()).collect();
    types.sort();
    types
}

#[tokio::test]
async fn referrers_are_listed_beside_those_of_the_file_in_any_order() {
    let (directory, one) = place();
    let two = directory.path().join("two.tar");
    write_referrers(&one, &[1, 2, 3]).await;
    write_referrers(&two, &[3, 1, 2]).await;
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    assert_eq!(referrers(&one, None).await, ["a/1", "a/2", "a/3"]);
    assert_eq!(referrers(&one, Some("a/2")).await, ["a/2"]);
    // The referrers do not count as manifests of the layout, so the only manifest is their subject.
    let file = LayoutFile::open(&one).unwrap();
    let (subject, ..) = content(1);
    assert_eq!(file.only().await.unwrap().digest, subject.digest);

    write_referrers(&one, &[4]).await;
    assert_eq!(referrers(&one, None).await, ["a/1", "a/2", "a/3", "a/4"]);
    let before = fs::metadata(&one).unwrap().modified().unwrap();
    write_referrers(&one, &[2, 4]).await;
    assert_eq!(fs::metadata(&one).unwrap().modified().unwrap(), before);
    // There is only one list.
    let lists = LayoutFile::open(&one)
        .unwrap()
        .list()
        .text()
        .matches("sha256-")
        .count();
    assert_eq!(lists, 1);
}

#[tokio::test]
async fn what_an_interrupted_session_has_stored_is_listed_by_the_next_that_stores_it() {
    let (directory, path) = place();
    let writer = LayoutFileWriter::open_or_create(&path).await.unwrap();
    let subject = put(&writer, 1, "t1").await;
    for number in [1, 2] {
        let (descriptor, bytes) = referrer(&subject, number);
        writer
            .put_manifest(&descriptor, &bytes, None)
            .await
            .unwrap();
    }
    drop(writer);
    write_referrers(&path, &[2]).await;
    assert_eq!(referrers(&path, None).await, ["a/2"]);
    assert_eq!(names(directory.path()), ["image.tar"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_referrers_wait_for_each_other_and_none_is_lost() {
    let (_directory, path) = place();
    let path = Arc::new(path);
    let writers = (0..5).map(|number| {
        let path = Arc::clone(&path);
        tokio::spawn(async move { write_referrers(&path, &[number]).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(
        referrers(&path, None).await,
        ["a/0", "a/1", "a/2", "a/3", "a/4"]
    );
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_an_error_and_the_file_stays() {
    let (_directory, path) = place();
    let (subject, ..) = content(1);
    let writer = LayoutFileWriter::open_or_create(&path).await.unwrap();
    put(&writer, 1, "t1").await;
    // This manifest has the tag of a list, but is not a list.
    put(&writer, 2, &subject.digest.to_string().replace(':', "-")).await;
    writer.finish().await.unwrap();
    let before = fs::read(&path).unwrap();
    let file = LayoutFile::open(&path).unwrap();
    let error = file.referrers(&subject.digest, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error}");
    let (descriptor, bytes) = referrer(&subject, 1);
    let writer = LayoutFileWriter::open(&path).await.unwrap();
    writer
        .put_manifest(&descriptor, &bytes, None)
        .await
        .unwrap();
    assert!(writer.finish().await.is_err());
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), before);
}
