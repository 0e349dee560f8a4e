//! Reading YAML never panics, and the fast path takes no document that the reader refuses.
#![no_main]

use chart::diagnostic::FileId;
use chart::yaml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = yaml::read(text, FileId(0));
    if yaml::head(text).is_some() {
        assert!(parsed.error.is_none(), "the fast path takes what the reader refuses");
    }
    for document in &parsed.documents {
        let _ = yaml::to_yaml(&yaml::untagged(document, yaml::Numbers::Go));
    }
});
