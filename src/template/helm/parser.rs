//! Parses template text into an [`Ast`]. Grammar, messages and the lines they name are those of Go's
//! `text/template/parse`, which is why tokens are looked at and put back in the same order.

use super::ast::{Ast, Branch, Id, Kind, Many, Node, line_of};
use super::builtins::Callee;
use super::lexer::{Kind as TokenKind, Lexer, Token};
use super::literal;
use super::print;
use super::stack::Guard;
use crate::value::{Str, Value};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;

/// Go's own bound on parentheses in parentheses.
const MAX_PARENS: u32 = 10_000;

/// Why a text is no template.
#[derive(Debug, Clone)]
pub(super) struct ParseError {
    pub(super) line: usize,
    pub(super) message: String,
    /// Where the parser was, as byte offsets.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The nesting is deeper than the stack allows.
    pub(super) too_deep: bool,
}

type Result<T> = std::result::Result<T, Box<ParseError>>;

/// Texts that are parsed one after the other.
#[derive(Debug, Default)]
pub(super) struct Batch<'t> {
    ast: Ast,
    /// Indices in the lists of variables, strings and functions, by the text of the token.
    known: HashMap<&'t str, u32, foldhash::fast::RandomState>,
    /// How many times each variable is in scope.
    in_scope: Vec<u32>,
    /// The nodes of the lists, pipelines and commands that are being parsed, the innermost last.
    pending: Vec<Id>,
}

/// Root and emptiness of each template of a text by name.
pub(super) type Definitions = IndexMap<Str, (Id, bool), foldhash::fast::RandomState>;

impl<'t> Batch<'t> {
    /// Parses a text: its own template and the definitions in it, in no order that matters.
    pub(super) fn parse(&mut self, name: &'t Str, text: &'t str) -> Result<Definitions> {
        let mut parse = |guard| -> Result<_> {
            let mut parser = Parser::new(name, text, guard, self);
            parser.template(name)?;
            Ok(parser.trees)
        };
        match parse(Guard::small()) {
            Err(error) if error.too_deep => super::stack::grow(parse).unwrap_or(Err(error)),
            result => result,
        }
    }

    /// What was parsed from all texts.
    pub(super) fn finish(self) -> Arc<Ast> {
        let mut ast = self.ast;
        ast.nodes.shrink_to_fit();
        ast.ids.shrink_to_fit();
        ast.names.shrink_to_fit();
        Arc::new(ast)
    }
}

/// What ends a list of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
}

impl Stop {
    fn text(self) -> &'static str {
        match self {
            Stop::End => "{{end}}",
            Stop::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Id),
    Stop(Stop),
}

struct Parser<'t, 'b> {
    name: &'t Str,
    text: &'t str,
    lexer: Lexer<'t>,
    /// Three tokens of look-ahead, the latest first.
    tokens: [Token; 3],
    peeked: usize,
    batch: &'b mut Batch<'t>,
    trees: Definitions,
    /// The variables in scope, as indices in [`Ast::variables`].
    variables: Vec<u32>,
    /// Start of the action that is being parsed.
    action: Option<u32>,
    range_depth: u32,
    parens: u32,
    guard: Guard,
}

impl<'t, 'b> Parser<'t, 'b> {
    fn new(name: &'t Str, text: &'t str, guard: Guard, batch: &'b mut Batch<'t>) -> Self {
        if batch.ast.variables.is_empty() {
            batch.ast.variables.push("$".into());
            batch.known.insert("$", 0);
        }
        batch.pending.clear();
        batch.in_scope.clear();
        batch.in_scope.resize(batch.ast.variables.len(), 0);
        batch.in_scope[0] = 1;
        Parser {
            name,
            text,
            lexer: Lexer::new(text),
            tokens: [Token { kind: TokenKind::Eof, start: 0, end: 0 }; 3],
            peeked: 0,
            batch,
            trees: IndexMap::default(),
            variables: vec![0],
            action: None,
            range_depth: 0,
            parens: 0,
            guard,
        }
    }

    fn next(&mut self) -> Token {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.lexer.next_token();
        }
        self.tokens[self.peeked]
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn peek(&mut self) -> Token {
        if self.peeked == 0 {
            self.peeked = 1;
            self.tokens[0] = self.lexer.next_token();
        }
        self.tokens[self.peeked - 1]
    }

