//! Guards in expressions: values that are stored, compared or used as keys pass a check on depth and size.
//!
//! minijinja bounds steps, but a value may hold itself many times over, and walking it costs more than making it. A
//! value can only grow that way if it is stored on the way, so `|__d` stands behind what is stored, and behind both
//! sides of operators, filters and tests of minijinja that walk values. Our own filters and functions check their
//! arguments themselves.

use super::offsets::Insertion;
use super::source::Source;
use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use std::ops::Range;

/// minijinja's filters that walk or print what they are given, or nest it deeper.
const WALKING_FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "dictsort",
    "e",
    "escape",
    "float",
    "format",
    "groupby",
    "int",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

const WALKING_TESTS: &[&str] = &[
    "eq",
    "equalto",
    "ne",
    "lt",
    "lessthan",
    "le",
    "gt",
    "greaterthan",
    "ge",
    "in",
    "sameas",
    "startingwith",
    "endingwith",
];

/// Collects the guards of statements and all below them.
pub(super) struct Guards<'a> {
    source: &'a Source<'a>,
    /// Whether conditions are marked, so that what they read does not count for the next expression.
    reads: bool,
    pub(super) insertions: Vec<Insertion>,
}

impl<'a> Guards<'a> {
    pub(super) fn new(source: &'a Source<'a>, reads: bool) -> Self {
        Guards { source, reads, insertions: Vec::new() }
    }

    fn insert(&mut self, at: usize, text: &str) {
        self.insertions.push(Insertion { at, text: text.to_owned(), covers: None });
    }

    /// A filter behind an expression; its errors are the expression's.
    fn filter(&mut self, range: Range<usize>, text: &str) {
        let covers = Some(range.start.min(range.end)..range.end);
        self.insertions.push(Insertion { at: range.end, text: text.to_owned(), covers });
    }

    pub(super) fn statements(&mut self, list: &[Stmt<'_>]) {
        list.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
            Stmt::ForLoop(each) => {
                let start = self.source.after_assignment(each.target.span().end_offset as usize, "in");
                self.kept(&each.iter, start, each.iter.span().end_offset as usize);
                each.filter_expr.iter().for_each(|filter| self.expression(filter));
                self.statements(&each.body);
                self.statements(&each.else_body);
            }
            Stmt::IfCond(cond) => {
                let start = cond.span().start_offset as usize;
                if self.reads && cond.expr.as_const().is_none() {
                    let start = self.source.after_word(start);
                    self.insert(start, "(");
                    self.expression(&cond.expr);
                    self.filter(start..cond.expr.span().end_offset as usize, ")|__c");
                } else {
                    self.expression(&cond.expr);
                }
                self.statements(&cond.true_body);
                self.statements(&cond.false_body);
            }
            Stmt::WithBlock(with) => {
                for (target, value) in &with.assignments {
                    let start = self.source.after_assignment(target.span().end_offset as usize, "=");
                    self.kept(value, start, value.span().end_offset as usize);
                }
                self.statements(&with.body);
            }
            Stmt::Set(set) => {
                let start = self.source.after_assignment(set.target.span().end_offset as usize, "=");
                self.kept(&set.expr, start, set.span().end_offset as usize);
            }
            Stmt::SetBlock(set) => {
                set.filter.iter().for_each(|filter| self.expression(filter));
                self.statements(&set.body);
            }
            Stmt::AutoEscape(escape) => self.statements(&escape.body),
            Stmt::FilterBlock(filter) => {
                self.expression(&filter.filter);
                self.statements(&filter.body);
            }
            Stmt::Block(block) => self.statements(&block.body),
            Stmt::Import(import) => self.expression(&import.expr),
            Stmt::FromImport(import) => self.expression(&import.expr),
            Stmt::Extends(extends) => self.expression(&extends.name),
            Stmt::Include(include) => self.expression(&include.name),
            Stmt::Macro(definition) => {
                definition.defaults.iter().for_each(|default| self.expression(default));
                self.statements(&definition.body);
            }
            Stmt::CallBlock(call) => {
                self.arguments(&call.call.args, false);
                call.macro_decl.defaults.iter().for_each(|default| self.expression(default));
                self.statements(&call.macro_decl.body);
            }
            Stmt::Do(run) => self.arguments(&run.call.args, false),
        }
    }

