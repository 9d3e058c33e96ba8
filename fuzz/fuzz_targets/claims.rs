#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmcloud_par_fuzz::targets;

fuzz_target!(|data: &[u8]| targets::claims(data));
