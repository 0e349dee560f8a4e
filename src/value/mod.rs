//! The one dynamic value of both template dialects.
//!
//! It follows Go's dynamic types as Helm templates see them (`int` and `int64` differ, a slice may be nil, maps are
//! shared references that `set` mutates), because byte equality with Helm needs that; Jinja uses the subset
//! nil, bool, `Int64`/`Uint`, float, string, list and map, in the author's key order.
//!
//! Go strings are bytes. Ours are `str`: a byte that is not UTF-8 (a template can make one with `trunc`) is held as
//! the private-use character U+10FF00 + byte, see [`text_from_bytes`] and [`bytes_of`].

pub mod json;
pub mod number;

use indexmap::IndexMap;
use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared text.
pub type Str = Arc<str>;

/// Key order is insertion order; who needs Go's order sorts with [`Map::sorted`].
pub type Entries = IndexMap<Str, Value, foldhash::fast::RandomState>;

#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Go's `nil`, YAML's null, Jinja's none.
    #[default]
    Nil,
    Bool(bool),
    /// Go `int`: literals, `len`, `int`.
    Int(i64),
    /// Go `int64`: `--set a=1`, arithmetic. Every whole number of a Jinja chart.
    Int64(i64),
    /// Whole numbers past `i64`.
    Uint(u64),
    /// Go `uint8`: what a string or `[]byte` holds.
    Byte(u8),
    Float(f64),
    Str(Str),
    /// Go `[]byte`.
    Bytes(Arc<[u8]>),
    List(List),
    Map(Map),
    /// A Go struct or other named type with fields and methods: capabilities, times, versions, certificates.
    Object(Arc<dyn Object>),
}

/// The element type of a Go slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListKind {
    /// `[]interface {}`
    #[default]
    Any,
    /// `[]string`
    Str,
    /// `[]int`
    Int,
    /// `[][]interface {}`
    Lists,
    /// `[]map[string]interface {}`
    Maps,
    /// `common.VersionSet`, a `[]string`
    Versions,
}

/// A slice. Templates cannot mutate one in place, so the items are plainly shared.
#[derive(Debug, Clone)]
pub struct List(Arc<ListInner>);

#[derive(Debug)]
struct ListInner {
    kind: ListKind,
    /// `None` is Go's nil slice, which prints as `[]` and marshals as `null`.
    items: Option<Vec<Value>>,
    tag: u32,
}

impl List {
    pub fn new(items: Vec<Value>) -> Self {
        Self::with(ListKind::Any, Some(items), 0)
    }

    /// Go's nil slice.
    pub fn nil() -> Self {
        Self::with(ListKind::Any, None, 0)
    }

    pub fn with(kind: ListKind, items: Option<Vec<Value>>, tag: u32) -> Self {
        List(Arc::new(ListInner { kind, items, tag }))
    }

    pub fn strings(items: impl IntoIterator<Item = Str>) -> Self {
        Self::with(ListKind::Str, Some(items.into_iter().map(Value::Str).collect()), 0)
    }

    pub fn kind(&self) -> ListKind {
        self.0.kind
    }

    pub fn is_nil(&self) -> bool {
        self.0.items.is_none()
    }

    /// Which list of the values tree this is, see [`Map::tag`].
    pub fn tag(&self) -> u32 {
        self.0.tag
    }

    pub fn items(&self) -> &[Value] {
        self.0.items.as_deref().unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.items().len()
    }

    pub fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    /// Whether this is the only handle of the list.
    pub fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    pub fn ptr_eq(&self, other: &List) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The Go type of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapKind {
    /// `map[string]interface {}`
    #[default]
    Any,
    /// `map[string]string`
    Str,
    /// `common.Values`
    Values,
    /// `engine.files`, a `map[string][]uint8`
    Files,
    /// A Go struct as marshallers see it: its fields in their own order.
    Struct,
}

/// A map, shared by reference: a `set` through one handle is seen through all.
///
/// Readers take a [`Map::snapshot`], which costs a reference count; a writer copies the entries only while a
/// snapshot is out. No lock is ever held while other code runs, so nesting cannot deadlock.
#[derive(Debug, Clone)]
pub struct Map {
    inner: Arc<MapInner>,
    kind: MapKind,
}

#[derive(Debug)]
struct MapInner {
    tag: u32,
    is_nil: bool,
    entries: Mutex<Arc<Entries>>,
    later: Option<Box<Later>>,
}

/// Makes a map's entries when they are first asked for.
struct Later(Mutex<Option<Make>>);

type Make = Box<dyn FnOnce() -> Entries + Send>;

impl Debug for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Later")
    }
}

impl Default for Map {
    fn default() -> Self {
        Map::new(Entries::default())
    }
}

impl Map {
    pub fn new(entries: Entries) -> Self {
        Self::with(MapKind::Any, entries, 0)
    }

