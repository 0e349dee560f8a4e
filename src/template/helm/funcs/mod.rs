//! The functions that Helm gives to templates: one flat table per family.
//!
//! The evaluator checks arguments against a function's Go signature (with Go's error texts) before it calls it, so a
//! function finds the types that it declares.

use crate::template::Context;
use crate::value::Value;
use rand_chacha::ChaCha20Rng;

/// A parameter's Go type, as far as templates can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    Str,
    /// `int`; an untyped number constant fits if whole.
    Int,
    Int64,
    Float64,
    Bool,
    /// `map[string]interface {}`; `common.Values` is assignable to it.
    Map,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// A `time.Time`, certificate or other object with this Go type name.
    Object(&'static str),
}

/// One function.
pub struct Function {
    pub name: &'static str,
    pub params: &'static [Type],
    /// The last parameter repeats, from zero times.
    pub variadic: bool,
    pub call: fn(&mut Env<'_>, &[Value]) -> Result<Value, Error>,
}

/// What functions may use of the world.
pub struct Env<'a> {
    pub context: &'a Context,
    pub random: ChaCha20Rng,
    /// Steps left for the template; functions that loop or allocate charge for it.
    pub fuel: u64,
}

impl Env<'_> {
    /// Takes steps from the template's budget: one per item or 64 bytes of work.
    pub fn charge(&mut self, steps: u64) -> Result<(), Error> {
        match self.fuel.checked_sub(steps) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                Err(Error::Limit)
            }
        }
    }
}

/// Why a function failed.
#[derive(Debug, Clone)]
pub enum Error {
    /// The error that the function returned, or the text of its panic: `error calling NAME: …`.
    Message(String),
    /// The template's budget of steps is used up.
    Limit,
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Error::Message(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Error::Message(message.to_owned())
    }
}
