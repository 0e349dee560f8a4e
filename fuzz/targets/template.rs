//! Go templates end, in output or an error, within their limits.
#![no_main]

use chart::diagnostic::Sources;
use chart::render::evaluate;
use chart::template::{Capabilities, Context, Limits, Release};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let context = Context {
        release: Release {
            name: "r".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_upgrade: false,
            service: "Helm".to_owned(),
        },
        capabilities: Capabilities::default(),
        limits: Limits { recursion: 100, fuel: 200_000, output: 1 << 20 },
        seed: Some(1),
        now: 0,
        time_zone: Some("UTC".into()),
        lookup: Vec::new(),
        enable_dns: false,
        record_reads: true,
    };
    let _ = evaluate(text, "fuzz", context, &mut Sources::default());
});
