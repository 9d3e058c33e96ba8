use fastrand::Rng;

use super::*;

fn index() -> Index {
    let entry = |name: &str, offset, size, parts: &[u32]| IndexEntry {
        name: name.to_owned(),
        range: offset..offset + parts.iter().map(|part| u64::from(*part)).sum::<u64>(),
        size,
        parts: parts.to_vec(),
    };
    Index::new(vec![
        entry("claims.jwt", 600, 790, &[800]),
        entry("mips-linux.bin", 1410, 0, &[]),
        entry(
            "x86_64-linux.bin",
            1450,
            2 * u64::from(PART) + 1,
            &[700, 650, 9],
        ),
    ])
}

fn head(extra: &[u8]) -> Vec<u8> {
    let mut head = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];
    head.extend_from_slice(&(extra.len() as u16).to_le_bytes());
    head.extend_from_slice(extra);
    head
}

#[test]
fn a_decoded_index_equals_the_encoded_one_also_after_other_subfields() {
    let index = index();
    let entries = index.entries.iter();
    let entries = entries.map(|entry| (entry.name.as_str(), entry.size));
    let extra = index.extra();
    assert_eq!(extra.len(), usize::from(Index::extra_length(entries)));
    assert_eq!(Index::from_head(&head(&extra)).as_ref(), Some(&index));
    assert_eq!(index.encode().as_deref(), Some(&extra[4..]));
    assert_eq!(Index::decode(&extra[4..]).as_ref(), Some(&index));
    let plain = Index {
        part: None,
        entries: vec![IndexEntry {
            name: "x86_64-linux.bin".to_owned(),
            range: 1024..1034,
            size: 10,
            parts: Vec::new(),
        }],
    };
    assert_eq!(
        Index::decode(&plain.encode().unwrap()).as_ref(),
        Some(&plain)
    );
    let after_another = [b"XY\x03\x00abc", extra.as_slice()].concat();
    assert_eq!(Index::from_head(&head(&after_another)), Some(index));
}

/// An entry with a name and numbers of any kind that an index can have.
fn entry(random: &mut Rng) -> IndexEntry {
    let length = random.usize(..=60);
    let count = random.usize(..30);
    let parts: Vec<u32> = (0..count).map(|_| random.u32(..)).collect();
    let offset = random.u64(..u64::MAX >> 1);
    IndexEntry {
        name: (0..length).map(|_| random.char(..)).collect(),
        range: offset..offset + parts.iter().copied().map(u64::from).sum::<u64>(),
        size: match parts.len() as u64 {
            0 => 0,
            parts => (parts - 1) * u64::from(PART) + random.u64(1..=u64::from(PART)),
        },
        parts,
    }
}

#[test]
fn any_index_is_decoded_as_it_was_encoded() {
    for seed in 0..256 {
        let mut random = Rng::with_seed(seed);
        let count = random.usize(..20);
        let index = Index::new((0..count).map(|_| entry(&mut random)).collect());
        let entries = index.entries.iter();
        let sizes = entries.map(|entry| (entry.name.as_str(), entry.size));
        let extra = index.extra();
        assert_eq!(
            extra.len(),
            usize::from(Index::extra_length(sizes)),
            "seed {seed}"
        );
        assert_eq!(Index::from_head(&head(&extra)), Some(index), "seed {seed}");
    }
}

#[test]
fn any_bytes_are_an_index_or_none() {
    for seed in 0..256 {
        let mut random = Rng::with_seed(seed);
        let mut bytes = vec![0; random.usize(..200)];
        random.fill(&mut bytes);
        let _ = Index::from_head(&bytes);
        if let Some(index) = Index::from_head(&head(&bytes)) {
            let found = bytes.windows(2).any(|name| name == SUBFIELD);
            assert!(found, "seed {seed}: {index:?}");
        }
    }
}

#[test]
fn a_malformed_field_gives_no_index() {
    let whole = head(&index().extra());
    for length in 0..whole.len() {
        assert_eq!(Index::from_head(&whole[..length]), None, "{length}");
    }
    let mut other_version = whole.clone();
    other_version[16] = 2;
    assert_eq!(Index::from_head(&other_version), None);
    let numbers = whole.len() - 3 * PER_PART - 2 * 8;
    let mut overflowing = whole.clone();
    overflowing[numbers..numbers + 8].fill(0xff);
    assert_eq!(Index::from_head(&overflowing), None);
    let mut in_endless_parts = whole.clone();
    in_endless_parts[numbers + 8..numbers + 16].fill(0xff);
    assert_eq!(Index::from_head(&in_endless_parts), None);
    let mut in_parts_of_nothing = whole;
    in_parts_of_nothing[17..21].fill(0);
    assert_eq!(Index::from_head(&in_parts_of_nothing), None);
}

#[test]
fn an_index_that_would_not_fit_is_left_out() {
    let name = "x".repeat(100);
    let small = (name.as_str(), 1);
    assert!(Index::extra_length(std::iter::repeat_n(small, 500)) > 0);
    assert_eq!(Index::extra_length(std::iter::repeat_n(small, 600)), 0);
    let large = |gib: u64| Index::extra_length([(name.as_str(), gib << 30)].into_iter());
    assert!(large(30) > 0);
    assert_eq!(large(33), 0);
    assert_eq!(large(u64::MAX >> 30), 0);
}

#[test]
fn two_entries_with_one_name_are_not_found() {
    let mut index = index();
    let target = "x86_64-linux".parse().unwrap();
    assert!(index.executable(&target).is_some());
    index.entries.extend(index.entries.clone());
    assert!(index.executable(&target).is_none() && index.claims().is_none());
}
