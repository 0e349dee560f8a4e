//! Headers that tar and gzip programs read in different ways.

use super::{BLOCK, META, Tar, gzip, refuse_all, take_all};
use std::io::Write;

/// A gzip member with a header of one's own: flags, and what they announce.
fn member(flags: u8, fields: &[u8], data: &[u8]) -> Vec<u8> {
    let plain = gzip(data);
    [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3], fields, &plain[10..]].concat()
}

fn extra(length: u16) -> Vec<u8> {
    [length.to_le_bytes().as_slice(), &vec![b'e'; length.into()]].concat()
}

/// A record of an extended header with its length as it is given.
fn record(text: &[u8]) -> Tar {
    Tar::web().entry("PaxHeaders/x", b'x', text, |_| {}).file("web/a", "x")
}

fn numbered(at: std::ops::Range<usize>, field: &[u8]) -> Tar {
    Tar::web().entry("web/values.yaml", b'0', b"a: 1\n", |header| header[at].copy_from_slice(field))
}

#[test]
fn headers_that_lie_are_refused() {
    let many = |count: usize| (0..count).flat_map(|_| gzip(b"")).collect::<Vec<u8>>();
    let web = Tar::web().raw(&[0; 2 * BLOCK]).0;
    let long = "n".repeat(64 << 10);
    refuse_all(vec![
        (
            "a NUL in a path",
            Tar::web().pax(b'x', &[("path", "web/\0../a")]).file("web/a", "x").end(),
            "control character",
        ),
        (
            "a path of a link",
            Tar::web().pax(b'x', &[("linkpath", "/etc/passwd")]).kind("web/a", b'2', "").end(),
            "symbolic link",
        ),
        (
            "a path for a link that is one",
            Tar::web().pax(b'x', &[("path", "web/Chart.yaml")]).kind("web/a", b'1', "web/Chart.yaml").end(),
            "hard link",
        ),
        ("a hard link to the metadata", Tar::web().kind("web/values.yaml", b'1', "web/Chart.yaml").end(), "hard link"),
        (
            "a link as the folder",
            Tar::default().kind("web", b'2', "/tmp").file("web/Chart.yaml", META).end(),
            "symbolic link",
        ),
        ("a link to itself", Tar::web().kind("web/a", b'2', "web/a").file("web/a/b", "x").end(), "symbolic link"),
        (
            "a link behind the file",
            Tar::web().file("web/a", "x").kind("web/a", b'2', "/etc/passwd").end(),
            "symbolic link",
        ),
        (
            "a long link",
            Tar::web().entry("././@LongLink", b'K', b"/etc/passwd\0", |_| {}).kind("web/a", b'2', "x").end(),
            "unknown type",
        ),
        ("a record without a length", record(b" path=web/b\n").end(), "malformed"),
        ("a record of length 0", record(b"0 path=web/b\n").end(), "malformed"),
        ("a record of length 1", record(b"1 path=web/b\n").end(), "malformed"),
        ("a negative record", record(b"-9 path=web/b\n").end(), "malformed"),
        ("a record past the end", record(b"99 path=web/b\n").end(), "malformed"),
        ("a record without a value", record(b"9 path\nxx\n").end(), "malformed"),
        ("a record without an end", record(b"15 path=web/bxx").end(), "malformed"),
        ("a record in hexadecimal", record(b"0xf path=web/bb\n").end(), "malformed"),
        (
            "a sparse file by its name",
            Tar::web().pax(b'x', &[("GNU.sparse.name", "../x")]).file("web/a", "x").end(),
            "GNU.sparse",
        ),
        (
            "a sparse file's real size",
            Tar::web().pax(b'x', &[("GNU.sparse.realsize", "9999")]).file("web/a", "x").end(),
            "GNU.sparse",
        ),
        (
            "an old sparse file",
            Tar::web().entry("web/a", b'S', b"x", |header| header[483..495].copy_from_slice(b"77777777777\0")).end(),
            "sparse",
        ),
        ("the same size once more", Tar::web().pax(b'x', &[("size", "1")]).file("web/a", "x").end(), "`size`"),
        ("a negative size", Tar::web().pax(b'x', &[("size", "-1")]).file("web/a", "x").end(), "`size`"),
        ("a name of 64 KiB", Tar::web().long_name(&format!("web/{long}")).file("web/a", "x").end(), "a name of"),
        (
            "a path of 64 KiB",
            Tar::web().pax(b'x', &[("path", &format!("web/{long}"))]).file("web/a", "x").end(),
            "an extended header of",
        ),
        ("an empty long name", Tar::web().long_name("").file("web/a", "x").end(), "not in the chart's folder"),
        ("a size of blanks and a sign", numbered(124..136, b"        +5 \0").end(), "size"),
        ("a size in decimal", numbered(124..136, b"00000000009\0").end(), "size"),
        ("all bits of a size", numbered(124..136, &[0xff; 12]).end(), "size"),
        ("a size of 7s", numbered(124..136, b"777777777777").end(), "more than the"),
        (
            "a checksum in decimal",
            gzip(&web.iter().enumerate().map(|(at, byte)| if at == 150 { b'9' } else { *byte }).collect::<Vec<u8>>()),
            "checksum",
        ),
        (
            "an endless name of the archive",
            [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3], vec![b'n'; 1 << 20].as_slice()].concat(),
            "",
        ),
        ("an unknown compression", [&[0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 3], &gzip(&web)[10..]].concat(), "damaged"),
        ("no member with content", many(1000), "no files"),
        ("a cut extra field", [&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 255, 255], &gzip(&web)[10..]].concat(), ""),
        (
            "garbage in the middle",
            {
                let mut bytes =
                    gzip(&Tar::web().file("web/a", (0..3000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>()).0);
                let at = bytes.len() / 2;
                bytes[at..at + 40].fill(0xaa);
                bytes
            },
            "",
        ),
        ("a second archive of the chart", Tar::web().raw(&Tar::meta("name: other\nversion: 2.0.0\n").0).end(), "twice"),
        ("Windows' long paths", Tar::web().file("\\\\?\\C:\\escaped", "x").end(), "absolute"),
        ("a share", Tar::web().file("web/\\\\host\\share", "x").end(), "absolute"),
        ("dots and backslashes", Tar::web().file("web/a\\..\\..\\..\\escaped", "x").end(), "`..`"),
        (
            "a folder and its file at once",
            Tar::web().file("web/a", "x").file("web/a/b", "x").end(),
            "lies in something that is a file",
        ),
        ("control characters of eight bits", Tar::web().file("web/\u{9b}2J", "x").end(), "control character"),
        ("no text", Tar::web().entry("web/a", b'0', b"x", |header| header[4] = 0xff).end(), "not UTF-8"),
        (
            "half a character",
            Tar::web().entry("web/a", b'0', b"x", |header| header[4..6].copy_from_slice(&[0xe2, 0x82])).end(),
            "not UTF-8",
        ),
    ]);
}

