//! Properties that hold for any content, written in any parts.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{BLOCK, decode, encode, inflate, noise, text};

/// Content that compresses well or not at all.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        8 => 0..5000_usize,
        2 => 60_000..70_000_usize,
        1 => BLOCK - 2..BLOCK + 3,
    ];
    (length, any::<u64>(), 0..3_u8).prop_map(|(length, seed, kind)| match kind {
        0 => vec![seed as u8; length],
        1 => text(length),
        _ => noise(length, seed),
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn any_parts_come_back_together_and_alone(
        parts in prop::collection::vec(part().no_shrink(), 0..6),
        threads in 1..4_usize,
    ) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let (member, offsets) = encode(&parts, threads);
        prop_assert!(decode(&member) == parts.concat());
        for (part, range) in parts.iter().zip(offsets.windows(2)) {
            let deflated = &member[range[0] as usize..range[1] as usize];
            prop_assert!(inflate(deflated, part.len()) == *part);
        }
    }
}
