//! Digests, passwords and symmetric encryption.

use super::Type::{Str, Uint32};
use super::encoding::decode_base64;
use super::{Env, Error, Function, int, text};
use crate::value::{Value, bytes_of, text_from_bytes};
use aes::Aes256;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aws_lc_rs::hmac;
use base64::Engine;
use rand::RngCore;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("sha1sum", &[Str], |_, a| Ok(hexadecimal(&Sha1::digest(bytes_of(text(a, 0)))))),
    Function::new("sha256sum", &[Str], |_, a| Ok(hexadecimal(&Sha256::digest(bytes_of(text(a, 0)))))),
    Function::new("sha512sum", &[Str], |_, a| Ok(hexadecimal(&Sha512::digest(bytes_of(text(a, 0)))))),
    Function::new("adler32sum", &[Str], |_, a| Ok(adler32(&bytes_of(text(a, 0))).to_string().into())),
    Function::new("bcrypt", &[Str], |env, a| Ok(hash_password(env, text(a, 0))?.into())),
    Function::new("htpasswd", &[Str, Str], htpasswd),
    Function::new("derivePassword", &[Uint32, Str, Str, Str, Str], derive_password),
    Function::new("encryptAES", &[Str, Str], encrypt),
    Function::new("decryptAES", &[Str, Str], decrypt),
];

fn hexadecimal(digest: &[u8]) -> Value {
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// RFC 1950.
fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (mut sum, mut sum_of_sums) = (1u32, 0u32);
    // As many bytes as cannot overflow.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            sum += u32::from(*byte);
            sum_of_sums += sum;
        }
        (sum, sum_of_sums) = (sum % PRIME, sum_of_sums % PRIME);
    }
    sum_of_sums << 16 | sum
}

/// Steps for what is slow on purpose: a tenth of a second.
const SLOW: u64 = 200_000;

/// bcrypt with cost 10 and a random salt, or the text of the error.
fn hash_password(env: &mut Env<'_>, password: &str) -> Result<String, Error> {
    const COST: u32 = 10;
    const LONGEST: usize = 72;
    let password = bytes_of(password);
    if password.len() > LONGEST {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned());
    }
    env.charge(SLOW)?;
    let mut salt = [0; 16];
    env.random.fill_bytes(&mut salt);
    Ok(match bcrypt::hash_with_salt(&password, COST, salt) {
        Ok(hash) => hash.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    })
}

fn htpasswd(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let user = text(arguments, 0);
    if user.contains(':') {
        return Ok(format!("invalid username: {user}").into());
    }
    Ok(format!("{user}:{}", hash_password(env, text(arguments, 1))?).into())
}

