//! How the program is linked on Linux with glibc: at a fixed address, as Go links its programs, for then its tables need
//! no relocation at each start, which is a third of what a start takes; and, in a release, with the functions that common
//! commands run side by side (`layout.ld`), which halves resident memory.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=layout.ld");
    let is = |name: &str, wanted: &str| var(name).is_ok_and(|value| value == wanted);
    if !(is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu")) {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // mold and gold take no such script; GNU ld and lld, one of which is the default, do.
    let other_linker = var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("fuse-ld"));
    if is("PROFILE", "release") && !other_linker {
        let folder = var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{folder}/layout.ld");
    }
}
