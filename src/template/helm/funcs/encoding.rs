//! Encodings: base64, base32, JSON, YAML, TOML.
//!
//! Plain functions swallow errors where `must` ones fail: writing gives an empty text (TOML: the error's), reading a
//! map whose one key `Error` holds the text.

use super::Type::{Any, Str};
use super::{Env, Error, Function, any, text, toml};
use crate::diagnostic::FileId;
use crate::value::json::{Layout, TOO_LARGE, from_json, from_json_partly, to_json};
use crate::value::{List, Map, MapKind, Value, bytes_of, text_from_bytes};
use crate::yaml::{self, Numbers};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("b64enc", &[Str], |_, a| Ok(encode(text(a, 0), BASE64, 6).into())),
    Function::new("b64dec", &[Str], |_, a| Ok(decoded(decode_base64(text(a, 0))))),
    Function::new("b32enc", &[Str], |_, a| Ok(encode(text(a, 0), BASE32, 5).into())),
    Function::new("b32dec", &[Str], |_, a| Ok(decoded(decode_base32(text(a, 0))))),
    Function::new("toJson", &[Any], |_, a| or_nothing(to_json(any(a, 0), Layout::Compact))),
    Function::new("mustToJson", &[Any], |_, a| written(to_json(any(a, 0), Layout::Compact))),
    Function::new("toPrettyJson", &[Any], |_, a| or_nothing(to_json(any(a, 0), Layout::Pretty))),
    Function::new("mustToPrettyJson", &[Any], |_, a| written(to_json(any(a, 0), Layout::Pretty))),
    Function::new("toRawJson", &[Any], |_, a| written(to_json(any(a, 0), Layout::Raw))),
    Function::new("mustToRawJson", &[Any], |_, a| written(to_json(any(a, 0), Layout::Raw))),
    Function::new("fromJson", &[Str], |_, a| Ok(map_from_json(text(a, 0)))),
    Function::new("fromJsonArray", &[Str], |_, a| Ok(list_from_json(text(a, 0)))),
    Function::new("mustFromJson", &[Str], |_, a| Ok(from_json(text(a, 0))?)),
    Function::new("toYaml", &[Any], |_, a| or_nothing(yaml::to_yaml(any(a, 0)))),
    Function::new("mustToYaml", &[Any], |_, a| written(yaml::to_yaml(any(a, 0)))),
    Function::new("toYamlPretty", &[Any], |_, a| or_nothing(yaml::to_yaml_pretty(any(a, 0)))),
    Function::new("fromYaml", &[Str], |_, a| Ok(map_or_error(from_yaml(text(a, 0)), YAML_AS_JSON))),
    Function::new("fromYamlArray", &[Str], |_, a| Ok(list_or_error(from_yaml(text(a, 0)), YAML_AS_JSON))),
    Function::new("toToml", &[Any], to_toml),
    Function::new("mustToToml", &[Any], must_to_toml),
    Function::new("fromToml", &[Str], |env, a| {
        Ok(toml::read(env, text(a, 0)).unwrap_or_else(|error| Value::map([("Error", error.into())])))
    }),
];

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const YAML_AS_JSON: &str = "error unmarshaling JSON: while decoding JSON: ";

/// RFC 4648 with padding, `bits` to a character.
fn encode(text: &str, alphabet: &[u8], bits: usize) -> String {
    let bytes = bytes_of(text);
    let quantum = if bits == 6 { 4 } else { 8 };
    let mut encoded = String::with_capacity(bytes.len() * 8 / bits + quantum);
    let (mut buffer, mut filled) = (0u32, 0);
    for &byte in bytes.iter() {
        buffer = buffer << 8 | u32::from(byte);
        filled += 8;
        while filled >= bits {
            filled -= bits;
            encoded.push(char::from(alphabet[(buffer >> filled) as usize & ((1 << bits) - 1)]));
        }
    }
    if filled > 0 {
        encoded.push(char::from(alphabet[(buffer << (bits - filled)) as usize & ((1 << bits) - 1)]));
    }
    while !encoded.len().is_multiple_of(quantum) {
        encoded.push('=');
    }
    encoded
}

/// What a marshaller wrote.
fn written(result: Result<String, String>) -> Result<Value, Error> {
    match result {
        Ok(text) => Ok(text.into()),
        Err(message) if message == TOO_LARGE => Err(Error::Limit),
        Err(message) => Err(message.into()),
    }
}

/// The same for functions that swallow errors.
fn or_nothing(result: Result<String, String>) -> Result<Value, Error> {
    match written(result) {
        Err(Error::Message(_)) => Ok("".into()),
        result => result,
    }
}

/// The text of decoded bytes, or of the error, which these functions give out as if it were the result.
fn decoded(result: Result<Vec<u8>, String>) -> Value {
    result.map_or_else(Value::from, |bytes| text_from_bytes(&bytes).into_owned().into())
}

