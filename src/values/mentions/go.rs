//! What Go templates mention.

use super::token::{Token, string_end, tokens};
use super::{Mentions, Path, Use, joined};
use std::collections::HashMap;

/// Functions that print, compare or count: what they give has no keys to go on with.
const SCALAR: &[&str] = &[
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "empty",
    "len",
    "hasKey",
    "has",
    "contains",
    "kindIs",
    "kindOf",
    "typeIs",
    "typeOf",
    "quote",
    "squote",
    "printf",
    "print",
    "println",
    "indent",
    "nindent",
    "trim",
    "trunc",
    "trimSuffix",
    "trimPrefix",
    "toString",
    "int",
    "int64",
    "float64",
    "upper",
    "lower",
    "title",
    "replace",
    "join",
    "add",
    "sub",
    "mul",
    "div",
    "mod",
    "b64enc",
    "b64dec",
    "sha256sum",
    "required",
    "default",
    "ternary",
    "fail",
    "index",
    "get",
    "dig",
    "semverCompare",
    "regexMatch",
    "regexReplaceAll",
    "hasPrefix",
    "hasSuffix",
    "true",
    "false",
    "nil",
    "atoi",
    "max",
    "min",
    "floor",
    "ceil",
    "round",
    "cat",
    "html",
    "js",
    "urlquery",
    "kebabcase",
    "snakecase",
    "camelcase",
    "repeat",
    "if",
    "else",
    "with",
    "range",
    "end",
];
/// Functions that write a value with all that is in it.
const WHOLE: &[&str] =
    &["toYaml", "toJson", "toPrettyJson", "toRawJson", "toToml", "toYamlPretty", "mustToYaml", "mustToJson"];
/// Functions whose text arguments are keys.
const KEYED: &[&str] =
    &["index", "get", "hasKey", "pluck", "dig", "pick", "omit", "list", "tuple", "dict", "set", "unset", "coalesce"];
/// What a template's context has besides the values.
const OBJECTS: &[&str] = &["Release", "Chart", "Capabilities", "Files", "Template", "Subcharts"];

/// Adds what a template mentions.
pub(super) fn scan(text: &str, mentions: &mut Mentions) {
    let mut scan = Scan { mentions, dots: Vec::new(), variables: HashMap::new() };
    let mut rest = text;
    while let Some(start) = memchr::memmem::find(rest.as_bytes(), b"{{") {
        scan.mentions.start(text.len() - rest.len() + start);
        let body = &rest[start + 2..];
        let inner = body.trim_start_matches('-').trim_start();
        let end = if inner.starts_with("/*") {
            memchr::memmem::find(body.as_bytes(), b"*/").unwrap_or(body.len())
        } else {
            let end = action_end(body);
            scan.action(&tokens(body[..end].trim_matches('-')));
            end
        };
        rest = body.get(end + 2..).unwrap_or_default();
    }
}

/// Where an action ends: at the first `}}` outside of strings.
fn action_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'`') => at = string_end(bytes, at, quote) + 1,
            b'}' if bytes.get(at + 1) == Some(&b'}') => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

struct Scan<'m> {
    mentions: &'m mut Mentions,
    /// What the dot is in each open block, where it is a path into the values.
    dots: Vec<Dot>,
    /// Variables that are such paths.
    variables: HashMap<String, Path>,
}

#[derive(Debug, Clone)]
enum Dot {
    /// A template's context, or what a caller handed over.
    Context,
    Path(Path),
    Unknown,
}

