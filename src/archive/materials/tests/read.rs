use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::read_materials;
use crate::archive::materials::image::images;
use crate::archive::materials::{Ecosystem, Materials, MaterialsError, Package, PackageSource};

const LIST: &str = r#"{"packages":[
    {"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"},
    {"name":"demo","version":"0.3.1","source":"local","dependencies":[0,2],"root":true},
    {"name":"itoa","version":"1.0.19","source":"crates.io","features":["new"]}
],"format":8}"#;

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn put(file: &mut Vec<u8>, numbers: &[u32]) {
    file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put_name(file: &mut Vec<u8>, name: &str, size: usize) {
    let mut name = name.as_bytes().to_vec();
    name.resize(size, 0);
    file.extend(name);
}

/// Returns a Mach-O file for arm64 with one section in one segment, which is loaded to 0x1_0000_0000.
fn mach_o(segment: &str, section: &str, content: &[u8]) -> Vec<u8> {
    const START: u32 = 32 + 72 + 80;
    let size = u32::try_from(content.len()).unwrap();
    let mut file = Vec::new();
    put(
        &mut file,
        &[0xfeed_facf, 0x0100_000c, 0, 2, 1, 72 + 80, 0, 0],
    );
    put(&mut file, &[0x19, 72 + 80]);
    put_name(&mut file, segment, 16);
    put(&mut file, &[0, 1, size, 0, START, 0, size, 0, 3, 3, 1, 0]);
    put_name(&mut file, section, 16);
    put_name(&mut file, segment, 16);
    put(&mut file, &[0, 1, size, 0, START, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(file.len(), START as usize);
    file.extend(content);
    file
}

/// Returns a universal Mach-O file with these programs.
fn universal(programs: &[Vec<u8>]) -> Vec<u8> {
    let mut file = 0xcafe_babe_u32.to_be_bytes().to_vec();
    file.extend(u32::try_from(programs.len()).unwrap().to_be_bytes());
    for (index, program) in programs.iter().enumerate() {
        let size = u32::try_from(program.len()).unwrap();
        let offset = 4096 * (u32::try_from(index).unwrap() + 1);
        let numbers = [0x0100_000c, 0, offset, size, 12];
        file.extend(numbers.iter().flat_map(|number: &u32| number.to_be_bytes()));
    }
    for (index, program) in programs.iter().enumerate() {
        file.resize(4096 * (index + 1), 0);
        file.extend(program);
    }
    file
}

/// Returns an ELF file for x86-64 with one segment, whose data begins at `offset`.
fn elf(offset: u64) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    put(&mut file, &[0x003e_0002, 1, 0, 0, 64, 0, 0, 0, 0]);
    put(&mut file, &[0x0038_0040, 0x0040_0001, 0]);
    put(&mut file, &[1, 6]);
    let numbers = [offset, 0x1000, 0x1000, 4096, 4096, 8];
    file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    file
}

/// Returns a PE file for x86-64 with one section.
fn pe(section: &str, flags: u32, content: &[u8]) -> Vec<u8> {
    const START: u32 = 512;
    let size = u32::try_from(content.len()).unwrap();
    let mut file = b"MZ".to_vec();
    file.resize(60, 0);
    put(&mut file, &[64]);
    file.extend(b"PE\0\0");
    put(&mut file, &[0x0001_8664, 0, 0, 0, 0x0022_00f0]);
    let optional = file.len();
    put(&mut file, &[0x20b, 0, 0, 0, 0, 0, 0x4000_0000, 1]);
    file.resize(optional + 108, 0);
    put(&mut file, &[16]);
    file.resize(optional + 0xf0, 0);
    put_name(&mut file, section, 8);
    put(&mut file, &[size, 0x1000, size, START, 0, 0, 0, flags]);
    file.resize(START as usize, 0);
    file.extend(content);
    file
}

/// Returns build information as Go has written it since version 1.18.
fn go_inline(version: &str, modules: &str) -> Vec<u8> {
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    let framed = format!("0123456789abcdef{modules}0123456789abcdef");
    for text in [version, &framed] {
        let mut length = text.len();
        while length > 0x7f {
            info.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        info.push(length as u8);
        info.extend(text.as_bytes());
    }
    info
}

/// Returns the names and versions of the packages.
fn names(materials: &Materials) -> Vec<String> {
    let name = |package: &Package| {
        format!(
            "{} {}",
            package.name,
            package.version.as_deref().unwrap_or("-")
        )
    };
    materials.packages.iter().map(name).collect()
}

fn read(file: Vec<u8>) -> Result<Vec<Materials>, MaterialsError> {
    read_materials(&mut Cursor::new(file))
}

#[test]
fn crates_are_read_from_mach_o_and_pe_files() {
    let list = zlib(LIST.as_bytes());
    let files = [
        mach_o("__DATA", ".dep-v0", &list),
        pe(".dep-v0", 0x4000_0040, &list),
    ];
    for file in files {
        let found = read(file).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(names(&found[0]), ["cc 1.2.0", "demo 0.3.1", "itoa 1.0.19"]);
        assert_eq!(found[0].root, Some(1));
        let [cc, demo, itoa] = &found[0].packages[..] else {
            panic!("{found:?}");
        };
        assert_eq!((cc.build_only, itoa.build_only), (true, false));
        assert_eq!(demo.dependencies, [0, 2]);
        assert_eq!(demo.source, PackageSource::Other("local".to_owned()));
        assert_eq!(
            (cc.ecosystem, &cc.source),
            (Ecosystem::Cargo, &PackageSource::Public)
        );
    }
}

#[test]
fn each_program_of_a_universal_file_is_read() {
    let list = zlib(LIST.as_bytes());
    let modules = "path\texample.com/a\nmod\texample.com/a\tv1.0.0\t\n";
    let found = read(universal(&[
        mach_o("__DATA", ".dep-v0", &list),
        mach_o("__DATA", "__go_buildinfo", &{
            // The section begins at a multiple of 16 after the header.
            let mut info = vec![0; 8];
            info.extend(go_inline("go1.22.2", modules));
            info
        }),
    ]));
    let found = found.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(names(&found[1]), ["example.com/a v1.0.0", "stdlib 1.22.2"]);
}

#[test]
fn go_modules_are_read_with_their_replacements() {
    let modules = "path\texample.com/a/cmd\nmod\texample.com/a\t(devel)\t\n\
                   dep\texample.com/b\tv1.1.0\th1:x=\n=>\texample.com/fork\tv1.2.0\th1:y=\n\
                   dep\texample.com/c\tv0.1.0\n=>\t../c\t\nbuild\tCGO_ENABLED=0\n";
    let data = go_inline("go1.21.0 X:boringcrypto", modules);
    let found = read(pe(".data", 0xc000_0040, &data)).unwrap();
    let expected = [
        "example.com/a -",
        "example.com/fork v1.2.0",
        "example.com/c -",
        "stdlib 1.21.0",
    ];
    assert_eq!(names(&found[0]), expected);
    let [main, fork, local, _] = &found[0].packages[..] else {
        panic!("{found:?}");
    };
    assert_eq!(main.dependencies, [1, 2, 3]);
    assert_eq!(fork.source, PackageSource::Public);
    assert_eq!(local.source, PackageSource::Other("local".to_owned()));
}

#[test]
fn a_go_program_without_modules_has_the_standard_library() {
    let found = read(pe(".data", 0xc000_0040, &go_inline("go1.20", ""))).unwrap();
    assert_eq!(names(&found[0]), ["stdlib 1.20"]);
    assert_eq!(found[0].root, None);
}

#[test]
fn files_without_records_have_none() {
    for file in [
        Vec::new(),
        b"#!/bin/sh\n".to_vec(),
        b"\x7fELF\x02\x01\x01 and no more".to_vec(),
        pe(".data", 0xc000_0040, &[7; 100]),
        mach_o("__DATA", "__data", &[7; 100]),
        // The section must be in the segment `__DATA`.
        mach_o("__TEXT", ".dep-v0", &zlib(LIST.as_bytes())),
    ] {
        assert_eq!(read(file).unwrap(), []);
    }
}

/// Seeking to most of these offsets is an error of the system.
#[test]
fn a_segment_beyond_the_end_of_the_file_has_no_records() {
    for offset in [1 << 20, 1 << 62, 1 << 63, u64::MAX] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&elf(offset)).unwrap();
        let images = images(&mut file);
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].regions[0].span.offset, offset);
        assert_eq!(read_materials(&mut file).unwrap(), []);
    }
}