    fn next_non_space(&mut self) -> Token {
        self.pass_plain_space();
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    /// Passes the space that comes next without making a token of it. Says whether it did.
    fn pass_plain_space(&mut self) -> bool {
        self.peeked == 0 && self.lexer.pass_plain_space()
    }

    fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn text_of(&self, token: Token) -> &'t str {
        &self.text[token.start as usize..token.end as usize]
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        let token = self.tokens[0];
        Err(Box::new(ParseError {
            line: line_of(self.text, token.start),
            message: message.into(),
            start: token.start,
            end: token.end,
            too_deep: false,
        }))
    }

    fn check_depth(&self) -> Result<()> {
        if self.guard.has_room() {
            return Ok(());
        }
        let mut error = self.fail::<()>("template nests too deep").unwrap_err();
        error.too_deep = true;
        Err(error)
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(token, context) }
    }

    fn unexpected<T>(&mut self, token: Token, context: &str) -> Result<T> {
        if token.kind != TokenKind::Error {
            return self.fail(format!("unexpected {} in {context}", self.describe(token)));
        }
        let mut message = self.lexer.error.clone().unwrap_or_default();
        let action_line = self.action.map(|start| line_of(self.text, start));
        if let Some(line) = action_line.filter(|&line| line != line_of(self.text, token.start)) {
            let started = if message.ends_with(" action") { " started at" } else { " in action started at" };
            message = format!("{message}{started} {}:{line}", self.name);
        }
        self.fail(message)
    }

    /// A token as Go prints it in errors.
    fn describe(&self, token: Token) -> String {
        let text = self.text_of(token);
        match token.kind {
            TokenKind::Eof => "EOF".to_owned(),
            TokenKind::Error => self.lexer.error.clone().unwrap_or_default(),
            kind if kind.is_keyword() => format!("<{text}>"),
            _ if crate::value::bytes_of(text).len() > 10 => {
                print::sprintf("%.10q...", &[Value::from(text)]).unwrap_or_default()
            }
            _ => print::quote(text),
        }
    }

    fn add(&mut self, pos: u32, start: u32, end: u32, kind: Kind) -> Id {
        self.batch.ast.nodes.push(Node { pos, start, end, kind });
        (self.batch.ast.nodes.len() - 1) as Id
    }

    fn add_token(&mut self, token: Token, kind: Kind) -> Id {
        self.add(token.start, token.start, token.end, kind)
    }

    /// Moves the pending nodes from `mark` on to where they stay.
    fn settle(&mut self, mark: usize) -> Many {
        let Batch { ast: Ast { ids, .. }, pending, .. } = &mut *self.batch;
        let many = Many { start: ids.len() as u32, len: (pending.len() - mark) as u32 };
        ids.extend_from_slice(&pending[mark..]);
        pending.truncate(mark);
        many
    }

    /// The index of a string constant.
    fn string(&mut self, token: Token) -> Result<u32> {
        let text = self.text_of(token);
        if let Some(&index) = self.batch.known.get(text) {
            return Ok(index);
        }
        let string = match literal::plain(text) {
            Some(plain) => plain.into(),
            None => match literal::unquote(text) {
                Some(text) => text.into(),
                None => return self.fail("invalid syntax"),
            },
        };
        self.batch.ast.strings.push(string);
        let index = (self.batch.ast.strings.len() - 1) as u32;
        self.batch.known.insert(text, index);
        Ok(index)
    }

    /// The index of a function.
    fn function(&mut self, name: &'t str) -> Result<u32> {
        if let Some(&index) = self.batch.known.get(name) {
            return Ok(index);
        }
        let Some(callee) = Callee::find(name) else {
            return self.fail(format!("function {} not defined", print::quote(name)));
        };
        self.batch.ast.functions.push(callee);
        let index = (self.batch.ast.functions.len() - 1) as u32;
        self.batch.known.insert(name, index);
        Ok(index)
    }

    fn node(&self, id: Id) -> &Node {
        &self.batch.ast.nodes[id as usize]
    }

    /// Where the last pending node ends; `start` if there is none from `mark` on.
    fn end_of_pending(&self, mark: usize, start: u32) -> u32 {
        self.batch.pending[mark..].last().map_or(start, |&last| self.node(last).end)
    }

    fn declare(&mut self, name: &'t str) -> u32 {
        let id = *self.batch.known.entry(name).or_insert_with(|| {
            self.batch.ast.variables.push(name.into());
            self.batch.in_scope.push(0);
            (self.batch.in_scope.len() - 1) as u32
        });
        self.variables.push(id);
        self.batch.in_scope[id as usize] += 1;
        id
    }

    /// Leaves scopes: only the first `count` variables stay.
    fn leave(&mut self, count: usize) {
        for id in self.variables.drain(count..) {
            self.batch.in_scope[id as usize] -= 1;
        }
    }

    /// Whether a list holds nothing but space and comments.
    fn is_empty(&self, root: Id) -> bool {
        let Kind::List(items) = self.node(root).kind else { return false };
        self.batch.ast.ids[items.range()].iter().all(|&item| {
            let node = self.node(item);
            match node.kind {
                Kind::Text => self.text[node.start as usize..node.end as usize].trim().is_empty(),
                _ => false,
            }
        })
    }

    fn add_tree(&mut self, name: Str, root: Id) -> Result<()> {
        let is_empty = self.is_empty(root);
        match self.trees.get(&name) {
            Some((_, false)) if is_empty => {}
            Some((_, false)) => {
                return self.fail(format!("template: multiple definition of template {}", print::quote(&name)));
            }
            _ => {
                self.trees.insert(name, (root, is_empty));
            }
        }
        Ok(())
    }

    /// A whole text.
    fn template(&mut self, name: &Str) -> Result<()> {
        let first = self.peek();
        let mark = self.batch.pending.len();
        while self.peek().kind != TokenKind::Eof {
            if self.peek().kind == TokenKind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == TokenKind::Define {
                    self.definition()?;
                    continue;
                }
                self.tokens[1] = delim;
                self.peeked = 2;
            }
            match self.text_or_action()? {
                Item::Node(node) => self.batch.pending.push(node),
                Item::Stop(stop) => return self.fail(format!("unexpected {}", stop.text())),
            }
        }
        let root = self.list(first.start, mark);
        self.add_tree(Arc::clone(name), root)
    }

    /// The list of the pending nodes from `mark` on.
    fn list(&mut self, start: u32, mark: usize) -> Id {
        let end = self.end_of_pending(mark, start);
        let items = self.settle(mark);
        self.add(start, start, end, Kind::List(items))
    }

    /// `{{define "name"}} … {{end}}` after the keyword.
    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        self.expect(TokenKind::RightDelim, CONTEXT)?;
        self.body(name, CONTEXT)
    }

    /// The body of a definition or block: a template with variables of its own.
    fn body(&mut self, name: u32, context: &str) -> Result<()> {
        let name = Arc::clone(&self.batch.ast.strings[name as usize]);
        let variables = std::mem::replace(&mut self.variables, vec![0]);
        let in_scope = vec![0; self.batch.in_scope.len()];
        let mut in_scope = std::mem::replace(&mut self.batch.in_scope, in_scope);
        self.batch.in_scope[0] = 1;
        let range_depth = std::mem::take(&mut self.range_depth);
        let action = self.action.take();
        let head = self.tokens[0];
        let (root, stop) = self.item_list()?;
        if stop != Stop::End {
            // Go's parser of the text around a block has not seen the block's tokens.
            if context == "block clause" {
                self.tokens[0] = head;
            }
            return self.fail(format!("unexpected {} in {context}", stop.text()));
        }
        self.add_tree(name, root)?;
        in_scope.resize(self.batch.in_scope.len(), 0);
        self.batch.in_scope = in_scope;
        self.variables = variables;
        self.range_depth = range_depth;
        self.action = action;
        Ok(())
    }

    fn item_list(&mut self) -> Result<(Id, Stop)> {
        self.check_depth()?;
        let start = self.peek_non_space().start;
        let mark = self.batch.pending.len();
        while self.peek_non_space().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => self.batch.pending.push(node),
                Item::Stop(stop) => return Ok((self.list(start, mark), stop)),
            }
        }
        self.fail("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Item::Node(self.add_token(token, Kind::Text))),
            TokenKind::LeftDelim => {
                self.action = Some(token.start);
                let item = self.action(token)?;
                self.action = None;
                Ok(item)
            }
            _ => self.unexpected(token, "input"),
        }
    }

    fn action(&mut self, delim: Token) -> Result<Item> {
        let token = self.next_non_space();
        let node = match token.kind {
            TokenKind::Block => self.block(delim)?,
            TokenKind::Break => self.jump(delim, token, Kind::Break, "{{break}}")?,
            TokenKind::Continue => self.jump(delim, token, Kind::Continue, "{{continue}}")?,
            TokenKind::Else => {
                let next = self.peek_non_space();
                if !matches!(next.kind, TokenKind::If | TokenKind::With) {
                    self.expect(TokenKind::RightDelim, "else")?;
                }
                return Ok(Item::Stop(Stop::Else));
            }
            TokenKind::End => {
                self.expect(TokenKind::RightDelim, "end")?;
                return Ok(Item::Stop(Stop::End));
            }
            TokenKind::If => self.control(delim, "if")?,
            TokenKind::Range => self.control(delim, "range")?,
            TokenKind::With => self.control(delim, "with")?,
            TokenKind::Template => self.call_template(delim)?,
            _ => {
                self.backup();
                let start = self.peek().start;
                let pipe = self.pipeline("command", TokenKind::RightDelim)?;
                let end = self.end_of_action();
                self.add(start, delim.start, end, Kind::Action { pipe })
            }
        };
        Ok(Item::Node(node))
    }

    /// The end of the right delimiter or parenthesis that was read last.
    fn end_of_action(&self) -> u32 {
        self.tokens[0].end
    }

    fn jump(&mut self, delim: Token, token: Token, kind: Kind, text: &str) -> Result<Id> {
        let next = self.next_non_space();
        if next.kind != TokenKind::RightDelim {
            return self.unexpected(next, text);
        }
        if self.range_depth == 0 {
            return self.fail(format!("{text} outside {{{{range}}}}"));
        }
        Ok(self.add(token.start, delim.start, next.end, kind))
    }

    /// `if`, `range` or `with` after the keyword, up to its end.
    fn control(&mut self, delim: Token, context: &str) -> Result<Id> {
        self.check_depth()?;
        let scope = self.variables.len();
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        let head_end = self.end_of_action();
        self.range_depth += u32::from(context == "range");
        let (body, stop) = self.item_list()?;
        self.range_depth -= u32::from(context == "range");
        let otherwise = match stop {
            Stop::End => None,
            Stop::Else => Some(self.otherwise(delim, context)?),
        };
        self.leave(scope);
        let branch = Branch { pipe, body, otherwise };
        let kind = match context {
            "if" => Kind::If(branch),
            "range" => Kind::Range(branch),
            _ => Kind::With(branch),
        };
        let pos = self.node(pipe).start;
        Ok(self.add(pos, delim.start, head_end, kind))
    }

    fn otherwise(&mut self, delim: Token, context: &str) -> Result<Id> {
        let next = self.peek();
        let chains = matches!((context, next.kind), ("if", TokenKind::If) | ("with", TokenKind::With));
        if chains {
            self.next();
            let delim = Token { start: next.start, ..delim };
            let node = self.control(delim, context)?;
            let mark = self.batch.pending.len();
            self.batch.pending.push(node);
            return Ok(self.list(next.start, mark));
        }
        let (list, stop) = self.item_list()?;
        if stop != Stop::End {
            return self.fail(format!("expected end; found {}", stop.text()));
        }
        Ok(list)
    }

    /// `{{block "name" pipe}} … {{end}}` after the keyword.
    fn block(&mut self, delim: Token) -> Result<Id> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, TokenKind::RightDelim)?;
        let end = self.end_of_action();
        self.body(name, CONTEXT)?;
        Ok(self.add(token.start, delim.start, end, Kind::Template { name, pipe: Some(pipe) }))
    }

    /// `{{template "name" pipe}}` after the keyword.
    fn call_template(&mut self, delim: Token) -> Result<Id> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = if self.next_non_space().kind == TokenKind::RightDelim {
            None
        } else {
            self.backup();
            Some(self.pipeline(CONTEXT, TokenKind::RightDelim)?)
        };
        let end = self.end_of_action();
        Ok(self.add(token.start, delim.start, end, Kind::Template { name, pipe }))
    }

    fn template_name(&mut self, token: Token, context: &str) -> Result<u32> {
        match token.kind {
            TokenKind::String | TokenKind::RawString => self.string(token),
            _ => self.unexpected(token, context),
        }
    }

    fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Id> {
        let first = self.peek_non_space();
        let mark = self.batch.pending.len();
        let mut assigns = false;
        loop {
            let variable = self.peek_non_space();
            if variable.kind != TokenKind::Variable {
                break;
            }
            self.next();
            let after = self.peek();
            let next = self.peek_non_space();
            let is_comma = next.kind == TokenKind::Other && self.text_of(next) == ",";
            if matches!(next.kind, TokenKind::Assign | TokenKind::Declare) || is_comma {
                self.next_non_space();
                let id = self.declare(self.text_of(variable));
                let node = self.add_token(variable, Kind::Variable { variable: id, fields: Many::default() });
                self.batch.pending.push(node);
            }
            if !is_comma {
                match next.kind {
                    TokenKind::Assign | TokenKind::Declare => assigns = next.kind == TokenKind::Assign,
                    _ if after.kind == TokenKind::Space => {
                        self.tokens[1] = after;
                        self.tokens[2] = variable;
                        self.peeked = 3;
                    }
                    _ => {
                        self.tokens[1] = variable;
                        self.peeked = 2;
                    }
                }
                break;
            }
            if context == "range" && self.batch.pending.len() - mark < 2 {
                match self.peek_non_space().kind {
                    TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => continue,
                    _ => return self.fail("range can only initialize variables"),
                }
            }
            return self.fail(format!("too many declarations in {context}"));
        }
        let variables = self.settle(mark);
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(mark, context)?;
                    let last = self.end_of_pending(mark, first.start);
                    let commands = self.settle(mark);
                    return Ok(self.add(first.start, first.start, last, Kind::Pipe { variables, commands, assigns }));
                }
                TokenKind::Bool
                | TokenKind::Char
                | TokenKind::Complex
                | TokenKind::Dot
                | TokenKind::Field
                | TokenKind::Identifier
                | TokenKind::Number
                | TokenKind::Nil
                | TokenKind::RawString
                | TokenKind::String
                | TokenKind::Variable
                | TokenKind::LeftParen => {
                    let command = self.command(token)?;
                    self.batch.pending.push(command);
                }
                _ => return self.unexpected(token, context),
            }
        }
    }

    fn check_pipeline(&self, mark: usize, context: &str) -> Result<()> {
        let commands = &self.batch.pending[mark..];
        if commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (index, &command) in commands.iter().enumerate().skip(1) {
            let mut first = self.node(command);
            if let Kind::Command(operands) = first.kind {
                first = self.node(self.batch.ast.ids[operands.range()][0]);
            }
            if matches!(first.kind, Kind::Bool(_) | Kind::Dot | Kind::Nil | Kind::Number(_) | Kind::Str(_)) {
                return self.fail(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    /// A command from its first token on.
    fn command(&mut self, mut token: Token) -> Result<Id> {
        let start = token.start;
        let mark = self.batch.pending.len();
        loop {
            if let Some(operand) = self.operand(token)? {
                self.batch.pending.push(operand);
                let is_separated = self.pass_plain_space();
                token = self.next();
                if is_separated {
                    continue;
                }
            }
            match token.kind {
                TokenKind::Space => {
                    token = self.next_non_space();
                    continue;
                }
                TokenKind::RightDelim | TokenKind::RightParen => self.backup(),
                TokenKind::Pipe => {}
                _ => return self.unexpected(token, "operand"),
            }
            break;
        }
        if let &[operand] = &self.batch.pending[mark..]
            && !matches!(self.node(operand).kind, Kind::Pipe { .. })
        {
            self.batch.pending.pop();
            return Ok(operand);
        }
        if self.batch.pending.len() == mark {
            return self.fail("empty command");
        }
        let end = self.end_of_pending(mark, start);
        let operands = self.settle(mark);
        Ok(self.add(start, start, end, Kind::Command(operands)))
    }

    fn operand(&mut self, token: Token) -> Result<Option<Id>> {
        let Some(term) = self.term(token)? else { return Ok(None) };
        if self.peeked == 0 && !self.lexer.at_dot() {
            return Ok(Some(term));
        }
        let Node { start, mut end, kind, .. } = *self.node(term);
        let before = match kind {
            Kind::Field(fields) | Kind::Variable { fields, .. } => fields,
            Kind::Bool(_) | Kind::Str(_) | Kind::Number(_) | Kind::Nil | Kind::Dot => {
                if self.peek().kind != TokenKind::Field {
                    return Ok(Some(term));
                }
                while self.peek().kind == TokenKind::Field {
                    self.next();
                }
                let term = print::quote(&self.text[start as usize..end as usize]);
                return self.fail(format!("unexpected . after term {term}"));
            }
            _ => Many::default(),
        };
        // The names of the term are the last ones that were read.
        let from = self.batch.ast.names.len() as u32 - before.len;
        let mut first_dot = None;
        loop {
            let name = match self.peeked {
                0 => self.lexer.field(),
                _ => None,
            };
            let name = match name {
                Some(name) => name,
                None if self.peek().kind == TokenKind::Field => {
                    let name = self.next();
                    (name.start + 1, name.end)
                }
                None => break,
            };
            first_dot.get_or_insert(name.0 - 1);
            self.batch.ast.names.push(name);
            end = name.1;
        }
        let Some(pos) = first_dot else { return Ok(Some(term)) };
        let fields = Many { start: from, len: self.batch.ast.names.len() as u32 - from };
        let kind = match kind {
            Kind::Field(_) => Kind::Field(fields),
            Kind::Variable { variable, .. } => Kind::Variable { variable, fields },
            _ => return Ok(Some(self.add(pos, start, end, Kind::Chain { operand: term, fields }))),
        };
        self.batch.ast.nodes[term as usize] = Node { pos, start, end, kind };
        Ok(Some(term))
    }

    fn term(&mut self, token: Token) -> Result<Option<Id>> {
        let kind = match token.kind {
            TokenKind::Identifier => Kind::Function(self.function(self.text_of(token))?),
            TokenKind::Dot => Kind::Dot,
            TokenKind::Nil => Kind::Nil,
            TokenKind::Variable => {
                let text = self.text_of(token);
                let id = self.batch.known.get(text).copied();
                match id.filter(|&id| self.batch.in_scope[id as usize] > 0) {
                    Some(variable) => Kind::Variable { variable, fields: Many::default() },
                    None => return self.fail(format!("undefined variable {}", print::quote(text))),
                }
            }
            TokenKind::Field => {
                self.batch.ast.names.push((token.start + 1, token.end));
                Kind::Field(Many { start: (self.batch.ast.names.len() - 1) as u32, len: 1 })
            }
            TokenKind::Bool => Kind::Bool(self.text_of(token) == "true"),
            TokenKind::Char | TokenKind::Complex | TokenKind::Number => {
                match literal::number(self.text_of(token), token.kind) {
                    Ok(number) => self.batch.ast.numbers.push(number),
                    Err(message) => return self.fail(message),
                }
                Kind::Number((self.batch.ast.numbers.len() - 1) as u32)
            }
            TokenKind::LeftParen => {
                if self.parens >= MAX_PARENS {
                    return self.fail("max expression depth exceeded");
                }
                self.check_depth()?;
                self.parens += 1;
                let pipe = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
                self.parens -= 1;
                let end = self.end_of_action();
                let node = &mut self.batch.ast.nodes[pipe as usize];
                (node.start, node.end) = (token.start, end);
                return Ok(Some(pipe));
            }
            TokenKind::String | TokenKind::RawString => Kind::Str(self.string(token)?),
            _ => return Ok(None),
        };
        Ok(Some(self.add_token(token, kind)))
    }
}
