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

#[cfg(unix)]
#[test]
fn pipes_and_links_are_refused_without_waiting() {
    use std::os::unix::fs::symlink;

    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (file, link, pipe) = (path("file"), path("link"), path("pipe"));
    fs::write(&file, "content").unwrap();
    symlink(&file, &link).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let open = |path: &Path| open_itself(OpenOptions::new().read(true).write(true), path);
    for refused in [&pipe, &link, directory.path()] {
        assert!(open(refused).is_err(), "{refused:?}");
    }
    open(&file).unwrap();
    open_itself(OpenOptions::new().read(true), &pipe).unwrap_err();
    open_regular(&pipe).unwrap_err();
    assert!(!is_at(&File::open(&file).unwrap(), &pipe).unwrap());

    open_unless_pipe(&pipe).unwrap_err();
    for accepted in [&file, &link, Path::new("/dev/null")] {
        open_unless_pipe(accepted).unwrap();
    }
}
