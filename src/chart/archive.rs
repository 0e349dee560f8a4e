//! Reads chart archives (`.tgz`) from strangers. Nothing of an archive reaches the disk by its own words: entries come
//! back as plain relative paths and bytes, or the archive is refused whole.
//!
//! Paths lose their first part, whatever it is called, as in Helm's loader. Stricter than Helm: links, devices, two
//! entries of one name and `..` anywhere in a name are errors; Helm reads links as empty files and keeps duplicates.

use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, BufRead, BufReader};

/// What an archive may hold. The total is Helm's.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of all files.
    pub total: u64,
    /// Files and directories.
    pub entries: usize,
    /// Bytes of a path.
    pub path: usize,
    /// Unpacked bytes for one packed byte, once the archive unpacks to more than 4 MiB.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { file: 100 << 20, total: 100 << 20, entries: 20_000, path: 1024, ratio: 100 }
    }
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the chart, with `/`, without empty, `.` or `..` parts.
    pub path: String,
    pub data: Vec<u8>,
    /// Seconds since the Unix epoch.
    pub modified: u64,
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("{0}, not a chart archive (a gzip-compressed tar file)")]
    NotAnArchive(&'static str),
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    #[error("the archive is refused: `{name}` {reason}")]
    Refused { name: String, reason: Cow<'static, str> },
    #[error("the archive is refused: it {0}")]
    TooLarge(String),
    #[error("the archive has no files")]
    Empty,
}

/// All files of an archive, in its own order.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Entry>, Error> {
    walk(bytes, limits, |_| true)
}

/// One file of an archive. All of it is checked, but only that file kept.
pub fn read_file(bytes: &[u8], limits: &Limits, wanted: &str) -> Result<Option<Entry>, Error> {
    Ok(walk(bytes, limits, |path| path == wanted)?.pop())
}

/// Goes through an archive and gives the files that are wanted.
///
/// Where tar programs read one archive in different ways, Go's reading is taken, which is Helm's, or the archive is
/// refused: nobody shall see other files than we checked.
fn walk(bytes: &[u8], limits: &Limits, wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>, Error> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(Error::NotAnArchive(describe(bytes)));
    }
    // Headers and padding come on top of the files: at most four blocks for each entry.
    let most = limits.total.saturating_add(limits.entries as u64 * 2048);
    let most = most.min((4 << 20).max(limits.ratio.saturating_mul(bytes.len() as u64)));
    let at_once = UNPACKED.with_borrow_mut(|unpacked| {
        let mut tar = Tar { input: unpacked.unpack(bytes)?, left: most, ended: false };
        let entries = entries(&mut tar, limits, &wanted);
        // What ends within the first gzip member ends there for a stream, too.
        tar.ended.then_some(entries)
    });
    if let Some(Ok(entries)) = at_once {
        return Ok(entries);
    }
    let input = BufReader::with_capacity(64 << 10, MultiGzDecoder::new(bytes));
    entries(&mut Tar { input, left: most, ended: false }, limits, &wanted)
}

thread_local! {
    static UNPACKED: RefCell<Unpacked> = RefCell::default();
}

/// Room for small archives, which unpack much faster as a whole.
#[derive(Default)]
struct Unpacked {
    decompressor: libdeflater::Decompressor,
    data: Vec<u8>,
}

impl Unpacked {
    const MOST: usize = 4 << 20;

    /// The first gzip member; `None` for one that is large, damaged or followed by others.
    fn unpack(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        let size = u32::from_le_bytes(bytes.last_chunk().copied()?) as usize;
        if size > Self::MOST {
            return None;
        }
        if self.data.len() < size {
            self.data.resize(size, 0);
        }
        let unpacked = self.decompressor.gzip_decompress(bytes, &mut self.data[..size]).ok()?;
        (unpacked == size).then(|| &self.data[..size])
    }
}

