//! What an archive unpacks to stays inside the chart and within the limits.
#![no_main]

use chart::chart::archive::{Limits, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entries) = read(bytes, &Limits::default()) {
        for entry in entries {
            let path = &*entry.path;
            assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "leads out: {path}");
        }
    }
});