#[test]
fn damaged_records_are_errors() {
    let section = |content: &[u8]| read(pe(".dep-v0", 0x4000_0040, content)).unwrap_err();
    let error = section(b"not zlib");
    assert!(matches!(error, MaterialsError::Inflate(_)), "{error:?}");
    let list = zlib(LIST.as_bytes());
    let error = section(&list[..list.len() / 2]);
    assert!(matches!(error, MaterialsError::Inflate(_)), "{error:?}");
    let error = section(&zlib(b"{}"));
    assert!(matches!(error, MaterialsError::Json(_)), "{error:?}");
    let error = section(&zlib(LIST.replace("[0,2]", "[0,3]").as_bytes()));
    assert_eq!(
        error.to_string(),
        "the list of crates in the section `.dep-v0` has 3 crates, but names a dependency with the number 3"
    );
    let go = |content: &[u8]| read(mach_o("__DATA", "__go_buildinfo", content)).unwrap_err();
    let mut info = vec![0; 8];
    info.extend(go_inline("go1.22.2", "mod\ta\tv1\n"));
    // Eight bytes of padding, and the mark.
    for end in [24, 30, 42, 50] {
        let error = go(&info[..end]);
        assert!(matches!(error, MaterialsError::Go(_)), "{end}: {error:?}");
    }
}

#[test]
fn a_list_that_inflates_to_more_than_the_limit_is_refused() {
    let list = zlib(&vec![b' '; (8 << 20) + 1]);
    let error = read(pe(".dep-v0", 0x4000_0040, &list)).unwrap_err();
    assert!(
        matches!(error, MaterialsError::TooLarge { .. }),
        "{error:?}"
    );
    let list = zlib(&[&vec![b' '; (8 << 20) - LIST.len()], LIST.as_bytes()].concat());
    assert_eq!(read(pe(".dep-v0", 0x4000_0040, &list)).unwrap().len(), 1);
}

#[test]
fn truncated_and_changed_files_do_not_panic() {
    let list = zlib(LIST.as_bytes());
    let info = go_inline("go1.22.2", "path\ta\nmod\ta\tv1\t\ndep\tb\tv2\t\n");
    for file in [
        mach_o("__DATA", ".dep-v0", &list),
        universal(&[mach_o("__DATA", ".dep-v0", &list)]),
        pe(".data", 0xc000_0040, &info),
    ] {
        for end in 0..file.len() {
            let _ = read(file[..end].to_vec());
        }
        // The headers of the file.
        for index in 0..file.len().min(600) {
            for byte in [0, 0xff] {
                let mut changed = file.clone();
                changed[index] = byte;
                let _ = read(changed);
            }
        }
    }
}