fn entries(tar: &mut Tar<impl BufRead>, limits: &Limits, wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>, Error> {
    let mut found = Vec::new();
    let mut paths: Vec<String> = Vec::new();
    let (mut total, mut count) = (0u64, 0usize);
    let mut long_name: Option<Vec<u8>> = None;
    let mut header = tar::Header::new_old();
    while tar.header(&mut header)? {
        let kind = header.entry_type();
        let size = number(&header.as_old().size).ok_or_else(|| damaged_header("size"))?;
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            let what = if kind.is_gnu_longname() { "a name" } else { "an extended header" };
            if size > limits.path as u64 * 8 {
                return Err(Error::TooLarge(format!("has {what} of {size} bytes")));
            }
            let data = tar.content(size)?;
            let name = match kind.is_gnu_longname() {
                true => Some(data.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()),
                false => pax_path(&data)?,
            };
            if let Some(name) = name
                && let Some(other) = long_name.replace(name)
            {
                return Err(Error::Refused { name: shown(&other), reason: "has a second long name".into() });
            }
            continue;
        }
        if kind.is_pax_global_extensions() {
            tar.skip(size)?;
            continue;
        }
        let name = long_name.take().map_or_else(|| header.path_bytes(), Cow::Owned);
        let refuse = |reason: Cow<'static, str>| Error::Refused { name: shown(&name), reason };

        count += 1;
        if count > limits.entries {
            return Err(Error::TooLarge(format!("has more than {} entries", limits.entries)));
        }
        if name.len() > limits.path {
            return Err(refuse(format!("is a path of more than {} bytes", limits.path).into()));
        }
        let what = match kind {
            tar::EntryType::Regular | tar::EntryType::Continuous => None,
            // Directories have no content, whatever size they say.
            tar::EntryType::Directory => continue,
            tar::EntryType::Symlink => Some("a symbolic link"),
            tar::EntryType::Link => Some("a hard link"),
            tar::EntryType::Char | tar::EntryType::Block => Some("a device"),
            tar::EntryType::Fifo => Some("a named pipe"),
            tar::EntryType::GNUSparse => Some("a sparse file"),
            _ => Some("an entry of an unknown type"),
        };
        if let Some(what) = what {
            return Err(refuse(format!("is {what}, and charts hold plain files").into()));
        }
        if size > limits.file {
            return Err(refuse(format!("has {size} bytes, more than the {} that a file may have", limits.file).into()));
        }
        // Old tar programs mark directories by their name alone.
        if name.ends_with(b"/") {
            if header.as_bytes()[156] != 0 {
                tar.skip(size)?;
            }
            continue;
        }
        total += size;
        if total > limits.total {
            return Err(Error::TooLarge(format!("unpacks to more than {} bytes", limits.total)));
        }
        let path = inner_path(&name).map_err(refuse)?;
        if wanted(&path) {
            let modified = number(&header.as_old().mtime).unwrap_or(0);
            found.push(Entry { path: path.clone(), data: tar.content(size)?, modified });
        } else {
            tar.skip(size)?;
        }
        paths.push(path);
    }
    if paths.is_empty() {
        return Err(Error::Empty);
    }
    check_places(paths)?;
    Ok(found)
}

/// Fails where two files are at one place, or one lies in another.
fn check_places(paths: Vec<String>) -> Result<(), Error> {
    // With a separator that sorts before all else, what lies in a file comes right after it.
    let separate = |path: String| {
        let mut bytes = path.into_bytes();
        bytes.iter_mut().filter(|byte| **byte == b'/').for_each(|byte| *byte = 0);
        bytes
    };
    let mut paths: Vec<Vec<u8>> = paths.into_iter().map(separate).collect();
    paths.sort_unstable();
    for pair in paths.windows(2) {
        let reason = match pair[1].strip_prefix(pair[0].as_slice()) {
            Some([]) => "is there twice",
            Some([0, ..]) => "lies in something that is a file",
            _ => continue,
        };
        let name: Vec<u8> = pair[1].iter().map(|&byte| if byte == 0 { b'/' } else { byte }).collect();
        return Err(Error::Refused { name: shown(&name), reason: reason.into() });
    }
    Ok(())
}

