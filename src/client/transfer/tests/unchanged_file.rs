use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::io::AsyncReadExt;

use super::*;

fn file(directory: &tempfile::TempDir) -> PathBuf {
    let path = directory.path().join("file");
    fs::write(&path, "content").unwrap();
    path
}

#[tokio::test]
async fn a_file_is_read_from_any_offset() {
    let directory = tempfile::tempdir().unwrap();
    let file = UnchangedFile::open(&file(&directory)).unwrap();
    for (offset, expected) in [(0, "content"), (3, "tent"), (7, ""), (9, "")] {
        let mut text = String::new();
        let mut reader = Source::open(&file, offset).await.unwrap();
        reader.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, expected);
    }
}

#[test]
fn a_file_that_changed_its_size_or_its_time_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let changes: [fn(&Path); 2] = [
        |path| fs::write(path, "content and more").unwrap(),
        |path| {
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(9))
                .unwrap();
        },
    ];
    for change in changes {
        let path = file(&directory);
        let file = UnchangedFile::open(&path).unwrap();
        file.reader().unwrap();
        change(&path);
        let error = format!("{:?}", file.reader().unwrap_err());
        assert!(error.contains("the file changed"), "{error}");
    }
}
