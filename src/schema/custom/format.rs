//! The formats of strings that the API server checks in custom resources; it ignores any other.

use crate::schema::{duration, names, scalar};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a format wants, in words, when a text is not in it.
pub(super) fn fault(format: &str, text: &str) -> Option<&'static str> {
    let (fits, wanted) = match format {
        "byte" => (scalar::base64_fault(text).is_none(), "expected base64"),
        "date" => (is_date(text), "expected a date such as `2026-01-31`"),
        "date-time" | "datetime" => (scalar::is_date_time(text), "expected a time such as `2026-01-31T12:00:00Z`"),
        "duration" => (is_duration(text), "expected a duration such as `1h30m`"),
        "ipv4" => (text.parse::<Ipv4Addr>().is_ok(), "expected an IPv4 address"),
        "ipv6" => (text.parse::<Ipv6Addr>().is_ok(), "expected an IPv6 address"),
        "cidr" => (is_cidr(text), "expected an address range such as `10.0.0.0/8`"),
        "hostname" => (names::dns_subdomain(&text.to_ascii_lowercase()).is_none(), "expected a host name"),
        "email" => (
            text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
            "expected an e-mail address",
        ),
        "uuid" | "uuid3" | "uuid4" | "uuid5" => (is_uuid(text), "expected a UUID"),
        "mac" => (is_mac(text), "expected a MAC address such as `00:00:5e:00:53:01`"),
        "uri" => (is_uri(text), "expected a URI such as `https://example.com/`"),
        _ => return None,
    };
    (!fits).then_some(wanted)
}

/// Go's durations, and the days and weeks that the server's library knows besides.
fn is_duration(text: &str) -> bool {
    duration::parse(text).is_some() || {
        let text = text.trim();
        let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        digits > 0
            && matches!(
                text[digits..].trim_start(),
                "d" | "day"
                    | "days"
                    | "w"
                    | "week"
                    | "weeks"
                    | "hr"
                    | "hour"
                    | "hours"
                    | "min"
                    | "minute"
                    | "minutes"
                    | "sec"
                    | "second"
                    | "seconds"
            )
    }
}

fn is_date(text: &str) -> bool {
    scalar::is_date_time(&format!("{text}T00:00:00Z")) && text.len() == 10
}

fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        let most = match address.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        length.parse::<u8>().is_ok_and(|length| length <= most)
    })
}

fn is_uuid(text: &str) -> bool {
    let hex: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    hex.len() == 32 && hex.iter().all(u8::is_ascii_hexdigit) && (text.len() == 32 || text.len() == 36)
}

/// Six, eight or twenty bytes, between colons, dashes, or in fours between dots.
fn is_mac(text: &str) -> bool {
    [(':', 2), ('-', 2), ('.', 4)].into_iter().any(|(mark, width)| {
        let parts: Vec<&str> = text.split(mark).collect();
        matches!(parts.len() * width, 12 | 16 | 40)
            && parts.iter().all(|part| part.len() == width && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

/// As Go's `url.ParseRequestURI`: absolute, or an absolute path.
fn is_uri(text: &str) -> bool {
    if text.contains(|char: char| char.is_ascii_control() || char == ' ') {
        return false;
    }
    text.starts_with('/')
        || text.split_once(':').is_some_and(|(scheme, _)| {
            scheme.starts_with(|char: char| char.is_ascii_alphabetic())
                && scheme.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_and_refuse() {
        for (format, good, bad) in [
            ("date", "2026-01-31", "2026-1-31"),
            ("duration", "1h30m", "1x"),
            ("duration", "2 days", "soon"),
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv6", "fd00::1", "10.0.0.1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0"),
            ("hostname", "Example.com", "exa mple"),
            ("email", "a@b.c", "a.b.c"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
            ("uri", "https://example.com/a", "example.com/a b"),
            ("byte", "YQ==", "YQ"),
            ("mac", "00:00:5e:00:53:01", "00:00:5e"),
            ("mac", "0000.5e00.5301", "zz:00:5e:00:53:01"),
        ] {
            assert_eq!(fault(format, good), None, "{format} {good}");
            assert!(fault(format, bad).is_some(), "{format} {bad}");
        }
        assert_eq!(fault("anything-else", "x"), None);
    }
}
