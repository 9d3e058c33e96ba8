//! Tests of the commands that read an archive: inspect, verify and extract.

mod configuring;
mod extracting;
mod inspecting;
mod policies;
mod verifying;