/// A tar file, block by block.
struct Tar<R> {
    input: R,
    /// Bytes that may still be read. Past them reading fails instead of ending quietly.
    left: u64,
    /// Whether the blocks that mark its end were seen.
    ended: bool,
}

const BLOCK: usize = 512;

impl<R: BufRead> Tar<R> {
    /// Reads the next header; false at the end. What stands behind the end is nobody's.
    fn header(&mut self, header: &mut tar::Header) -> Result<bool, Error> {
        if !self.block(header.as_mut_bytes())? {
            return Ok(false);
        }
        if *header.as_bytes() == [0; BLOCK] {
            let mut next = [0; BLOCK];
            self.ended = self.block(&mut next)?;
            if next != [0; BLOCK] {
                return Err(Error::Damaged("there are entries behind its end".to_owned()));
            }
            return Ok(false);
        }
        // The field itself counts as eight blanks.
        let [before, after] = [&header.as_bytes()[..148], &header.as_bytes()[156..]];
        let unsigned = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
        // Some old programs summed up signed bytes.
        let signed = |bytes: &[u8]| bytes.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>();
        let sum = number(&header.as_old().cksum).and_then(|sum| i32::try_from(sum).ok());
        let is_sum = |sum| {
            u32::try_from(sum) == Ok(unsigned(before) + unsigned(after) + 256)
                || sum == signed(before) + signed(after) + 256
        };
        if sum.is_none_or(|sum| !is_sum(sum)) {
            return Err(damaged_header("checksum"));
        }
        Ok(true)
    }

    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, Error> {
        let mut at = 0;
        let lacking = self.pieces(BLOCK as u64, |piece| {
            block[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        })?;
        match lacking {
            0 => Ok(true),
            _ if at == 0 => Ok(false),
            _ => Err(cut_off()),
        }
    }

    /// The content of an entry. Its size was checked.
    fn content(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        let mut data = Vec::with_capacity(size as usize);
        self.take(size, |piece| data.extend_from_slice(piece))?;
        self.padding(size)?;
        Ok(data)
    }

    fn skip(&mut self, size: u64) -> Result<(), Error> {
        self.take(size, |_| {})?;
        self.padding(size)
    }

    /// The rest of an entry's last block, which may be missing at the very end.
    fn padding(&mut self, size: u64) -> Result<(), Error> {
        let rest = size.next_multiple_of(BLOCK as u64) - size;
        self.pieces(rest, |_| {}).map(drop)
    }

    fn take(&mut self, count: u64, each: impl FnMut(&[u8])) -> Result<(), Error> {
        if self.pieces(count, each)? == 0 { Ok(()) } else { Err(cut_off()) }
    }

    /// Hands on so many bytes, piece by piece, and says how many are lacking.
    fn pieces(&mut self, mut count: u64, mut each: impl FnMut(&[u8])) -> Result<u64, Error> {
        self.left = self.left.checked_sub(count).ok_or_else(|| Error::TooLarge(TOO_MUCH.to_owned()))?;
        while count > 0 {
            let piece = self.input.fill_buf().map_err(damaged)?;
            let some = usize::try_from(count).unwrap_or(usize::MAX).min(piece.len());
            if some == 0 {
                break;
            }
            each(&piece[..some]);
            self.input.consume(some);
            count -= some as u64;
        }
        Ok(count)
    }
}

/// A number of a header: octal digits between blanks and NULs, or big-endian behind a byte 0x80.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len().checked_sub(8)?);
        let fits = high.iter().enumerate().all(|(at, &byte)| byte == if at == 0 { 0x80 } else { 0 });
        return if high.is_empty() || !fits { None } else { Some(u64::from_be_bytes(low.try_into().ok()?)) };
    }
    let is_padding = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_padding(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !is_padding(byte)).map_or(start, |last| last + 1);
    let digits = field[start..end].split(|&byte| byte == 0).next().unwrap_or_default();
    digits.iter().try_fold(0u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn damaged_header(what: &str) -> Error {
    Error::Damaged(format!("a header has no valid {what}"))
}

fn cut_off() -> Error {
    Error::Damaged("it is cut off".to_owned())
}

/// The path inside the chart: without the first part of the name.
fn inner_path(name: &[u8]) -> Result<String, Cow<'static, str>> {
    let name = std::str::from_utf8(name).map_err(|_| "has a name that is not UTF-8")?;
    if name.chars().any(char::is_control) {
        return Err("has a control character in its name".into());
    }
    // Archives made on Windows may separate with backslashes.
    let name = if name.contains('\\') { Cow::Owned(name.replace('\\', "/")) } else { Cow::Borrowed(name) };
    if name.starts_with('/') {
        return Err("is an absolute path".into());
    }
    if name.contains("..") && name.split('/').any(|part| part == "..") {
        return Err("leads out of the chart with `..`".into());
    }
    let Some((first, rest)) = name.split_once('/') else {
        return Err("is not in the chart's folder".into());
    };
    let drive = |text: &str| {
        let text = text.as_bytes();
        text.len() > 1 && text[0].is_ascii_alphabetic() && text[1] == b':'
    };
    if rest.starts_with('/') || drive(first) || drive(rest.trim_start_matches("./")) {
        return Err("is an absolute path".into());
    }
    if !rest.split('/').any(|part| matches!(part, "" | ".")) {
        return Ok(rest.to_owned());
    }
    let parts: Vec<&str> = rest.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() {
        return Err("is not in the chart's folder".into());
    }
    Ok(parts.join("/"))
}

