use super::arm_version;

/// The attributes that GCC writes for Debian's armhf, with this version.
pub(crate) fn attributes(arch: u8) -> Vec<u8> {
    let mut file = vec![5];
    file.extend(b"7-A\0");
    file.extend([6, arch, 7, 0x41, 8, 1, 9, 2, 10, 4]);
    let mut section = b"aeabi\0\x01".to_vec();
    section.extend((file.len() as u32 + 5).to_le_bytes());
    section.extend(file);
    let mut all = b"A".to_vec();
    all.extend((section.len() as u32 + 4).to_le_bytes());
    all.extend(section);
    all
}

#[test]
fn the_version_of_an_arm_processor_is_read() {
    for (arch, version) in [(2, 4), (4, 5), (6, 6), (9, 6), (10, 7), (14, 8)] {
        assert_eq!(arm_version(&attributes(arch), false), Some(version));
    }
    assert_eq!(arm_version(&attributes(200), false), None);
}

#[test]
fn attributes_that_end_early_give_no_version() {
    let whole = attributes(10);
    for length in 0..whole.len() {
        arm_version(&whole[..length], false);
        arm_version(&whole[..length], true);
    }
    assert_eq!(arm_version(&whole[..12], false), None);
    assert_eq!(arm_version(&whole, true), None);
    assert_eq!(arm_version(&[b'A'; 64], false), None);
}
