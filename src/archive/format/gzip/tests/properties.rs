//! Properties that hold for any content, written in any parts.

use fastrand::Rng;

use super::{BLOCK, decode, encode, inflate, noise, text};

/// Content that compresses well or not at all.
fn part(random: &mut Rng) -> Vec<u8> {
    let length = match random.u8(..11) {
        0..8 => random.usize(..5000),
        8..10 => random.usize(60_000..70_000),
        _ => random.usize(BLOCK - 2..BLOCK + 3),
    };
    match random.u8(..3) {
        0 => vec![random.u8(..); length],
        1 => text(length),
        _ => noise(length, random.u64(..)),
    }
}

#[test]
fn any_parts_come_back_together_and_alone() {
    for seed in 0..64 {
        let mut random = Rng::with_seed(seed);
        let count = random.usize(..6);
        let parts: Vec<Vec<u8>> = (0..count).map(|_| part(&mut random)).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let (member, offsets) = encode(&parts, random.usize(1..4));
        assert!(decode(&member) == parts.concat(), "seed {seed}");
        for (part, range) in parts.iter().zip(offsets.windows(2)) {
            let deflated = &member[range[0] as usize..range[1] as usize];
            assert!(inflate(deflated, part.len()) == *part, "seed {seed}");
        }
    }
}