/// The `path` record of a PAX header: lines of `length key=value`. Records that change the entry's size are refused,
/// because programs disagree on which of the two sizes counts.
fn pax_path(data: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let broken = || Error::Damaged("an extended header is malformed".into());
    let mut path = None;
    let mut rest = data;
    while !rest.is_empty() && rest[0] != 0 {
        let digits = rest.iter().position(|&byte| byte == b' ').ok_or_else(broken)?;
        let length: usize =
            std::str::from_utf8(&rest[..digits]).ok().and_then(|text| text.parse().ok()).ok_or_else(broken)?;
        if length <= digits + 1 || length > rest.len() || rest[length - 1] != b'\n' {
            return Err(broken());
        }
        let record = &rest[digits + 1..length - 1];
        let equals = record.iter().position(|&byte| byte == b'=').ok_or_else(broken)?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        if key == b"path" {
            path = Some(value.to_vec()).filter(|path| !path.is_empty());
        } else if key == b"size" || key.starts_with(b"GNU.sparse.") {
            return Err(Error::TooLarge(format!("has an extended header with `{}`", shown(key))));
        }
        rest = &rest[length..];
    }
    Ok(path)
}

/// What bytes that are no archive look like.
fn describe(bytes: &[u8]) -> &'static str {
    let start = bytes.trim_ascii_start();
    match start {
        [] => "an empty file",
        [b'<', ..] => "a web page",
        [b'P', b'K', ..] => "a zip file",
        [b'{', ..] => "a JSON text",
        _ if bytes.get(257..262) == Some(b"ustar") => "an uncompressed tar file",
        _ => "other data",
    }
}

fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut shown: String = text.chars().take(120).flat_map(char::escape_debug).collect();
    if text.chars().nth(120).is_some() {
        shown.push('…');
    }
    shown
}

const TOO_MUCH: &str = "unpacks to far more than such an archive should";