    pub fn with(kind: MapKind, entries: Entries, tag: u32) -> Self {
        Map {
            inner: Arc::new(MapInner { tag, is_nil: false, entries: Mutex::new(Arc::new(entries)), later: None }),
            kind,
        }
    }

    /// Go's nil map, which prints as `map[]` and marshals as `null`.
    pub fn nil(kind: MapKind) -> Self {
        Map { inner: Arc::new(MapInner { tag: 0, is_nil: true, entries: Mutex::default(), later: None }), kind }
    }

    pub fn is_nil(&self) -> bool {
        self.inner.is_nil && self.is_empty()
    }

    /// A map whose entries are costly and seldom asked for.
    pub fn later(kind: MapKind, make: impl FnOnce() -> Entries + Send + 'static) -> Self {
        let later = Some(Box::new(Later(Mutex::new(Some(Box::new(make))))));
        Map { inner: Arc::new(MapInner { tag: 0, is_nil: false, entries: Mutex::default(), later }), kind }
    }

    pub fn kind(&self) -> MapKind {
        self.kind
    }

    /// The same map under another Go type: a subchart's `.Values` is the map in its parent's values.
    #[must_use]
    pub fn as_kind(&self, kind: MapKind) -> Self {
        Map { inner: Arc::clone(&self.inner), kind }
    }

    /// Which map of the values tree this is (an index into the render's table of paths); 0 for a map that a
    /// template made. Reads are recorded as (tag, key).
    pub fn tag(&self) -> u32 {
        self.inner.tag
    }

    fn entries(&self) -> MutexGuard<'_, Arc<Entries>> {
        let mut entries = self.inner.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(later) = &self.inner.later
            && let Some(make) = later.0.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            *entries = Arc::new(make());
        }
        entries
    }

    /// The entries as they are now.
    pub fn snapshot(&self) -> Arc<Entries> {
        Arc::clone(&self.entries())
    }

    pub fn get(&self, key: &str) -> Option<Value> {
        self.entries().get(key).cloned()
    }

    pub fn contains(&self, key: &str) -> bool {
        self.entries().contains_key(key)
    }

    pub fn len(&self) -> usize {
        self.entries().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn insert(&self, key: Str, value: Value) {
        Arc::make_mut(&mut *self.entries()).insert(key, value);
    }

    pub fn remove(&self, key: &str) -> Option<Value> {
        Arc::make_mut(&mut *self.entries()).shift_remove(key)
    }

    /// The entries by key, in byte order: the order of Go's `range`, `printf` and `encoding/json`.
    pub fn sorted(&self) -> Vec<(Str, Value)> {
        let snapshot = self.snapshot();
        let mut entries: Vec<_> = snapshot.iter().map(|(key, value)| (Arc::clone(key), value.clone())).collect();
        if self.kind() != MapKind::Struct && !entries.is_sorted_by(|a, b| a.0 <= b.0) {
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        }
        entries
    }

    /// Whether this is the only handle of the map.
    pub fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.inner) == 1
    }

    pub fn ptr_eq(&self, other: &Map) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

/// A Go value of a named type with fields or methods.
pub trait Object: Debug + Send + Sync + Any {
    /// As `%T` and `typeOf` print it: `*semver.Version`.
    fn type_name(&self) -> Cow<'static, str>;

    /// As `kindOf` prints it: `struct`, `ptr`, `map`, `slice`.
    fn kind(&self) -> &'static str {
        "struct"
    }

    /// A field's value.
    fn field(&self, name: &str) -> Option<Value>;

    /// A method's signature; `None` when there is no such method.
    fn method(&self, _name: &str) -> Option<Signature> {
        None
    }

    /// Calls a method with arguments of its types; `None` when there is no such method.
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>>;

    /// What `{{ . }}` writes: its `String()` where the Go type has one that `text/template` would call.
    fn display(&self) -> String;

    /// The text of its `String()` or `Error()` method, where `fmt` would find one.
    fn stringer(&self) -> Option<String> {
        Some(self.display())
    }

    /// The text of its `GoString()` method, for `%#v`.
    fn go_stringer(&self) -> Option<String> {
        None
    }

    /// The fields of a struct, or of the struct behind a pointer, as `fmt` walks them: in Go's order, private ones too.
    fn structure(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// What reflection copies of it, where that is less than the whole: private fields stay behind.
    fn public_copy(&self) -> Option<Value> {
        None
    }

    /// Whether this is a nil pointer.
    fn is_null(&self) -> bool {
        false
    }

    /// What `encoding/json` makes of it.
    fn to_json(&self) -> Value {
        Value::Str(self.display().into())
    }

    /// The real and the imaginary part of a `complex128`.
    fn complex(&self) -> Option<[f64; 2]> {
        None
    }

    /// The number, for types of integer kind such as `time.Duration`: what `%d` writes and `lt` compares.
    fn integer(&self) -> Option<i64> {
        None
    }

    /// Go's truth of the value; structs are always true.
    fn is_true(&self) -> bool {
        true
    }

    fn as_any(&self) -> &dyn Any;
}

