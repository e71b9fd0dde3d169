//! L1: thresholds, limits, trunks: every number that decides something.
