//! The command `par`: packs, signs, inspects, verifies and moves wasmCloud provider archives.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
