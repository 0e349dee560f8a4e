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
        let ended = |mode: Mode| matches!(mode, Mode::After | Mode::Open);
        // A value that only one of the ways has written: after `key:`, or in brackets.
        let optional = |empty: &State, full: &State| {
            empty.mode == Mode::Start && ended(full.mode) && (empty.position != Position::Line || empty.flow > 0)
        };
        let mode = match (a.mode, b.mode) {
            _ if a.flow != b.flow => Mode::Unknown,
            (Mode::Start, Mode::Start) if a.position == b.position => Mode::Start,
            (x, y) if x == y && x != Mode::Start => x,
            (x, y) if ended(x) && ended(y) => Mode::Open,
            _ if optional(&a, &b) || optional(&b, &a) => Mode::After,
            // The next line's column says whether it is in the text of a block scalar.
            _ if a.at_line_start() && b.at_line_start() => Mode::Block,
            _ => Mode::Unknown,
        };
        State {
            mode,
            position: b.position,
            node: a.node.max(b.node),
            column: a.column.max(b.column),
            token: a.token,
            flow: a.flow.min(b.flow),
            block: Block::join(a.block, b.block),
            open_key: a.open_key.filter(|_| a.open_key == b.open_key),
            plain: a.plain.filter(|_| a.plain == b.plain),
            quote: a.quote.filter(|_| a.quote == b.quote),
            dynamic: a.dynamic || b.dynamic,
            group: false,
            grouped: false,
            alone: false,
            blank: a.blank && b.blank,
        }
    }

    fn at_line_start(&self) -> bool {
        self.column == 0
            && match self.mode {
                Mode::Start => self.position == Position::Line,
                Mode::Block => self.block.is_some_and(|block| block.blank_line),
                _ => false,
            }
    }
}

impl Block {
    fn join(a: Option<Block>, b: Option<Block>) -> Option<Block> {
        let (Some(a), Some(b)) = (a, b) else { return a.or(b) };
        Some(Block {
            parent: a.parent.min(b.parent),
            body: a.body.or(b.body),
            header: a.header.filter(|_| a.header == b.header),
            started: a.started && b.started,
            blank_line: a.blank_line && b.blank_line,
        })
    }
}
