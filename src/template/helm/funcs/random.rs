//! Random texts and numbers, all from the generator that a seed can fix.

use super::Type::{Int, Str};
use super::unicode::runes;
use super::{Env, Error, Function, int, text};
use crate::value::Value;
use base64::Engine;
use rand::seq::SliceRandom;
use rand::{Rng, RngCore};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", &[Int], |env, a| characters(env, int(a, 0), |byte| byte.is_ascii_alphanumeric())),
    Function::new("randAlpha", &[Int], |env, a| characters(env, int(a, 0), |byte| byte.is_ascii_alphabetic())),
    Function::new("randNumeric", &[Int], |env, a| characters(env, int(a, 0), |byte| byte.is_ascii_digit())),
    Function::new("randAscii", &[Int], |env, a| characters(env, int(a, 0), |_| true)),
    Function::new("randBytes", &[Int], bytes),
    Function::new("randInt", &[Int, Int], between),
    Function::new("shuffle", &[Str], shuffle),
    Function::new("uuidv4", &[], uuid),
];

/// Printable ASCII characters of a kind; none for a negative count.
fn characters(env: &mut Env<'_>, count: i64, wanted: fn(&u8) -> bool) -> Result<Value, Error> {
    let count = usize::try_from(count).unwrap_or(0);
    env.allocate(count)?;
    let alphabet: Vec<u8> = (b' '..=b'~').filter(wanted).collect();
    let text: String = (0..count).map(|_| char::from(alphabet[env.random.random_range(0..alphabet.len())])).collect();
    Ok(text.into())
}

/// In base64.
fn bytes(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let count = usize::try_from(int(arguments, 0)).map_err(|_| "runtime error: makeslice: len out of range")?;
    env.allocate(count)?;
    let mut bytes = vec![0; count];
    env.random.fill_bytes(&mut bytes);
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into())
}

fn between(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let (low, high) = (int(arguments, 0), int(arguments, 1));
    let span = high.wrapping_sub(low);
    if span <= 0 {
        return Err("invalid argument to Intn".into());
    }
    Ok(Value::Int(env.random.random_range(0..span).wrapping_add(low)))
}

fn shuffle(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut runes: Vec<char> = runes(text(arguments, 0)).collect();
    runes.shuffle(&mut env.random);
    Ok(String::from_iter(runes).into())
}

fn uuid(env: &mut Env<'_>, _: &[Value]) -> Result<Value, Error> {
    const VERSION: u128 = 0x4 << 76;
    const VARIANT: u128 = 0x2 << 62;
    let random = env.random.random::<u128>() & !(0xF << 76) & !(0x3 << 62) | VERSION | VARIANT;
    let digits = format!("{random:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Ok(parts.join("-").into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn characters_are_of_their_kind() {
        for (name, is_wanted) in [
            ("randAlphaNum", (|char| char.is_ascii_alphanumeric()) as fn(char) -> bool),
            ("randAlpha", |char| char.is_ascii_alphabetic()),
            ("randNumeric", |char| char.is_ascii_digit()),
            ("randAscii", |char| matches!(char, ' '..='~')),
        ] {
            let text = call(name, &[Value::Int(200)]);
            assert_eq!(text.len(), 200);
            assert!(text.chars().all(is_wanted), "{name}: {text}");
            assert_eq!(text, call(name, &[Value::Int(200)]), "the seed fixes it");
            assert_eq!(call(name, &[Value::Int(-1)]), "");
            assert_eq!(call(name, &[Value::Int(1 << 40)]), "limit");
        }
    }

    #[test]
    fn numbers_are_in_range() {
        assert_eq!(call("randInt", &[Value::Int(5), Value::Int(6)]), "5");
        assert_eq!(call("randInt", &[Value::Int(5), Value::Int(5)]), "error: invalid argument to Intn");
        assert_eq!(call("randBytes", &[Value::Int(4)]).len(), 8);
        assert_eq!(call("randBytes", &[Value::Int(-4)]), "error: runtime error: makeslice: len out of range");
        let mut letters: Vec<char> = call("shuffle", &["hello".into()]).chars().collect();
        letters.sort_unstable();
        assert_eq!(String::from_iter(letters), "ehllo");
        let uuid = call("uuidv4", &[]);
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
    }
}