/// Go bounds the name and the comment of a gzip file, and wants numbers where nobody reads them.
const REFUSED_BY_HELM: &[&str] = &[
    "a name and a comment of 64 KiB",
    "a checksum of the header that is wrong",
    "no time",
    "no mode",
    "a folder called as the metadata",
];

#[test]
fn headers_that_only_look_odd_are_taken() {
    let good = Tar::web().file("web/values.yaml", "a: 1\n");
    let whole = good.clone().raw(&[0; 2 * BLOCK]).0;
    let empty = gzip(b"");
    let broken = |at: usize| {
        let mut bytes = gzip(&whole);
        let at = bytes.len() - at;
        bytes[at] ^= 0x55;
        bytes
    };
    let stored = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(&whole).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let values = |name: &str| Tar::web().file(name, "a: 1\n");
    take_all(
        &[
            ("an extra field of 64 KiB", member(4, &extra(u16::MAX), &whole)),
            (
                "a name and a comment of 64 KiB",
                member(8 | 16, &[vec![b'n'; 65_535], vec![0], vec![b'c'; 65_535], vec![0]].concat(), &whole),
            ),
            ("a checksum of the header that is wrong", member(2, &[1, 2], &whole)),
            ("empty members before and behind", [empty.as_slice(), &empty, &gzip(&whole), &empty].concat()),
            ("a member for each block", whole.chunks(BLOCK).flat_map(gzip).collect()),
            ("a thousand empty members", [empty.repeat(1000), gzip(&whole)].concat()),
            ("not compressed", stored),
            ("a wrong checksum at the end", broken(8)),
            ("a wrong size at the end", broken(4)),
            ("no checksum at the end", gzip(&whole)[..gzip(&whole).len() - 8].to_vec()),
            ("zeros behind the end", [gzip(&whole), vec![0; 1 << 16]].concat()),
            ("megabytes of zeros in the archive", gzip(&[whole.as_slice(), &vec![0; 3 << 20]].concat())),
            (
                "the path of a header",
                Tar::web().pax(b'x', &[("path", "web/values.yaml")]).file("web/../../x", "a: 1\n").end(),
            ),
            (
                "a long name with a NUL in it",
                Tar::web().long_name("web/values.yaml\0/../../escaped").file("x", "a: 1\n").end(),
            ),
            (
                "two extended headers",
                Tar::web()
                    .pax(b'x', &[("mtime", "1")])
                    .pax(b'x', &[("path", "web/values.yaml")])
                    .file("x", "a: 1\n")
                    .end(),
            ),
            ("a path for all files", Tar::default().pax(b'g', &[("path", "../../escaped")]).raw(&good.0).end()),
            ("a size for all files", Tar::default().pax(b'g', &[("size", "9999")]).raw(&good.0).end()),
            ("a time before all times", numbered(136..148, &[0xff; 12]).end()),
            ("a time after all times", numbered(136..148, b"77777777777\0").end()),
            ("no time", numbered(136..148, b"yesterday  \0").end()),
            ("owners beyond number", numbered(108..124, b"7777777\x007777777\0").end()),
            ("no mode", numbered(100..108, b"rwxrwxrw").end()),
            ("a target for a plain file", numbered(157..168, b"/etc/passwd").end()),
            ("a device's number for a plain file", numbered(329..345, b"0000010\x000000001\0").end()),
            ("a folder by its name alone", Tar::web().file("web/charts/", "").file("web/values.yaml", "a: 1\n").end()),
            (
                "the metadata as a folder, too",
                Tar::web().kind("web/Chart.yaml/", b'5', "").file("web/values.yaml", "a: 1\n").end(),
            ),
            (
                "folders that lead out",
                Tar::web().kind("web/../../../tmp/", b'5', "").file("web/values.yaml", "a: 1\n").end(),
            ),
            (
                "two ways to write a letter",
                values("web/values.yaml").file("web/\u{e9}", "").file("web/e\u{301}", "").end(),
            ),
            (
                "letters that fold",
                values("web/values.yaml").file("web/\u{df}", "").file("web/SS", "").file("web/\u{131}", "").end(),
            ),
            (
                "letters that turn",
                values("web/values.yaml").file("web/\u{202e}lmay.a", "").file("web/a\u{200b}", "").end(),
            ),
            ("streams of Windows", values("web/values.yaml").file("web/ab:c", "").file("web/ab::$DATA", "").end()),
            (
                "percents and quotes",
                values("web/values.yaml").file("web/%2e%2e%2fa", "").file("web/$(x)`x`'\"", "").end(),
            ),
            ("hidden files", values("web/values.yaml").file("web/.git/config", "").file("web/.bashrc", "").end()),
            (
                "a folder without a name",
                Tar::default().file("./Chart.yaml", META).file("./values.yaml", "a: 1\n").end(),
            ),
            (
                "a folder called as the metadata",
                Tar::default().file("Chart.yaml/Chart.yaml", META).file("Chart.yaml/values.yaml", "a: 1\n").end(),
            ),
        ],
        REFUSED_BY_HELM,
    );
}
