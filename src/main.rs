//! The command `par`: packs, signs, inspects, verifies and moves wasmCloud provider archives.

fn main() -> std::process::ExitCode {
    wasmcloud_par::cli::main()
}