/// The password templates of the Master Password algorithm, by type; each letter stands for a set of characters.
const PASSWORDS: &[(&str, &[&str])] = &[
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

fn characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn derive_password(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    const SCOPE: &[u8] = b"com.lyndir.masterpassword";
    let kind = text(arguments, 1);
    let Some((_, templates)) = PASSWORDS.iter().find(|(name, _)| *name == kind) else {
        return Ok(format!("cannot find password template {kind}").into());
    };
    env.charge(SLOW)?;
    let counter = int(arguments, 0) as u32;
    let (password, user, site) =
        (bytes_of(text(arguments, 2)), bytes_of(text(arguments, 3)), bytes_of(text(arguments, 4)));
    let named = |name: &[u8]| [SCOPE, &(name.len() as u32).to_be_bytes(), name].concat();
    let mut key = [0; 64];
    let derived = scrypt::Params::new(15, 8, 2, key.len()).map_err(|error| error.to_string()).and_then(|params| {
        scrypt::scrypt(&password, &named(&user), &params, &mut key).map_err(|error| error.to_string())
    });
    if let Err(error) = derived {
        return Ok(format!("failed to derive password: {error}").into());
    }
    let message = [named(&site), counter.to_be_bytes().to_vec()].concat();
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
    let seed = seed.as_ref();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let derived = template.bytes().zip(&seed[1..]).map(|(class, byte)| {
        let characters = characters(class);
        char::from(characters[usize::from(*byte) % characters.len()])
    });
    Ok(derived.collect::<String>().into())
}

const BLOCK: usize = 16;

fn cipher(password: &str) -> Aes256 {
    let password = bytes_of(password);
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    Aes256::new(&GenericArray::from(key))
}

/// AES-256 in CBC mode with PKCS #7 padding: the initial block and the ciphertext, in base64.
fn encrypt(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let plain = bytes_of(text(arguments, 1));
    if plain.is_empty() {
        return Ok("".into());
    }
    env.allocate(2 * plain.len())?;
    let cipher = cipher(text(arguments, 0));
    let padding = BLOCK - plain.len() % BLOCK;
    let padded: Vec<u8> = plain.iter().copied().chain(std::iter::repeat_n(padding as u8, padding)).collect();
    let mut last = [0; BLOCK];
    env.random.fill_bytes(&mut last);
    let mut encrypted = last.to_vec();
    for block in padded.chunks(BLOCK) {
        for (byte, plain) in last.iter_mut().zip(block) {
            *byte ^= plain;
        }
        cipher.encrypt_block(GenericArray::from_mut_slice(&mut last));
        encrypted.extend_from_slice(&last);
    }
    Ok(base64::engine::general_purpose::STANDARD.encode(encrypted).into())
}

/// The inverse. A wrong password shows only where the padding makes no sense.
fn decrypt(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let encoded = text(arguments, 1);
    if encoded.is_empty() {
        return Ok("".into());
    }
    let encrypted = decode_base64(encoded)?;
    if encrypted.len() < BLOCK {
        let capacity = encoded.len() / 4 * 3;
        return Err(format!("runtime error: slice bounds out of range [:{BLOCK}] with capacity {capacity}").into());
    }
    if encrypted.len() % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cipher(text(arguments, 0));
    let mut plain = Vec::with_capacity(encrypted.len());
    for (last, block) in encrypted.chunks(BLOCK).zip(encrypted.chunks(BLOCK).skip(1)) {
        let mut block = GenericArray::clone_from_slice(block);
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(last).map(|(byte, last)| byte ^ last));
    }
    let Some(&padding) = plain.last() else { return Err("runtime error: index out of range [-1]".into()) };
    let length = plain.len() as i64 - i64::from(padding);
    let kept = usize::try_from(length).map_err(|_| format!("runtime error: slice bounds out of range [:{length}]"))?;
    Ok(text_from_bytes(&plain[..kept]).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn digests_are_known() {
        for (name, digest) in [
            ("sha1sum", "664add438097fbd4307f814de8e62a10f8905588"),
            ("sha256sum", "d38b38a2dd476e045c299e8ee5d6466834456d97bd592a71746b423a6a05f386"),
            ("adler32sum", "300286872"),
        ] {
            assert_eq!(call(name, &["Wikipedia".into()]), digest);
        }
        assert_eq!(call("sha512sum", &["".into()])[..16], *"cf83e1357eefb8bd");
        assert_eq!(adler32(&[0xFF; 100_000]), 345_649_196);
    }

    #[test]
    fn passwords_are_hashed() {
        let hash = call("bcrypt", &["secret".into()]);
        assert!(hash.starts_with("$2a$10$") && hash.len() == 60, "{hash}");
        assert!(bcrypt::verify("secret", &hash).expect("a hash"));
        assert!(call("htpasswd", &["me".into(), "secret".into()]).starts_with("me:$2a$10$"));
        assert_eq!(call("htpasswd", &["a:b".into(), "secret".into()]), "invalid username: a:b");
        assert_eq!(
            call("bcrypt", &["x".repeat(73).into()]),
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes"
        );
    }

    #[test]
    fn passwords_are_derived() {
        let derive = |kind: &str| {
            let texts = [kind, "password", "user", "example.com"].map(Value::from);
            call("derivePassword", &[&[Value::Uint(1)][..], &texts].concat())
        };
        assert_eq!(derive("long"), "ZedaFaxcZaso9*");
        assert_eq!(derive("maximum"), "pf4zS1LjCg&LjhsZ7T2~");
        assert_eq!(derive("pin"), "6685");
        assert_eq!(derive("x"), "cannot find password template x");
    }

    #[test]
    fn texts_are_encrypted() {
        let secret = call("encryptAES", &["key".into(), "plain text".into()]);
        assert_eq!(call("decryptAES", &["key".into(), secret.into()]), "plain text");
        let known = "30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=";
        assert_eq!(call("decryptAES", &["secretkey".into(), known.into()]), "plaintext");
        assert_eq!(call("encryptAES", &["key".into(), "".into()]), "");
        for (text, error) in [
            ("x", "illegal base64 data at input byte 0"),
            ("AAAA", "runtime error: slice bounds out of range [:16] with capacity 3"),
            ("AAAAAAAAAAAAAAAAAAAAAA==", "runtime error: index out of range [-1]"),
            ("AAAAAAAAAAAAAAAAAAAAAAAA", "crypto/cipher: input not full blocks"),
        ] {
            assert_eq!(call("decryptAES", &["key".into(), text.into()]), format!("error: {error}"), "{text}");
        }
    }
}