impl Scan<'_> {
    fn action(&mut self, tokens: &[Token<'_>]) {
        let word = |at: usize| match tokens.get(at) {
            Some(Token::Chain { text, .. }) => *text,
            _ => "",
        };
        let (keyword, rest) = match (word(0), word(1)) {
            ("else", "with") => ("else with", tokens.get(2..).unwrap_or_default()),
            ("else", _) => ("else", tokens.get(2..).unwrap_or_default()),
            (keyword @ ("if" | "with" | "range" | "define" | "block" | "end"), _) => (keyword, &tokens[1..]),
            _ => ("", tokens),
        };
        match keyword {
            "end" => {
                self.dots.pop();
            }
            "define" => self.dots.push(Dot::Context),
            "block" => {
                self.pipeline(rest);
                self.dots.push(Dot::Context);
            }
            "if" => {
                self.pipeline(rest);
                self.dots.push(self.dot());
            }
            "else" => self.pipeline(rest),
            "with" | "else with" => {
                if keyword == "else with" {
                    self.dots.pop();
                }
                let dot = self.assigned(rest).map_or(Dot::Unknown, Dot::Path);
                self.dots.push(dot);
            }
            "range" => {
                let start = rest.iter().position(|token| *token == Token::Assign).map_or(0, |at| at + 1);
                for token in &rest[..start] {
                    if let Token::Chain { text, .. } = token {
                        self.variables.remove(*text);
                    }
                }
                match self.alone(&rest[start..]) {
                    Some(path) => self.mentions.path(path, Use::Iterated),
                    None => self.pipeline(&rest[start..]),
                }
                self.dots.push(Dot::Unknown);
            }
            _ => {
                self.assigned(rest);
            }
        }
    }

    fn dot(&self) -> Dot {
        self.dots.last().cloned().unwrap_or(Dot::Context)
    }

    /// `$x := .Values.image` makes a variable a path. Gives the path of what is assigned, or stands alone.
    fn assigned(&mut self, tokens: &[Token<'_>]) -> Option<Path> {
        let (variable, value) = match tokens {
            [Token::Chain { text, .. }, Token::Assign, value @ ..] if text.starts_with('$') => (Some(*text), value),
            _ => (None, tokens),
        };
        let path = self.alone(value);
        match &path {
            Some(path) => self.mentions.path(path.clone(), Use::Read),
            None => self.pipeline(value),
        }
        match (variable, &path) {
            (Some(variable), Some(path)) => {
                self.variables.insert(variable.to_owned(), path.clone());
            }
            (Some(variable), None) => {
                self.variables.remove(variable);
            }
            _ => {}
        }
        path
    }

    /// The path of a pipeline that is nothing but a path, also as `index .Values "a" "b"`.
    fn alone(&self, tokens: &[Token<'_>]) -> Option<Path> {
        match tokens {
            [Token::Chain { text, follows: false }] => self.resolve(text),
            [Token::Open, inner @ .., Token::Close] if !inner.contains(&Token::Close) => self.alone(inner),
            [Token::Chain { text: "index", .. }, Token::Chain { text, follows: false }, keys @ ..] => {
                let mut path = self.resolve(text)?;
                for key in keys {
                    let Token::Text(key) = key else { return None };
                    path.push((*key).into());
                }
                Some(path)
            }
            _ => None,
        }
    }

    fn resolve(&self, chain: &str) -> Option<Path> {
        let parts: Vec<&str> = chain.split('.').collect();
        if let Some(at) = parts.iter().position(|part| *part == "Values") {
            return Some(joined(&[], &parts[at + 1..]));
        }
        if let Some(path) = self.variables.get(parts[0]) {
            return Some(joined(path, &parts[1..]));
        }
        match self.dots.last() {
            Some(Dot::Path(path)) if parts[0].is_empty() => Some(joined(path, &parts[1..])),
            _ => None,
        }
    }

    fn pipeline(&mut self, tokens: &[Token<'_>]) {
        let functions = || {
            tokens.iter().filter_map(|token| match token {
                Token::Chain { text, .. } if !text.contains(['.', '$']) => Some(*text),
                _ => None,
            })
        };
        let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let kind = if functions().any(|word| WHOLE.contains(&word)) {
            Use::Whole
        } else if functions().all(|word| SCALAR.contains(&word) || is_word(word)) && !goes_on(tokens) {
            Use::Read
        } else {
            Use::Taken
        };
        let keyed = functions().any(|word| KEYED.contains(&word));
        let mut at = 0;
        while at < tokens.len() {
            let before = at.checked_sub(1).map(|at| &tokens[at]);
            match &tokens[at] {
                Token::Chain { text, follows } => at += self.chain(text, *follows, before, &tokens[at + 1..], kind),
                Token::Text(text) => {
                    if text.contains("{{") {
                        self.mentions.inside += 1;
                        scan(text, self.mentions);
                        self.mentions.inside -= 1;
                    }
                    let names_template =
                        matches!(before, Some(Token::Chain { text: "include" | "template" | "printf", .. }));
                    if keyed && !names_template {
                        self.mentions.key(text);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// A chain, and the keys after it that belong to it; gives their number.
    fn chain(
        &mut self,
        text: &str,
        follows: bool,
        before: Option<&Token<'_>>,
        after: &[Token<'_>],
        kind: Use,
    ) -> usize {
        if !follows && let Some(mut path) = self.resolve(text) {
            let function = match before {
                Some(Token::Chain { text, .. }) => *text,
                _ => "",
            };
            let keys = after.iter().map_while(|token| match token {
                Token::Text(key) => Some(*key),
                _ => None,
            });
            let keys: Vec<&str> = match function {
                "index" => keys.collect(),
                "hasKey" | "get" => keys.take(1).collect(),
                _ => Vec::new(),
            };
            let dynamic = matches!(function, "index" | "get")
                && matches!(after.get(keys.len()), Some(Token::Chain { .. } | Token::Open));
            if function == "hasKey" {
                self.mentions.path(path.clone(), Use::Read);
            }
            path.extend(keys.iter().map(|&key| key.into()));
            self.mentions.path(path, if dynamic { Use::Taken.max(kind) } else { kind });
            return keys.len();
        }
        let parts: Vec<&str> = text.split('.').collect();
        let is_object = !follows && parts.get(1).is_some_and(|part| OBJECTS.contains(part));
        if !is_object {
            if !follows && parts.len() > 1 {
                self.mentions.chains.insert(joined(&[], &parts[1..]));
            }
            // The first part is a variable, a function, or empty before a dot.
            self.mentions.add_names(parts.into_iter().skip(1));
        }
        0
    }
}

/// Whether names follow a bracket: `(…).name`.
fn goes_on(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Chain { follows: true, .. }))
}