    /// An expression from one offset to another whose value gets a name: all of it passes a guard, and what it read
    /// does not count for the next expression.
    fn kept(&mut self, expression: &Expr<'_>, start: Option<usize>, end: usize) {
        match start {
            Some(start) if expression.as_const().is_none() => {
                self.insert(start, "(");
                self.expression(expression);
                self.filter(start..end, ")|__s");
            }
            _ => self.expression(expression),
        }
    }

    /// An expression whose value is walked: guards go on what it takes its parts from.
    fn stored(&mut self, expression: &Expr<'_>) {
        self.expression(expression);
        self.guard(expression);
    }

    fn guard(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::IfExpr(choice) => {
                self.guard(&choice.true_expr);
                choice.false_expr.iter().for_each(|other| self.guard(other));
            }
            Expr::BinOp(op) => match op.op {
                BinOpKind::ScAnd | BinOpKind::ScOr | BinOpKind::Add | BinOpKind::Mul => {
                    self.guard(&op.left);
                    self.guard(&op.right);
                }
                _ => {}
            },
            Expr::Const(_) | Expr::UnaryOp(_) | Expr::Compare(_) | Expr::Test(_) => {}
            Expr::Var(_)
            | Expr::Slice(_)
            | Expr::Filter(_)
            | Expr::GetAttr(_)
            | Expr::GetItem(_)
            | Expr::Call(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Map(_) => {
                if expression.as_const().is_none() {
                    let span = expression.span();
                    self.filter(span.start_offset as usize..span.end_offset as usize, "|__d");
                }
            }
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>], stored: bool) {
        for argument in arguments {
            let (CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value)) = argument;
            match stored {
                true => self.stored(value),
                false => self.expression(value),
            }
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                [&slice.start, &slice.stop, &slice.step].into_iter().flatten().for_each(|part| self.expression(part));
            }
            Expr::UnaryOp(op) => self.expression(&op.expr),
            Expr::BinOp(op) => {
                self.expression(&op.left);
                self.expression(&op.right);
                let walks = match op.op {
                    BinOpKind::Eq
                    | BinOpKind::Ne
                    | BinOpKind::Lt
                    | BinOpKind::Lte
                    | BinOpKind::Gt
                    | BinOpKind::Gte
                    | BinOpKind::In => op.left.as_const().is_none() && op.right.as_const().is_none(),
                    BinOpKind::Concat => true,
                    _ => false,
                };
                if walks {
                    self.guard(&op.left);
                    self.guard(&op.right);
                }
            }
            Expr::Compare(compare) => {
                self.stored(&compare.expr);
                compare.ops.iter().for_each(|op| self.stored(&op.expr));
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                self.expression(&choice.true_expr);
                choice.false_expr.iter().for_each(|other| self.expression(other));
            }
            Expr::Filter(filter) => {
                let walks = WALKING_FILTERS.contains(&filter.name);
                if let Some(value) = &filter.expr {
                    self.expression(value);
                    if walks {
                        self.guard(value);
                    }
                }
                self.arguments(&filter.args, walks);
            }
            Expr::Test(test) => {
                let walks = WALKING_TESTS.contains(&test.name);
                self.expression(&test.expr);
                if walks {
                    self.guard(&test.expr);
                }
                self.arguments(&test.args, walks);
            }
            Expr::GetAttr(get) => self.expression(&get.expr),
            Expr::GetItem(get) => {
                self.expression(&get.expr);
                self.stored(&get.subscript_expr);
            }
            Expr::Call(call) => {
                self.expression(&call.expr);
                let recursive = matches!(&call.expr, Expr::Var(var) if var.id == "loop");
                self.arguments(&call.args, recursive);
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.expression(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item)),
            Expr::Map(map) => {
                map.keys.iter().for_each(|key| self.stored(key));
                map.values.iter().for_each(|value| self.expression(value));
            }
        }
    }
}