fn damaged(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { cut_off() } else { Error::Damaged(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).expect("in memory");
        encoder.finish().expect("in memory")
    }

    /// A tar block and its padded content, with the name as it is.
    fn entry(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(data.len() as u64);
        header.set_mtime(42);
        header.set_cksum();
        let mut block = header.as_bytes().to_vec();
        block.extend_from_slice(data);
        block.resize(block.len().next_multiple_of(512), 0);
        block
    }

    fn file(name: &str, data: &[u8]) -> Vec<u8> {
        entry(name.as_bytes(), b'0', data)
    }

    fn archive(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut tar = parts.concat();
        tar.resize(tar.len() + 1024, 0);
        gzip(&tar)
    }

    fn refused(parts: &[Vec<u8>]) -> String {
        error(&archive(parts))
    }

    fn error(bytes: &[u8]) -> String {
        match read(bytes, &Limits::default()) {
            Ok(entries) => panic!("{} entries were read", entries.len()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn files_lose_the_first_part_of_their_path() {
        let bytes = archive(&[
            entry(b"web/", b'5', b""),
            file("web/Chart.yaml", b"name: web"),
            file("other/./templates//a.yaml", b""),
            file("web\\values.yaml", b"a: 1"),
        ]);
        let entries = read(&bytes, &Limits::default()).expect("a good archive");
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["Chart.yaml", "templates/a.yaml", "values.yaml"]);
        assert_eq!((entries[0].data.as_slice(), entries[0].modified), (b"name: web".as_slice(), 42));
    }

    #[test]
    fn one_file_is_read_and_all_are_checked() {
        let bytes = archive(&[file("web/Chart.yaml", b"x"), file("web/a", b"y")]);
        let found = read_file(&bytes, &Limits::default(), "Chart.yaml").expect("a good archive");
        assert_eq!(found.expect("there").data, b"x");
        assert_eq!(read_file(&bytes, &Limits::default(), "b"), Ok(None));
        let bytes = archive(&[file("web/Chart.yaml", b"x"), file("web/../../evil", b"")]);
        assert!(read_file(&bytes, &Limits::default(), "Chart.yaml").is_err());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for (name, why) in [
            ("/etc/passwd", "absolute"),
            ("\\etc\\passwd", "absolute"),
            ("web//etc/passwd", "absolute"),
            ("web/../../etc/passwd", "`..`"),
            ("web/a/../b", "`..`"),
            ("..", "`..`"),
            ("web\\..\\..\\evil", "`..`"),
            ("C:/windows", "absolute"),
            ("web/c:/windows", "absolute"),
            ("web/./c:\\windows", "absolute"),
            ("Chart.yaml", "not in the chart's folder"),
            ("web/.", "not in the chart's folder"),
            ("web/a\nb", "control character"),
            ("web/a\u{1b}[2Jb", "control character"),
        ] {
            let error = refused(&[file("web/Chart.yaml", b""), file(name, b"")]);
            assert!(error.contains(why), "{name}: {error}");
        }
        assert!(refused(&[entry(b"web/\xff\xfe", b'0', b"")]).contains("not UTF-8"));
        let long = [b"web/".as_slice(), &[b'a'; 1100]].concat();
        assert!(refused(&[entry(b"././@LongLink", b'L', &long), file("web/a", b"")]).contains("more than 1024"));
        let huge = vec![b'a'; 100_000];
        assert!(refused(&[entry(b"././@LongLink", b'L', &huge), file("web/a", b"")]).contains("name of 100000"));
    }

    #[test]
    fn a_long_name_counts_as_the_name() {
        let deep = format!("web/{}/x.yaml", "d".repeat(200));
        let record = format!(" path={deep}\n");
        let record = format!("{}{record}", record.len() + 3);
        let bytes = archive(&[
            entry(b"PaxHeaders/x", b'x', record.as_bytes()),
            file("short", b"1"),
            entry(b"././@LongLink", b'L', format!("{deep}2\0").as_bytes()),
            file("short", b"2"),
        ]);
        let entries = read(&bytes, &Limits::default()).expect("a good archive");
        assert_eq!(entries[0].path, deep[4..]);
        assert_eq!(entries[1].path, format!("{}2", &deep[4..]));
        let evil = entry(b"PaxHeaders/x", b'x', b"23 path=web/../../evil\n");
        assert!(refused(&[evil, file("web/a", b"")]).contains("`..`"));
        let size = entry(b"PaxHeaders/x", b'x', b"12 size=999\n");
        assert!(refused(&[size, file("web/a", b"")]).contains("`size`"));
        assert!(refused(&[entry(b"x", b'x', b"99999999999999999999 a=b\n")]).contains("malformed"));
    }

    #[test]
    fn only_plain_files_are_read() {
        for (kind, why) in [
            (b'1', "hard link"),
            (b'2', "symbolic link"),
            (b'3', "device"),
            (b'4', "device"),
            (b'6', "named pipe"),
            (b'S', "sparse"),
            (b'?', "unknown type"),
        ] {
            let error = refused(&[entry(b"web/x", kind, b"")]);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_name_is_there_once() {
        assert!(refused(&[file("web/a", b""), file("other/./a", b"")]).contains("twice"));
        assert!(refused(&[file("web/a/b", b""), file("web/a", b"")]).contains("lies in something that is a file"));
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![0; 5 << 20];
        let many: Vec<_> = (0..15).map(|n| file(&format!("web/{n}"), &zeros)).collect();
        assert!(refused(&many).contains("far more"));
        let limits = Limits { file: 9, ..Limits::default() };
        let large = read(&archive(&[file("web/a", &[7; 10])]), &limits).expect_err("too large").to_string();
        assert!(large.contains("has 10 bytes, more than the 9 that a file may have"), "{large}");
        let entries: Vec<_> = (0..20_001).map(|n| file(&format!("web/{n}"), b"")).collect();
        assert!(refused(&entries).contains("20000 entries"));
        let limits = Limits { total: 10, ..Limits::default() };
        let bytes = archive(&[file("web/a", b"123456"), file("web/b", b"123456")]);
        assert!(read(&bytes, &limits).expect_err("too large").to_string().contains("more than 10 bytes"));
        // A header that promises more than there is.
        let mut lying = file("web/a", b"");
        lying[124..136].copy_from_slice(b"00000001000\0");
        let sum: u32 = lying[..148].iter().chain(&lying[156..512]).map(|&byte| u32::from(byte)).sum::<u32>() + 8 * 32;
        lying[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(error(&gzip(&lying)).contains("cut off"));
    }

    #[test]
    fn other_files_are_named_for_what_they_are() {
        assert!(error(b"").starts_with("an empty file"));
        assert!(error(b"<html>").starts_with("a web page"));
        assert!(error(&file("web/a", b"")).starts_with("an uncompressed tar"));
        assert_eq!(error(&gzip(&[0; 1024])), "the archive has no files");
        let bytes = archive(&[file("web/a", &[7; 100_000])]);
        assert!(error(&bytes[..bytes.len() / 2]).contains("cut off"));
    }

    #[test]
    fn a_cut_archive_is_read_whole_or_not_at_all() {
        let data: Vec<u8> = (0..3000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let bytes = archive(&[file("web/Chart.yaml", b"name: web"), file("web/a", &data)]);
        let whole = read(&bytes, &Limits::default()).expect("a good archive");
        for at in 0..bytes.len() {
            if let Ok(entries) = read(&bytes[..at], &Limits::default()) {
                assert_eq!(entries, whole, "cut at {at} of {}", bytes.len());
            }
        }
    }

    #[test]
    fn damaged_archives_never_panic() {
        let bytes = archive(&[file("web/Chart.yaml", b"name: web"), file("web/a", &[7; 2000])]);
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                let _ = read(&bytes, &Limits::default());
            }
        }
    }
}