/// Decodes as Go does: line breaks do not count, and errors tell the offset of the byte that is wrong.
pub(super) fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    let source = bytes_of(text);
    let wrong = |at: usize| format!("illegal base64 data at input byte {at}");
    let is_break = |at: usize| matches!(source.get(at), Some(b'\r' | b'\n'));
    let mut bytes = Vec::with_capacity(source.len() / 4 * 3 + 3);
    let (mut buffer, mut digits) = (0u32, 0);
    let mut at = 0;
    while at < source.len() {
        let byte = source[at];
        at += 1;
        if byte == b'=' {
            if digits < 2 {
                return Err(wrong(at - 1));
            }
            while is_break(at) {
                at += 1;
            }
            if digits == 2 {
                match source.get(at) {
                    None => return Err(wrong(source.len())),
                    Some(b'=') => at += 1,
                    Some(_) => return Err(wrong(at - 1)),
                }
            }
            while is_break(at) {
                at += 1;
            }
            if at < source.len() {
                return Err(wrong(at));
            }
            bytes.extend((buffer << (6 * (4 - digits))).to_be_bytes()[1..].iter().take(digits - 1));
            return Ok(bytes);
        }
        if matches!(byte, b'\r' | b'\n') {
            continue;
        }
        let digit = BASE64.iter().position(|&known| known == byte).ok_or_else(|| wrong(at - 1))?;
        buffer = buffer << 6 | digit as u32;
        digits += 1;
        if digits == 4 {
            bytes.extend(&buffer.to_be_bytes()[1..]);
            (buffer, digits) = (0, 0);
        }
    }
    if digits == 0 { Ok(bytes) } else { Err(wrong(source.len() - digits)) }
}

fn decode_base32(text: &str) -> Result<Vec<u8>, String> {
    let source: Vec<u8> = bytes_of(text).iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let wrong = |at: usize| format!("illegal base32 data at input byte {at}");
    let mut bytes = Vec::with_capacity(source.len() / 8 * 5 + 5);
    for (start, quantum) in source.chunks(8).enumerate().map(|(index, quantum)| (index * 8, quantum)) {
        let mut buffer = 0u64;
        let mut digits = 0;
        while digits < 8 {
            let Some(&byte) = quantum.get(digits) else { return Err(wrong(source.len() - digits)) };
            let rest = source.len() - start - digits - 1;
            if byte == b'=' && digits >= 2 && rest < 8 {
                if rest + digits < 7 {
                    return Err(wrong(source.len()));
                }
                let padding = &source[start + digits + 1..];
                if let Some(at) = padding.iter().take(7 - digits).position(|&byte| byte != b'=') {
                    return Err(wrong(start + digits + at));
                }
                if matches!(digits, 3 | 6) {
                    return Err(wrong(start + digits));
                }
                break;
            }
            let digit = BASE32.iter().position(|&known| known == byte).ok_or_else(|| wrong(start + digits))?;
            buffer = buffer << 5 | digit as u64;
            digits += 1;
        }
        bytes.extend((buffer << (5 * (8 - digits))).to_be_bytes()[3..].iter().take(digits * 5 / 8));
        if digits < 8 {
            break;
        }
    }
    Ok(bytes)
}

/// The first document. Numbers become floats, as they do on their way through JSON.
fn from_yaml(text: &str) -> Result<Value, String> {
    let document = yaml::read(text, FileId(0)).first();
    let node = document.map_err(|error| format!("error converting YAML to JSON: {}", error.go))?;
    Ok(yaml::untagged(&node, Numbers::Go))
}

/// A map, with what could not be read as `Error`.
fn map_from_json(text: &str) -> Value {
    match from_json_partly(text) {
        Ok((Value::Map(map), Some(error))) => {
            let mut entries = map.sorted();
            entries.push(("Error".into(), error.into()));
            Value::map(entries)
        }
        read => map_or_error(read.map(|(value, _)| value), ""),
    }
}

fn list_from_json(text: &str) -> Value {
    match from_json_partly(text) {
        Ok((Value::List(_), Some(error))) => Value::list(vec![error.into()]),
        read => list_or_error(read.map(|(value, _)| value), ""),
    }
}

fn map_or_error(read: Result<Value, String>, prefix: &str) -> Value {
    let error = match read {
        Ok(Value::Nil) if prefix.is_empty() => return Value::Map(Map::nil(MapKind::Any)),
        Ok(Value::Nil) => return Value::map::<&str>([]),
        Ok(map @ Value::Map(_)) => return map,
        Ok(value) => format!("{prefix}{}", mismatch(&value, "map[string]interface {}")),
        Err(error) => error,
    };
    Value::map([("Error", error.into())])
}

fn list_or_error(read: Result<Value, String>, prefix: &str) -> Value {
    let error = match read {
        Ok(Value::Nil) if prefix.is_empty() => return Value::List(List::nil()),
        Ok(Value::Nil) => return Value::list(Vec::new()),
        Ok(list @ Value::List(_)) => return list,
        Ok(value) => format!("{prefix}{}", mismatch(&value, "[]interface {}")),
        Err(error) => error,
    };
    Value::list(vec![error.into()])
}

