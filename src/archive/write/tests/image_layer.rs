use std::io::{Cursor, Read};
use std::path::PathBuf;

use flate2::read::GzDecoder;

use super::{LayerEntry, write_image_layer};
use crate::content::Digest;

fn layer(path: &str, content: &[u8], modified: u64) -> (Vec<u8>, Digest) {
    let mut output = Cursor::new(Vec::new());
    let entry = LayerEntry {
        path,
        size: content.len() as u64,
        modified,
    };
    let digest = write_image_layer(content, &entry, &mut output).unwrap();
    (output.into_inner(), digest)
}

#[test]
fn a_layer_holds_the_executable_and_its_directories() {
    let (layer, digest) = layer("opt/provider/run", b"executable", u64::MAX);
    let mut bytes = Vec::new();
    GzDecoder::new(&*layer).read_to_end(&mut bytes).unwrap();
    assert_eq!(Digest::of(&bytes), digest);
    let mut tar = tar::Archive::new(&*bytes);
    let mut found = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let header = entry.header();
        let owner = (header.uid().unwrap(), header.gid().unwrap());
        assert_eq!((owner, header.mtime().unwrap()), ((0, 0), 0o77777777777));
        let path = entry.path().unwrap().into_owned();
        found.push((path, header.mode().unwrap(), content));
    }
    let path = |text: &str| PathBuf::from(text);
    assert_eq!(
        found,
        [
            (path("opt/"), 0o755, String::new()),
            (path("opt/provider/"), 0o755, String::new()),
            (path("opt/provider/run"), 0o555, "executable".to_owned()),
        ]
    );
}

#[test]
fn equal_executables_give_equal_layers() {
    let content = vec![7; 5 << 20];
    assert_eq!(
        layer("provider", &content, 17),
        layer("provider", &content, 17)
    );
    assert_ne!(
        layer("provider", &content, 17),
        layer("provider", &content, 18)
    );
}
