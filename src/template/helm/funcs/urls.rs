//! URLs, read and written as Go's `net/url` does, and host names.

use super::Type::{Map as MapType, Str};
use super::{Env, Error, Function, any, text};
use crate::template::helm::print::{kind_of, quote};
use crate::value::{Value, bytes_of, text_from_bytes};
use rand::Rng;
use std::net::Ipv6Addr;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("urlParse", &[Str], parse),
    Function::new("urlJoin", &[MapType], join),
    Function::new("getHostByName", &[Str], host_by_name),
];

/// A part of a URL, by what may stand in it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    User,
    Host,
    Zone,
    Path,
    Fragment,
}

fn is_plain(byte: u8, part: Part) -> bool {
    let others: &[u8] = match part {
        Part::User => b"$&+,;=",
        Part::Host | Part::Zone => b"!\"$&'()*+,:;<=>[]",
        Part::Path => b"$&+,/:;=@",
        Part::Fragment => b"!$&()*+,/:;=?@",
    };
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || others.contains(&byte)
}

fn escape(bytes: &[u8], part: Part) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for &byte in bytes {
        if is_plain(byte, part) {
            escaped.push(char::from(byte));
        } else {
            escaped += &format!("%{byte:02X}");
        }
    }
    escaped
}

fn unescape(bytes: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let strict = matches!(part, Part::Host | Part::Zone);
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            if strict && bytes[at].is_ascii() && !is_plain(bytes[at], part) {
                return Err(format!("invalid character {} in host name", quote(&char::from(bytes[at]).to_string())));
            }
            plain.push(bytes[at]);
            at += 1;
            continue;
        }
        let sequence = &bytes[at..bytes.len().min(at + 3)];
        let wrong = || Err(format!("invalid URL escape {}", quote(&text_from_bytes(sequence))));
        let code = match sequence {
            [_, high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                u8::from_str_radix(&String::from_utf8_lossy(&sequence[1..]), 16).unwrap_or_default()
            }
            _ => return wrong(),
        };
        let allowed = match part {
            Part::Host => code >= 0x80 || sequence == b"%25",
            Part::Zone => sequence == b"%25" || code == b' ' || is_plain(code, Part::Host),
            _ => true,
        };
        if !allowed {
            return wrong();
        }
        plain.push(code);
        at += 3;
    }
    Ok(plain)
}

#[derive(Debug, Default)]
struct Url {
    scheme: String,
    opaque: Vec<u8>,
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

impl Url {
    /// Go's `url.Parse`.
    fn read(source: &[u8]) -> Result<Url, String> {
        let (before, fragment) = cut(source, b'#');
        let describe = |url: &[u8], error: String| format!("parse {}: {error}", quote(&text_from_bytes(url)));
        let mut url = Url::read_plain(before).map_err(|error| describe(before, error))?;
        url.fragment = unescape(fragment, Part::Fragment).map_err(|error| describe(source, error))?;
        Ok(url)
    }

    fn read_plain(source: &[u8]) -> Result<Url, String> {
        let mut url = Url::default();
        if source.iter().any(u8::is_ascii_control) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if source == b"*" {
            url.path = source.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = scheme(source)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
            let end = memchr::memchr(b'/', &rest[2..]).map_or(rest.len(), |slash| slash + 2);
            let authority = &rest[2..end];
            rest = &rest[end..];
            let (user, host) = match memchr::memrchr(b'@', authority) {
                Some(at) => (Some(&authority[..at]), &authority[at + 1..]),
                None => (None, authority),
            };
            url.host = host_of(&url.scheme, host)?;
            url.user = user.map(user_of).transpose()?;
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    /// Go's `URL.Hostname`: without port and brackets.
    fn host_name(&self) -> &[u8] {
        let host = match memchr::memrchr(b':', &self.host) {
            Some(colon) if is_port(&self.host[colon..]) => &self.host[..colon],
            _ => &self.host,
        };
        host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host)
    }

    fn user_info(&self) -> String {
        match &self.user {
            None => String::new(),
            Some((name, None)) => escape(name, Part::User),
            Some((name, Some(password))) => format!("{}:{}", escape(name, Part::User), escape(password, Part::User)),
        }
    }

    /// Go's `URL.String`.
    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend([self.scheme.as_bytes(), b":"].concat());
        }
        if self.opaque.is_empty() {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    out.extend(b"//");
                }
                if self.user.is_some() {
                    out.extend(self.user_info().bytes().chain([b'@']));
                }
                out.extend(escape(&self.host, Part::Host).bytes());
            }
            let path = if self.path == b"*" { "*".to_owned() } else { escape(&self.path, Part::Path) };
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
                out.extend(b"./");
            }
            out.extend(path.bytes());
        } else {
            out.extend(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment).bytes());
        }
        out
    }
}

