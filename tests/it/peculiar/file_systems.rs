//! File systems without locks, with `noexec`, or full.
