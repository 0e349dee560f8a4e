//! The words of a template action, as far as they tell what it mentions. Both dialects share them.

/// A word of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Names joined by dots: `.Values.image.tag`, `$x.y`, `values.image`, `include`. `follows`: it goes on from a
    /// closing bracket, as in `(…).name`.
    Chain {
        text: &'a str,
        follows: bool,
    },
    /// The inside of a string, escapes as they stand.
    Text(&'a str),
    Open,
    Close,
    /// `[`
    Subscript,
    Pipe,
    /// `:=` and `=`
    Assign,
    Comma,
    Other,
}

/// Takes an action apart.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            quote @ (b'"' | b'\'' | b'`') => {
                let end = string_end(bytes, at, quote);
                tokens.push(Token::Text(text.get(at + 1..end).unwrap_or_default()));
                at = end + 1;
            }
            byte if is_chain(byte) => {
                while at < bytes.len() && is_chain(bytes[at]) {
                    at += 1;
                }
                let follows = start > 0 && matches!(bytes[start - 1], b')' | b']');
                tokens.push(Token::Chain { text: &text[start..at], follows });
            }
            byte => {
                at += 1;
                tokens.push(match byte {
                    b'(' => Token::Open,
                    b')' => Token::Close,
                    b'[' => Token::Subscript,
                    b'|' => Token::Pipe,
                    b',' => Token::Comma,
                    b'=' if bytes.get(at) != Some(&b'=')
                        && !matches!(bytes[start.saturating_sub(1)], b'=' | b'!' | b'<' | b'>') =>
                    {
                        Token::Assign
                    }
                    b':' if bytes.get(at) == Some(&b'=') => {
                        at += 1;
                        Token::Assign
                    }
                    _ => Token::Other,
                });
            }
        }
    }
    tokens
}

fn is_chain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$') || byte >= 0x80
}

/// Where a string that starts with this quote ends: at its other quote, or with the text.
pub(super) fn string_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' && quote != b'`' { 2 } else { 1 };
    }
    at.min(bytes.len())
}
