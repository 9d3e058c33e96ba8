use super::*;

#[test]
fn executables_for_windows_get_their_extension() {
    let name = |target: &str| file_name("echo", &target.parse().unwrap());
    assert_eq!(name("x86_64-windows"), "echo-x86_64-windows.exe");
    assert_eq!(name("aarch64-linux"), "echo-aarch64-linux");
}