fn mismatch(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Bool(_) => "bool",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    };
    format!("json: cannot unmarshal {found} into Go value of type {wanted}")
}

fn to_toml(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(toml::write(env, toml_root(arguments)?)?.unwrap_or_else(|error| error).into())
}

fn must_to_toml(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(toml::write(env, toml_root(arguments)?)??.into())
}

fn toml_root(arguments: &[Value]) -> Result<&Value, Error> {
    match any(arguments, 0) {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn bytes_are_encoded() {
        for (plain, base64, base32) in [
            ("", "", ""),
            ("f", "Zg==", "MY======"),
            ("fo", "Zm8=", "MZXQ===="),
            ("foo", "Zm9v", "MZXW6==="),
            ("foob", "Zm9vYg==", "MZXW6YQ="),
            ("fooba", "Zm9vYmE=", "MZXW6YTB"),
            ("é\u{10FFFF}", "w6n/", "YOU76==="),
        ] {
            assert_eq!(call("b64enc", &[plain.into()]), base64);
            assert_eq!(call("b64dec", &[base64.into()]), plain);
            assert_eq!(call("b32enc", &[plain.into()]), base32);
            assert_eq!(call("b32dec", &[base32.into()]), plain);
        }
        assert_eq!(call("b64dec", &["Zm\n9v\r\nYg=\n=\n".into()]), "foob");
    }

    #[test]
    fn bad_encodings_are_told_in_the_result() {
        for (text, at) in [("a", 0), ("Zg=", 3), ("Zg=x", 2), ("Zm9v!", 4), ("Zg==x", 4), ("=", 0), ("Zm9vYg", 4)] {
            assert_eq!(call("b64dec", &[text.into()]), format!("illegal base64 data at input byte {at}"), "{text}");
        }
        for (text, at) in [("M", 0), ("MY=====", 7), ("MY===x==", 4), ("mY======", 0), ("MZX=====", 3)] {
            assert_eq!(call("b32dec", &[text.into()]), format!("illegal base32 data at input byte {at}"), "{text}");
        }
    }

    #[test]
    fn json_is_written_and_read() {
        let value = Value::map([("b", Value::Float(1e6)), ("a", "<é>".into())]);
        assert_eq!(call("toJson", std::slice::from_ref(&value)), r#"{"a":"\u003cé\u003e","b":1000000}"#);
        assert_eq!(call("toRawJson", std::slice::from_ref(&value)), r#"{"a":"<é>","b":1000000}"#);
        assert_eq!(call("toPrettyJson", &[value]), "{\n  \"a\": \"\\u003cé\\u003e\",\n  \"b\": 1000000\n}");
        let nan = [Value::Float(f64::NAN)];
        assert_eq!(call("toJson", &nan), "");
        assert_eq!(call("mustToJson", &nan), "error: json: unsupported value: NaN");
        assert_eq!(call("toRawJson", &nan), "error: json: unsupported value: NaN");
        assert_eq!(call("fromJson", &["{\"a\":1}".into()]), "map[a:1]");
        assert_eq!(call("fromJson", &["{".into()]), "map[Error:unexpected end of JSON input]");
        assert_eq!(
            call("fromJson", &["[1]".into()]),
            "map[Error:json: cannot unmarshal array into Go value of type map[string]interface {}]"
        );
        assert_eq!(call("fromJsonArray", &["[1]".into()]), "[1]");
        assert_eq!(call("mustFromJson", &["\"a\"".into()]), "a");
        assert_eq!(call("mustFromJson", &["".into()]), "error: unexpected end of JSON input");
    }

    #[test]
    fn yaml_is_written_and_read() {
        assert_eq!(call("toYaml", &[Value::map([("a", Value::list(vec![true.into()]))])]), "a:\n- true");
        assert_eq!(call("toYamlPretty", &[Value::map([("a", Value::list(vec![true.into()]))])]), "a:\n  - true");
        assert_eq!(
            call("mustToYaml", &[Value::Float(f64::NAN)]),
            "error: error marshaling into JSON: json: unsupported value: NaN"
        );
        assert_eq!(call("fromYaml", &["a: 1\n---\nb: 2".into()]), "map[a:1]");
        assert_eq!(call("fromYaml", &["".into()]), "map[]");
        assert_eq!(
            call("fromYaml", &["a".into()]),
            "map[Error:error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of \
             type map[string]interface {}]"
        );
        assert_eq!(call("fromYamlArray", &["- a\n- 2".into()]), "[a 2]");
        assert_eq!(
            call("fromYamlArray", &["a: 1".into()]),
            "[error unmarshaling JSON: while decoding JSON: json: cannot unmarshal object into Go value of type \
             []interface {}]"
        );
    }
}
