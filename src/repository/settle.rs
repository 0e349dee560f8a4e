//! Who wins where a server overwrites what is there and has no conditional write.
//!
//! Pushers see that a version is free, write it, wait, and look again: who finds their own bytes then has won, all
//! others are told so. The wait is longer than anyone takes between seeing and writing. How long that is on this server
//! today is known from one's own write, because those who meet at one server wait for the same things.

use std::time::Duration;

const LEAST: Duration = Duration::from_millis(375);
const MOST: Duration = Duration::from_secs(20);

/// Waits until everybody has written who saw what we saw; `took` is what lay between our own seeing and having written.
pub(super) fn settle(took: Duration) {
    std::thread::sleep((took * 3).clamp(LEAST, MOST));
}
