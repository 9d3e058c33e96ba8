//! Commands that read an archive: inspect, verify and extract.

mod extracting;
mod inspecting;
mod verifying;
