use super::*;

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn leftovers_are_removed_and_files_in_use_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in [
        ".par-abc123.partial",
        ".par-used00.partial",
        ".par-note",
        ".par-abc.partial",
        "x",
    ] {
        fs::write(path(name), "").unwrap();
    }
    for name in [
        ".par-abcdef.unpacked",
        ".par-usedir.unpacked",
        ".par-dirdir.partial",
        ".par-backup",
    ] {
        fs::create_dir(path(name)).unwrap();
        fs::write(path(name).join("file"), "").unwrap();
    }
    let used =
        [".par-used00.partial", ".par-usedir.unpacked"].map(|name| File::open(path(name)).unwrap());
    for file in &used {
        file.try_lock().unwrap();
    }
    remove_leftovers(directory.path());
    let kept = [
        ".par-abc.partial",
        ".par-backup",
        ".par-dirdir.partial",
        ".par-note",
        ".par-used00.partial",
        ".par-usedir.unpacked",
        "x",
    ];
    assert_eq!(names(directory.path()), kept);
}