fn cut(source: &[u8], mark: u8) -> (&[u8], &[u8]) {
    memchr::memchr(mark, source).map_or((source, &[]), |at| (&source[..at], &source[at + 1..]))
}

fn scheme(source: &[u8]) -> Result<(String, &[u8]), String> {
    let end = source.iter().position(|&byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')));
    match end {
        Some(0) if source[0] == b':' => Err("missing protocol scheme".to_owned()),
        Some(end) if source[end] == b':' && source[0].is_ascii_alphabetic() => {
            Ok((String::from_utf8_lossy(&source[..end]).into_owned(), &source[end + 1..]))
        }
        _ => Ok((String::new(), source)),
    }
}

fn user_of(source: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !source.iter().all(allowed) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = cut(source, b':');
    let name = unescape(name, Part::User)?;
    let password = if source.contains(&b':') { Some(unescape(password, Part::User)?) } else { None };
    Ok((name, password))
}

fn is_port(source: &[u8]) -> bool {
    source.strip_prefix(b":").map_or(source.is_empty(), |port| port.iter().all(u8::is_ascii_digit))
}

fn check_port(source: &[u8]) -> Result<(), String> {
    if is_port(source) {
        return Ok(());
    }
    Err(format!("invalid port {} after host", quote(&text_from_bytes(source))))
}

fn host_of(scheme: &str, source: &[u8]) -> Result<Vec<u8>, String> {
    match memchr::memrchr(b'[', source) {
        Some(0) => {
            let end = memchr::memrchr(b']', source).ok_or("missing ']' in host")?;
            check_port(&source[end + 1..])?;
            let (address, zone) = match memchr::memmem::find(&source[1..end], b"%25") {
                Some(zone) => source[1..end].split_at(zone),
                None => (&source[1..end], &[][..]),
            };
            let (address, zone) = (unescape(address, Part::Host)?, unescape(zone, Part::Zone)?);
            let whole = [&address[..], &zone[..]].concat();
            let text = String::from_utf8_lossy(&address);
            if text.parse::<Ipv6Addr>().is_err() {
                if text.parse::<std::net::Ipv4Addr>().is_ok() && zone.is_empty() {
                    return Err("invalid IP-literal".to_owned());
                }
                return Err(format!(
                    "invalid host: ParseAddr({}): unable to parse IP",
                    quote(&text_from_bytes(&whole))
                ));
            }
            Ok([b"[", &whole[..], b"]", &source[end + 1..]].concat())
        }
        Some(_) => Err("invalid IP-literal".to_owned()),
        None => {
            let colon = match scheme {
                "http" | "https" => memchr::memchr(b':', source),
                // Lists of hosts, as databases have them.
                _ => memchr::memrchr(b':', source),
            };
            check_port(colon.map_or(&[], |colon| &source[colon..]))?;
            unescape(source, Part::Host)
        }
    }
}

fn parse(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let url = Url::read(&bytes_of(text(arguments, 0))).map_err(|error| format!("unable to parse url: {error}"))?;
    let text = |bytes: &[u8]| Value::from(text_from_bytes(bytes).into_owned());
    Ok(Value::map([
        ("scheme", url.scheme.as_str().into()),
        ("host", text(&url.host)),
        ("hostname", text(url.host_name())),
        ("path", text(&url.path)),
        ("query", text(&url.query)),
        ("opaque", text(&url.opaque)),
        ("fragment", text(&url.fragment)),
        ("userinfo", url.user_info().into()),
    ]))
}

fn join(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let part = |key: &str| match any(arguments, 0).as_map().and_then(|map| map.get(key)) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(bytes_of(&text).into_owned()),
        Some(Value::Nil) => Err(Error::from("runtime error: invalid memory address or nil pointer dereference")),
        Some(value) => {
            Err(format!("unable to parse {key} key, must be of type string, but {} found", kind_of(&value)).into())
        }
    };
    let mut url = Url {
        scheme: text_from_bytes(&part("scheme")?).into_owned(),
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let source = [b"proto://", &user[..], b"@host"].concat();
        let read = Url::read(&source).map_err(|error| format!("unable to parse userinfo in dict: {error}"))?;
        url.user = read.user;
    }
    Ok(text_from_bytes(&url.write()).into_owned().into())
}

