use crate::archive::{
    ArchiveWriter, Compression, Input, Key, KeyKind, Limits, Metadata, Signer, Target, verify,
};
use crate::content::Silent;

use super::*;

fn shown(name: Option<&str>) -> Shown {
    let mut writer = ArchiveWriter::new(Metadata {
        name: name.map(str::to_owned),
        vendor: "Acme".to_owned(),
        revision: Some(3),
        ..Metadata::default()
    });
    writer.executable("x86_64-linux".parse().unwrap(), Input::Bytes("ELF".into()));
    let subject = Key::generate(KeyKind::Service).public_key();
    let signer = Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    writer
        .write(&path, &signer, Compression::None, &Silent)
        .unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let contents = verify(file, &Limits::default()).unwrap();
    Shown {
        attached: None,
        summary: contents.into(),
        size: Some(1),
        manifest: None,
    }
}

#[test]
fn missing_values_are_shown_as_missing() {
    let mut shown = shown(None);
    shown
        .summary
        .absent
        .push(Target::carried("arm-linux").unwrap());
    let text = table(&shown).join("\n");
    assert!(text.starts_with("None - Capability Provider\n"));
    assert!(text.contains("  Version   None\n  Revision  3\n"));
    assert!(text.contains("    x86_64-linux\n    arm-linux (signed for, but absent"));
}

#[test]
fn a_name_cannot_control_the_terminal() {
    let lines = table(&shown(Some("\u{1b}]0;title\u{7}\nAccount  A")));
    let text = Answer::lines(lines).text;
    assert!(text.starts_with(b"\\u{1b}]0;title\\u{7}\\nAccount  A - Capability Provider\n"));
}
