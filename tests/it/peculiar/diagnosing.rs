//! What `par doctor` says is what the commands meet.