/// One of the host's addresses; nothing unless the user lets templates ask the resolver.
fn host_by_name(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let Some(addresses_of) = env.context.resolver else { return Ok("".into()) };
    let addresses = addresses_of(text(arguments, 0));
    if addresses.is_empty() {
        return Err("invalid argument to Intn".into());
    }
    Ok(addresses[env.random.random_range(0..addresses.len())].to_string().into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(
            call("urlParse", &["HTTP://us%20er:p@[fe80::1%25en0]:80/a%2fb?q=1#f%20g".into()]),
            "map[fragment:f g host:[fe80::1%en0]:80 hostname:fe80::1%en0 opaque: path:/a/b query:q=1 scheme:http \
             userinfo:us%20er:p]"
        );
        assert_eq!(
            call("urlParse", &["mailto:a@b".into()]),
            "map[fragment: host: hostname: opaque:a@b path: query: scheme:mailto userinfo:]"
        );
        for (url, error) in [
            (":x", r#"parse ":x": missing protocol scheme"#),
            ("a:b:c/d\x7F", r#"parse "a:b:c/d\x7f": net/url: invalid control character in URL"#),
            ("1:b", r#"parse "1:b": first path segment in URL cannot contain colon"#),
            ("http://a:b", r#"parse "http://a:b": invalid port ":b" after host"#),
            ("http://a b", r#"parse "http://a b": invalid character " " in host name"#),
            ("/%zz", r#"parse "/%zz": invalid URL escape "%zz""#),
            ("http://[1.2.3.4]", r#"parse "http://[1.2.3.4]": invalid IP-literal"#),
            ("http://a<b@c", r#"parse "http://a<b@c": net/url: invalid userinfo"#),
        ] {
            assert_eq!(call("urlParse", &[url.into()]), format!("error: unable to parse url: {error}"), "{url}");
        }
    }

    #[test]
    fn urls_are_put_together() {
        let url = |entries: &[(&str, &str)]| {
            call("urlJoin", &[Value::map(entries.iter().map(|(key, value)| (*key, Value::from(*value))))])
        };
        assert_eq!(
            url(&[("scheme", "http"), ("host", "h:80"), ("path", "a b"), ("query", "q=1"), ("userinfo", "u:p@")]),
            "http://u:p%40@h:80/a%20b?q=1"
        );
        assert_eq!(url(&[("path", "a:b")]), "./a:b");
        assert_eq!(url(&[("scheme", "x"), ("opaque", "y"), ("fragment", "é")]), "x:y#%C3%A9");
        assert_eq!(
            call("urlJoin", &[Value::map([("host", Value::Int(1))])]),
            "error: unable to parse host key, must be of type string, but int found"
        );
    }

    #[test]
    fn names_are_looked_up_only_when_allowed() {
        assert_eq!(call("getHostByName", &["localhost".into()]), "");
    }
}
