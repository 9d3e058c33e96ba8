//! Archives of other tools, and claims with dates.
