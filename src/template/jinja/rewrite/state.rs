//! Where in YAML the template's text stands, line by line.

/// What the next character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A node may start here.
    Start,
    /// In a plain scalar that further text would continue.
    Open,
    /// After a node: blanks, a comment, or a colon that makes it a key.
    After,
    Double,
    Single,
    Comment,
    /// In the line of `|` or `>`.
    Header,
    /// In the text of a block scalar.
    Block,
    /// Branches of a control block ended differently.
    Unknown,
}

/// What a node that starts here is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// The first thing on its line.
    Line,
    /// A value after `key:`.
    Value,
    /// An item after `- `.
    Item,
}

/// The literal or folded text that the lines are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Lines up to this column end the text.
    pub(super) parent: i32,
    pub(super) body: Option<i32>,
    /// Where an indentation indicator can be inserted.
    pub(super) header: Option<usize>,
    /// Whether a line of text certainly stands before.
    pub(super) started: bool,
    /// Whether only blanks stand before on the line.
    pub(super) blank_line: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) mode: Mode,
    pub(super) position: Position,
    /// Column of the key or dash that the node here belongs to.
    pub(super) node: i32,
    /// Column of the next character.
    pub(super) column: i32,
    /// Column at which the current scalar started.
    pub(super) token: i32,
    /// Open brackets.
    pub(super) flow: u32,
    pub(super) block: Option<Block>,
    /// The column of a key whose value must come on the lines below.
    pub(super) open_key: Option<i32>,
    /// The parent column of a plain scalar that deeper lines would continue, and whether it has expressions.
    pub(super) plain: Option<(i32, bool)>,
    /// The offset of the quote that opened the current or last scalar.
    pub(super) quote: Option<usize>,
    /// Whether the line's last scalar has expressions.
    pub(super) dynamic: bool,
    /// Whether the lines so far under the open key are all expressions that may have written nothing.
    pub(super) group: bool,
    /// Whether there was such a line.
    pub(super) grouped: bool,
    /// Whether this line is one expression.
    pub(super) alone: bool,
    /// Whether a blank stands before the node.
    pub(super) blank: bool,
}

impl State {
    pub(super) fn start() -> State {
        State {
            mode: Mode::Start,
            position: Position::Line,
            node: -1,
            column: 0,
            token: 0,
            flow: 0,
            block: None,
            open_key: None,
            plain: None,
            quote: None,
            dynamic: false,
            group: false,
            grouped: false,
            alone: false,
            blank: false,
        }
    }

    /// Ends the text of a block scalar at the start of a line.
    pub(super) fn leave_block(&mut self) {
        self.block = None;
        self.mode = Mode::Start;
        self.position = Position::Line;
        self.open_key = None;
        self.group = false;
        self.plain = None;
    }

    /// Goes to the start of the next line.
    pub(super) fn newline(&mut self) {
        let blank = self.mode == Mode::Start && self.position == Position::Line && self.flow == 0;
        match self.mode {
            Mode::Double | Mode::Single => {
                self.column = 0;
                return;
            }
            Mode::Header => self.mode = Mode::Block,
            Mode::Block => {}
            _ if self.flow > 0 => self.mode = if self.mode == Mode::After { Mode::After } else { Mode::Start },
            _ => {
                if !blank {
                    let open = self.mode == Mode::Start && self.position == Position::Value;
                    if open {
                        self.open_key = Some(self.node);
                        self.group = true;
                        self.grouped = false;
                    } else if !self.alone {
                        self.open_key = None;
                        self.group = false;
                    }
                    self.alone = false;
                    let parent = match self.position {
                        Position::Line => None,
                        Position::Value | Position::Item => Some(self.node),
                    };
                    let plain = self.mode == Mode::Open || (self.mode == Mode::After && self.quote.is_none());
                    self.plain = if plain { parent.map(|column| (column, self.dynamic)) } else { None };
                }
                self.mode = Mode::Start;
                self.position = Position::Line;
            }
        }
        if let Some(block) = &mut self.block {
            block.blank_line = true;
        }
        self.column = 0;
    }

    /// The state after a control block of which either way may have been taken.
    pub(super) fn join(a: State, b: State) -> State {
        if a == b {
            return a;
        }
        let at_line = |state: &State| {
            state.column == 0 && state.position == Position::Line && state.mode == Mode::Start
                || state.mode == Mode::Block && state.block.is_some_and(|block| block.blank_line && state.column == 0)
        };
        let mode = match (a.mode, b.mode) {
            (x, y) if x == y && x != Mode::Start => x,
            (Mode::Start, Mode::Start) if a.position == b.position => Mode::Start,
            (Mode::After | Mode::Open, Mode::After | Mode::Open) => Mode::Open,
            (Mode::Start, Mode::After | Mode::Open) if a.position != Position::Line || a.flow > 0 => Mode::After,
            (Mode::After | Mode::Open, Mode::Start) if b.position != Position::Line || b.flow > 0 => Mode::After,
            _ if at_line(&a) && at_line(&b) => Mode::Block,
            _ => Mode::Unknown,
        };
        let mode = if a.flow == b.flow { mode } else { Mode::Unknown };
        let block = match (a.block, b.block) {
            (Some(x), Some(y)) => Some(Block {
                parent: x.parent.min(y.parent),
                body: if x.body == y.body { x.body } else { x.body.or(y.body) },
                header: if x.header == y.header { x.header } else { None },
                started: x.started && y.started,
                blank_line: x.blank_line && y.blank_line,
            }),
            (x, y) => x.or(y),
        };
        State {
            mode,
            position: if a.position == b.position { a.position } else { b.position },
            node: if a.node == b.node { a.node } else { a.node.max(b.node) },
            column: if a.column == b.column { a.column } else { a.column.max(b.column) },
            token: a.token,
            flow: a.flow.min(b.flow),
            block,
            open_key: if a.open_key == b.open_key { a.open_key } else { None },
            plain: if a.plain == b.plain { a.plain } else { None },
            quote: if a.quote == b.quote { a.quote } else { None },
            dynamic: a.dynamic || b.dynamic,
            group: false,
            grouped: false,
            alone: false,
            blank: a.blank && b.blank,
        }
    }
}
