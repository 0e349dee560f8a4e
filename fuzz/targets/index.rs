//! Repository indexes are read or refused.
#![no_main]

use chart::repository::index;
use libfuzzer_sys::fuzz_target;
use std::io::{BufReader, Cursor};

fuzz_target!(|text: &str| {
    let _ = index::read_charts(&mut BufReader::new(Cursor::new(text)), &["web"]);
    if let Ok(index) = index::Index::parse(text.to_owned()) {
        let _ = index.listed().count();
    }
});
