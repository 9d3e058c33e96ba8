use super::*;

#[test]
fn a_file_is_no_longer_at_its_path_once_it_is_replaced_or_removed() {
    let directory = tempfile::tempdir().unwrap();
    let [path, other] = ["file", "other"].map(|name| directory.path().join(name));
    fs::write(&path, "content").unwrap();
    fs::write(&other, "content").unwrap();
    let file = File::open(&path).unwrap();
    assert!(is_at(&file, &path).unwrap());
    assert!(!is_at(&file, &other).unwrap());
    fs::rename(&other, &path).unwrap();
    assert!(!is_at(&file, &path).unwrap());
    fs::remove_file(&path).unwrap();
    assert!(!is_at(&file, &path).unwrap());
}
