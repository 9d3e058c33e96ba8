//! Tests of the commands that read an archive: inspect, verify, extract and sbom.

pub(crate) mod bills;
mod configuring;
mod extracting;
mod inspecting;
mod policies;
mod verifying;