impl dyn Object {
    /// The struct's public fields under their Go names; nothing where marshallers take the value for a text or number.
    pub fn public_fields(&self) -> Option<Map> {
        if !matches!(self.to_json(), Value::Map(_)) {
            return None;
        }
        let fields = self.structure()?.into_iter().filter(|(name, _)| name.starts_with(char::is_uppercase));
        let fields = fields.map(|(name, value)| (name.into(), value)).collect();
        Some(Map::with(MapKind::Struct, fields, 0))
    }
}

/// The Go types of a method's parameters and results.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    pub params: &'static [&'static str],
    pub results: &'static [&'static str],
}

/// Whether Go's `strconv.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub fn is_printable(char: char) -> bool {
    if char.is_ascii() {
        return matches!(char, ' '..='~');
    }
    // `str::escape_debug` leaves a printable character alone, also a combining one unless it stands first.
    let mut buffer = [0; 5];
    buffer[0] = b'a';
    let length = char.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    text.escape_debug().nth(1) == Some(char)
}

impl Value {
    pub fn str(text: impl Into<Str>) -> Self {
        Value::Str(text.into())
    }

    pub fn list(items: Vec<Value>) -> Self {
        Value::List(List::new(items))
    }

    pub fn map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Value::Map(Map::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&List> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// Go templates' truth: false for nil, false, zero, and whatever is empty.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Nil => false,
            Value::Bool(value) => *value,
            Value::Int(number) | Value::Int64(number) => *number != 0,
            Value::Uint(number) => *number != 0,
            Value::Byte(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::Bytes(bytes) => !bytes.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Object(object) => object.is_true(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Str(text.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

/// Drops nested values one by one: a template can nest them deeper than the stack allows.
fn drop_flat(values: impl Iterator<Item = Value>) {
    let mut waiting: Vec<Value> = values.filter(is_nested).collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::List(List(inner)) => {
                if let Some(items) = Arc::into_inner(inner).and_then(|mut inner| inner.items.take()) {
                    waiting.extend(items);
                }
            }
            Value::Map(map) => {
                let inner = Arc::into_inner(map.inner);
                let entries = inner
                    .map(|mut inner| std::mem::take(inner.entries.get_mut().unwrap_or_else(PoisonError::into_inner)));
                if let Some(entries) = entries.and_then(Arc::into_inner) {
                    waiting.extend(entries.into_values());
                }
            }
            _ => {}
        }
    }
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

impl Drop for ListInner {
    fn drop(&mut self) {
        if self.items.as_ref().is_some_and(|items| items.iter().any(is_nested)) {
            drop_flat(self.items.take().unwrap_or_default().into_iter());
        }
    }
}

impl Drop for MapInner {
    fn drop(&mut self) {
        let entries = self.entries.get_mut().unwrap_or_else(PoisonError::into_inner);
        if entries.values().any(is_nested)
            && let Some(entries) = Arc::into_inner(std::mem::take(entries))
        {
            drop_flat(entries.into_values());
        }
    }
}

/// First of the 256 characters that stand for bytes that are not UTF-8.
const RAW_BYTE: u32 = 0x10_FF00;

/// Go's string of these bytes: each byte that is not part of valid UTF-8 becomes U+10FF00 + byte.
pub fn text_from_bytes(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len() + 8);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|&byte| raw_byte_char(byte)));
            }
            Cow::Owned(text)
        }
    }
}

/// The bytes of a Go string, the inverse of [`text_from_bytes`].
pub fn bytes_of(text: &str) -> Cow<'_, [u8]> {
    // U+10FF00..=U+10FFFF all start with these three bytes or their successor range; plain text has neither.
    if memchr::memchr(0xF4, text.as_bytes()).is_none() {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for char in text.chars() {
        match raw_byte(char) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The byte that a character of [`text_from_bytes`] stands for.
pub fn raw_byte(char: char) -> Option<u8> {
    (u32::from(char) >= RAW_BYTE).then(|| (u32::from(char) - RAW_BYTE) as u8)
}

fn raw_byte_char(byte: u8) -> char {
    char::from_u32(RAW_BYTE + u32::from(byte)).expect("U+10FF00..=U+10FFFF are characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_nested_values_drop_without_a_million_stack_frames() {
        let mut value = Value::Nil;
        for depth in 0..1_000_000 {
            value = if depth % 2 == 0 { Value::list(vec![value]) } else { Value::map([("a", value)]) };
        }
        drop(value);
    }

    #[test]
    fn a_map_under_another_type_is_the_same_map() {
        let map = Map::default();
        let values = map.as_kind(MapKind::Values);
        values.insert("a".into(), Value::Int(1));
        assert!(map.contains("a") && map.ptr_eq(&values) && values.kind() == MapKind::Values);
    }
}
