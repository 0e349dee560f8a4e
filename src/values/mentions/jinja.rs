//! What Jinja templates mention.

use super::token::{Token, string_end, tokens};
use super::{Mentions, Path, Use, joined};
use std::collections::HashMap;

/// Adds what a template mentions.
pub(super) fn scan(text: &str, mentions: &mut Mentions) {
    let mut scan = Scan { mentions, variables: HashMap::new() };
    let mut rest = text;
    while let Some(start) = memchr::memchr(b'{', rest.as_bytes()) {
        scan.mentions.start(text.len() - rest.len() + start);
        let body = rest.get(start + 2..).unwrap_or_default();
        let end = match rest.as_bytes().get(start + 1) {
            Some(b'{') => {
                let end = action_end(body, b'}');
                scan.expression(&tokens(body[..end].trim_matches(['-', '+'])), Use::Whole);
                end
            }
            Some(b'%') => {
                let end = action_end(body, b'%');
                scan.statement(&tokens(body[..end].trim_matches(['-', '+'])));
                end
            }
            Some(b'#') => memchr::memmem::find(body.as_bytes(), b"#}").unwrap_or(body.len()),
            _ => {
                rest = &rest[start + 1..];
                continue;
            }
        };
        rest = body.get(end + 2..).unwrap_or_default();
    }
}

/// Where an action ends: at `}}` or `%}` outside of strings.
fn action_end(text: &str, first: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = string_end(bytes, at, quote) + 1,
            byte if byte == first && bytes.get(at + 1) == Some(&b'}') => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

struct Scan<'m> {
    mentions: &'m mut Mentions,
    /// Variables that are paths into the values.
    variables: HashMap<String, Path>,
}

impl Scan<'_> {
    fn statement(&mut self, tokens: &[Token<'_>]) {
        let Some(Token::Chain { text: keyword, .. }) = tokens.first() else { return };
        let rest = &tokens[1..];
        match *keyword {
            "for" => {
                let start = rest.iter().position(|token| matches!(token, Token::Chain { text: "in", .. }));
                let (names, value) = rest.split_at(start.unwrap_or(0));
                for name in names {
                    if let Token::Chain { text, .. } = name {
                        self.variables.remove(*text);
                    }
                }
                self.expression(value.get(1..).unwrap_or_default(), Use::Iterated);
            }
            "set" | "with" => match rest {
                [Token::Chain { text: name, .. }, Token::Assign, value @ ..] => {
                    match value {
                        [Token::Chain { text, follows: false }] if let Some(path) = self.resolve(text) => {
                            self.mentions.path(path.clone(), Use::Read);
                            self.variables.insert((*name).to_owned(), path);
                            return;
                        }
                        _ => self.variables.remove(*name),
                    };
                    self.expression(value, Use::Taken);
                }
                _ => self.expression(rest, Use::Taken),
            },
            "include" | "import" | "from" | "extends" => {}
            "if" | "elif" => self.expression(rest, Use::Read),
            _ => self.expression(rest, Use::Taken),
        }
    }

    fn resolve(&self, chain: &str) -> Option<Path> {
        let parts: Vec<&str> = chain.split('.').collect();
        if let Some(at) = parts.iter().position(|part| *part == "values") {
            return Some(joined(&[], &parts[at + 1..]));
        }
        Some(joined(self.variables.get(parts[0])?, &parts[1..]))
    }

    /// `alone` is what happens to a value that no function is called with.
    fn expression(&mut self, tokens: &[Token<'_>], alone: Use) {
        let mut calls = 0_u32;
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                Token::Open => calls += u32::from(at > 0 && matches!(tokens[at - 1], Token::Chain { .. })),
                Token::Close => calls = calls.saturating_sub(1),
                Token::Chain { text, follows } => {
                    at += self.chain(text, *follows, &tokens[at + 1..], if calls > 0 { Use::Taken } else { alone });
                }
                Token::Text(text) => {
                    if text.contains("{{") {
                        self.mentions.inside += 1;
                        scan(text, self.mentions);
                        self.mentions.inside -= 1;
                    }
                    self.mentions.key(text);
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// A chain, and the subscripts after it; gives the number of their tokens.
    fn chain(&mut self, text: &str, follows: bool, after: &[Token<'_>], kind: Use) -> usize {
        let called = matches!(after.first(), Some(Token::Open));
        if !follows && let Some(mut path) = self.resolve(text) {
            if called {
                // `values.map.get("key")`: the last name is a method.
                let method = path.pop();
                self.mentions.add_names(method.as_deref());
                if let (Some("get"), Some(Token::Text(key))) = (method.as_deref(), after.get(1)) {
                    let mut inner = path.clone();
                    inner.push((*key).into());
                    self.mentions.path(inner, kind);
                }
                self.mentions.path(path, Use::Taken);
                return 0;
            }
            let mut used = 0;
            while let [Token::Subscript, Token::Text(key), Token::Other, ..] = &after[used..] {
                path.push((*key).into());
                used += 3;
            }
            let dynamic = matches!(after.get(used), Some(Token::Subscript));
            let filtered = matches!(after.get(used), Some(Token::Pipe));
            let kind = match kind {
                kind if dynamic => Use::Taken.max(kind),
                Use::Read if filtered => Use::Taken,
                kind => kind,
            };
            self.mentions.path(path, kind);
            return used;
        }
        self.mentions.add_names(text.split('.').skip(usize::from(!follows)));
        0
    }
}
