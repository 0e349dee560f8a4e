//! `--set` arguments of every kind are read or refused.
#![no_main]

use chart::diagnostic::Sources;
use chart::values::{Flag, Layer, Layered};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for flag in [Flag::SetJson, Flag::Set, Flag::SetString, Flag::SetFile, Flag::SetLiteral] {
        let layer = Layer::Argument { flag, text: text.to_owned() };
        let _ = Layered::read(vec![layer], &mut Sources::default(), &mut |_| Ok("text".to_owned()));
    }
});
