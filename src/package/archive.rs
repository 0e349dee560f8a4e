//! Writes chart archives: same chart, same bytes, whatever the machine, clock, umask or order of files.

use crate::chart::Files;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

/// The time of every entry where nothing else is asked for: 1980-01-01, the oldest that all archive tools take.
pub const FIXED_TIME: u64 = 315_532_800;

/// A chart archive in memory.
#[derive(Debug, Clone)]
pub struct Archive {
    /// `<name>-<version>.tgz`
    pub file_name: String,
    pub data: Vec<u8>,
    /// SHA-256 in hex.
    pub digest: String,
}

/// Packs files under `<name>/`: `Chart.yaml` first, then by path, with mode 0644 and `modified` (seconds since the Unix
/// epoch) as their time.
pub fn pack(name: &str, version: &str, mut files: Files, modified: u64) -> io::Result<Archive> {
    files.sort_by(|(a, _), (b, _)| (a != "Chart.yaml", a).cmp(&(b != "Chart.yaml", b)));
    let encoder = flate2::GzBuilder::new().mtime(0).operating_system(255);
    let encoder = encoder.write(Vec::new(), flate2::Compression::best());
    let mut builder = tar::Builder::new(encoder);
    for (path, data) in &files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(modified);
        header.set_size(data.len() as u64);
        builder.append_data(&mut header, format!("{name}/{path}"), data.as_slice())?;
    }
    let mut encoder = builder.into_inner()?;
    encoder.flush()?;
    let data = encoder.finish()?;
    let digest = digest(&data);
    Ok(Archive { file_name: format!("{name}-{version}.tgz"), data, digest })
}

/// SHA-256 in hex.
pub fn digest(data: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    Sha256::digest(data).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::archive;
    use proptest::prelude::*;

    #[test]
    fn order_does_not_matter() {
        let files = |paths: &[&str]| paths.iter().map(|path| ((*path).to_owned(), path.as_bytes().to_vec())).collect();
        let a = pack("web", "1.0.0", files(&["values.yaml", "Chart.yaml", "a"]), 7).expect("packed");
        let b = pack("web", "1.0.0", files(&["a", "values.yaml", "Chart.yaml"]), 7).expect("packed");
        assert_eq!((a.file_name.as_str(), a.data), ("web-1.0.0.tgz", b.data));
        assert_eq!(digest(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_packed_is_unpacked(
            files in proptest::collection::btree_map("[a-z]{1,120}(/[a-zäß ]{1,120}[.]yaml){1,3}", any::<Vec<u8>>(), 1..8)
        ) {
            let files: Files = files.into_iter().collect();
            let packed = pack("web", "1.0.0", files.clone(), FIXED_TIME).expect("packed");
            let entries = archive::read(&packed.data, &archive::Limits::default()).expect("readable");
            let found: Files = entries.into_iter().map(|entry| (entry.path, entry.data)).collect();
            let mut wanted = files;
            wanted.sort();
            prop_assert_eq!(found, wanted);
        }
    }
}
