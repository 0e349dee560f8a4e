//! Private keys: making them, reading and writing them in PEM, and signing.
//!
//! Without a seed RSA keys come from AWS-LC, which is fast. With one they come from the seeded generator, and every
//! signature is deterministic, so that the same seed gives the same keys and certificates.

use super::der::{self, Reader, bit_string, element, integer, sequence};
use super::{Env, encoding};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use dsa::{Components, SigningKey as DsaKey};
use rand::RngCore;
use rand_chacha::ChaCha20Rng;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer};
use sha2::Sha256;

/// An elliptic curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    /// The contents of its object identifier.
    fn object(self) -> &'static [u8] {
        match self {
            Curve::P256 => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
            Curve::P384 => &[0x2B, 0x81, 0x04, 0x00, 0x22],
            Curve::P521 => &[0x2B, 0x81, 0x04, 0x00, 0x23],
        }
    }

    /// Bytes of a private key.
    fn size(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    /// The curve, the private number, and the public point.
    Ec(Curve, Vec<u8>, Vec<u8>),
    Ed25519([u8; 32]),
    /// The contents of the PEM block; such keys cannot sign certificates.
    Dsa(Vec<u8>),
}

const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const RSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];

impl PrivateKey {
    /// A new RSA key.
    pub(super) fn rsa(env: &mut Env<'_>, bits: usize) -> Result<Self, String> {
        if env.context.seed.is_some() {
            let key = RsaPrivateKey::new(&mut Random(&mut env.random), bits).map_err(|error| error.to_string())?;
            return Ok(PrivateKey::Rsa(Box::new(key)));
        }
        let size = if bits > 2048 { KeySize::Rsa4096 } else { KeySize::Rsa2048 };
        let failed = || "the system has no randomness".to_owned();
        let pair = aws_lc_rs::rsa::KeyPair::generate(size).map_err(|_| failed())?;
        let document = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed())?;
        let key = RsaPrivateKey::from_pkcs8_der(document.as_ref()).map_err(|error| error.to_string())?;
        Ok(PrivateKey::Rsa(Box::new(key)))
    }

    pub(super) fn p256(env: &mut Env<'_>) -> Self {
        loop {
            let mut number = vec![0; Curve::P256.size()];
            env.random.fill_bytes(&mut number);
            if let Some(point) = public_point(Curve::P256, &number) {
                return PrivateKey::Ec(Curve::P256, number, point);
            }
        }
    }

    pub(super) fn ed25519(env: &mut Env<'_>) -> Self {
        let mut seed = [0; 32];
        env.random.fill_bytes(&mut seed);
        PrivateKey::Ed25519(seed)
    }

    /// 2048 bits with a subgroup of 256.
    pub(super) fn dsa(env: &mut Env<'_>) -> Self {
        let mut random = Random(&mut env.random);
        let components = Components::generate(&mut random, dsa::KeySize::DSA_2048_256);
        let key = DsaKey::generate(&mut random, components);
        let public = key.verifying_key();
        let numbers = [
            public.components().p().to_bytes_be(),
            public.components().q().to_bytes_be(),
            public.components().g().to_bytes_be(),
            public.y().to_bytes_be(),
            key.x().to_bytes_be(),
        ];
        let numbers = numbers.map(|number| integer(&number));
        let [p, q, g, y, x] = &numbers;
        PrivateKey::Dsa(sequence(&[&integer(&[]), p, q, g, y, x]))
    }

    /// The first key in a PEM text, in any form that Go reads.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (kind, bytes) = decode_pem(text).ok_or("no PEM data in input")?;
        let Some(algorithm) = kind.strip_suffix("PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {kind}"));
        };
        match algorithm {
            "" => read_pkcs8(&bytes).map_err(|error| format!("decoding PEM as PKCS#8: {error}")),
            "RSA " => read_rsa(&bytes).map_err(|error| format!("parsing RSA private key from PEM: {error}")),
            "EC " => read_ec(&bytes, None).map_err(|error| format!("parsing EC private key from PEM: {error}")),
            "DSA " => read_dsa(&bytes).map_err(|error| format!("parsing DSA private key from PEM: {error}")),
            _ if algorithm.ends_with(' ') => Err(format!("invalid private key type {kind}")),
            _ => Err(format!("no private key data in PEM block of type {kind}")),
        }
    }

    /// In the form that Helm writes: PKCS #1, SEC 1, OpenSSL's DSA, or PKCS #8.
    pub(super) fn to_pem(&self) -> Result<String, String> {
        Ok(match self {
            PrivateKey::Rsa(key) => {
                let document = key.to_pkcs1_der().map_err(|error| error.to_string())?;
                encode_pem("RSA PRIVATE KEY", document.as_bytes())
            }
            PrivateKey::Ec(curve, number, point) => encode_pem("EC PRIVATE KEY", &ec_der(*curve, number, point)),
            PrivateKey::Dsa(document) => encode_pem("DSA PRIVATE KEY", document),
            PrivateKey::Ed25519(seed) => {
                let algorithm = sequence(&[&element(der::OBJECT, &[ED25519])]);
                let key = element(der::OCTET_STRING, &[&element(der::OCTET_STRING, &[seed])]);
                encode_pem("PRIVATE KEY", &sequence(&[&integer(&[]), &algorithm, &key]))
            }
        })
    }

    /// The public key: its algorithm, as an element, and its bytes. DSA keys have none that a certificate may hold.
    pub(super) fn public(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let object = |contents: &[u8]| element(der::OBJECT, &[contents]);
        Some(match self {
            PrivateKey::Rsa(key) => {
                let document = key.to_public_key().to_pkcs1_der().ok()?;
                (sequence(&[&object(RSA), der::NULL]), document.as_bytes().to_vec())
            }
            PrivateKey::Ec(curve, _, point) => (sequence(&[&object(EC), &object(curve.object())]), point.clone()),
            PrivateKey::Ed25519(seed) => {
                let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
                (sequence(&[&object(ED25519)]), pair.public_key().as_ref().to_vec())
            }
            PrivateKey::Dsa(_) => return None,
        })
    }

    /// The signature algorithm, as an element.
    pub(super) fn algorithm(&self) -> Option<Vec<u8>> {
        let object = |contents: &[u8]| element(der::OBJECT, &[contents]);
        // ecdsa-with-SHA256, -SHA384, -SHA512 differ in the last number.
        let ecdsa = |hash: u8| sequence(&[&object(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, hash])]);
        Some(match self {
            PrivateKey::Rsa(_) => sequence(&[&object(RSA_SHA256), der::NULL]),
            PrivateKey::Ec(Curve::P256, ..) => ecdsa(2),
            PrivateKey::Ec(Curve::P384, ..) => ecdsa(3),
            PrivateKey::Ec(Curve::P521, ..) => ecdsa(4),
            PrivateKey::Ed25519(_) => sequence(&[&object(ED25519)]),
            PrivateKey::Dsa(_) => return None,
        })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            PrivateKey::Rsa(key) => {
                let signer = rsa::pkcs1v15::SigningKey::<Sha256>::new((**key).clone());
                Some(signer.try_sign(message).ok()?.to_vec())
            }
            PrivateKey::Ec(Curve::P256, number, _) => {
                let signature: p256::ecdsa::DerSignature =
                    p256::ecdsa::SigningKey::from_slice(number).ok()?.try_sign(message).ok()?;
                Some(signature.as_bytes().to_vec())
            }
            PrivateKey::Ec(Curve::P384, number, _) => {
                let signature: p384::ecdsa::DerSignature =
                    p384::ecdsa::SigningKey::from_slice(number).ok()?.try_sign(message).ok()?;
                Some(signature.as_bytes().to_vec())
            }
            PrivateKey::Ec(Curve::P521, number, _) => {
                let signature: p521::ecdsa::Signature =
                    p521::ecdsa::SigningKey::from_slice(number).ok()?.try_sign(message).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            PrivateKey::Ed25519(seed) => {
                Some(Ed25519KeyPair::from_seed_unchecked(seed).ok()?.sign(message).as_ref().to_vec())
            }
            PrivateKey::Dsa(_) => None,
        }
    }
}

/// The seeded generator for the crates of an older generation.
struct Random<'r>(&'r mut ChaCha20Rng);

impl rsa::rand_core::RngCore for Random<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Random<'_> {}

/// The uncompressed point; none for a number that is no private key.
fn public_point(curve: Curve, number: &[u8]) -> Option<Vec<u8>> {
    Some(match curve {
        Curve::P256 => p256::ecdsa::SigningKey::from_slice(number)
            .ok()?
            .verifying_key()
            .to_encoded_point(false)
            .as_bytes()
            .to_vec(),
        Curve::P384 => p384::ecdsa::SigningKey::from_slice(number)
            .ok()?
            .verifying_key()
            .to_encoded_point(false)
            .as_bytes()
            .to_vec(),
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(number).ok()?;
            p521::ecdsa::VerifyingKey::from(&key).to_encoded_point(false).as_bytes().to_vec()
        }
    })
}

/// SEC 1, with curve and public point.
fn ec_der(curve: Curve, number: &[u8], point: &[u8]) -> Vec<u8> {
    let parameters = element(0xA0, &[&element(der::OBJECT, &[curve.object()])]);
    let public = element(0xA1, &[&bit_string(point, 0)]);
    sequence(&[&integer(&[1]), &element(der::OCTET_STRING, &[number]), &parameters, &public])
}

/// What a key is that is not in the form that its label says.
fn misplaced(bytes: &[u8], otherwise: &str) -> String {
    let mut fields = Reader(bytes).sequence().unwrap_or(Reader(&[]));
    let version = fields.read(der::INTEGER);
    let form = match fields.peek() {
        Some(der::SEQUENCE) if version.is_some() => "ParsePKCS8PrivateKey",
        Some(der::OCTET_STRING) if version.is_some() => "ParseECPrivateKey",
        Some(der::INTEGER) if RsaPrivateKey::from_pkcs1_der(bytes).is_ok() => "ParsePKCS1PrivateKey",
        _ => return otherwise.to_owned(),
    };
    format!("x509: failed to parse private key (use {form} instead for this key format)")
}

fn read_pkcs8(bytes: &[u8]) -> Result<PrivateKey, String> {
    let fields = || {
        let mut outer = Reader(bytes).sequence()?;
        outer.read(der::INTEGER)?;
        let mut algorithm = outer.sequence()?;
        Some((algorithm.read(der::OBJECT)?, algorithm.read(der::OBJECT), outer.read(der::OCTET_STRING)?))
    };
    let (algorithm, parameter, key) = fields().ok_or_else(|| misplaced(bytes, "x509: malformed private key"))?;
    match algorithm {
        RSA => {
            read_rsa(key).map_err(|error| format!("x509: failed to parse RSA private key embedded in PKCS#8: {error}"))
        }
        EC => {
            let curve = Curve::ALL.into_iter().find(|curve| parameter == Some(curve.object()));
            read_ec(key, curve)
                .map_err(|error| format!("x509: failed to parse EC private key embedded in PKCS#8: {error}"))
        }
        ED25519 => {
            let seed = Reader(key).read(der::OCTET_STRING).ok_or("x509: invalid Ed25519 private key")?;
            let wrong = || format!("x509: invalid Ed25519 private key length: {}", seed.len());
            Ok(PrivateKey::Ed25519(seed.try_into().map_err(|_| wrong())?))
        }
        _ => Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".to_owned()),
    }
}

fn read_rsa(bytes: &[u8]) -> Result<PrivateKey, String> {
    match RsaPrivateKey::from_pkcs1_der(bytes) {
        Ok(key) => Ok(PrivateKey::Rsa(Box::new(key))),
        Err(_) => Err(misplaced(bytes, "x509: malformed private key")),
    }
}

/// SEC 1; the curve may be known from around it.
fn read_ec(bytes: &[u8], curve: Option<Curve>) -> Result<PrivateKey, String> {
    let fields = || {
        let mut key = Reader(bytes).sequence()?;
        Some((key.read(der::INTEGER)?, key.read(der::OCTET_STRING)?, key))
    };
    let malformed = || misplaced(bytes, "x509: failed to parse EC private key: malformed private key");
    let (version, number, mut key) = fields().ok_or_else(malformed)?;
    if version != [1] {
        return Err(format!("x509: unknown EC private key version {}", version.last().copied().unwrap_or_default()));
    }
    let named = match key.peek() {
        Some(0xA0) => key.read(0xA0).and_then(|parameters| Reader(parameters).read(der::OBJECT)),
        _ => None,
    };
    let curve = curve.or_else(|| Curve::ALL.into_iter().find(|curve| named == Some(curve.object())));
    let curve = curve.ok_or("x509: unknown elliptic curve")?;
    let significant = &number[number.iter().take_while(|byte| **byte == 0).count()..];
    let zeros = curve.size().checked_sub(significant.len()).ok_or("x509: invalid private key length")?;
    let number = [&vec![0; zeros], significant].concat();
    let point = public_point(curve, &number).ok_or("x509: invalid elliptic curve private key value")?;
    Ok(PrivateKey::Ec(curve, number, point))
}

fn read_dsa(bytes: &[u8]) -> Result<PrivateKey, String> {
    let mut numbers = Reader(bytes).sequence().ok_or("asn1: syntax error: malformed private key")?;
    for _ in 0..6 {
        numbers.read(der::INTEGER).ok_or("asn1: syntax error: malformed private key")?;
    }
    Ok(PrivateKey::Dsa(bytes.to_vec()))
}

/// RFC 7468 with lines of 64 characters.
pub(super) fn encode_pem(kind: &str, bytes: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {kind}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        out.extend(line.iter().copied().map(char::from));
        out.push('\n');
    }
    out + &format!("-----END {kind}-----\n")
}

/// The first whole block of a text: its type and contents. Headers are skipped.
pub(super) fn decode_pem(text: &str) -> Option<(&str, Vec<u8>)> {
    const END: &str = "-----END ";
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let mut rest = text;
    loop {
        let end = if rest.starts_with(END) { 0 } else { rest.find("\n-----END ")? + 1 };
        let (before, after) = (&rest[..end], &rest[end + END.len()..]);
        rest = after;
        let Some(begin) = before.rfind(BEGIN) else { continue };
        if !before[..begin].is_empty() && !before[..begin].ends_with('\n') {
            continue;
        }
        let (first, body) = before[begin + BEGIN.len()..].split_once('\n')?;
        let Some(kind) = first.trim_end().strip_suffix(DASHES) else { continue };
        let closed = after.lines().next().unwrap_or_default().trim_end();
        if closed.strip_suffix(DASHES) != Some(kind) {
            continue;
        }
        let base64: String = body
            .lines()
            .skip_while(|line| line.contains(':'))
            .flat_map(|line| line.chars())
            .filter(|char| !char.is_whitespace())
            .collect();
        if let Ok(bytes) = encoding::decode_base64(&base64) {
            return Some((kind, bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: &str = "-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIH44FtFXOyc21RTatlpE2Xg9gz6LNBHMe5NkX6FwhybgoAoGCCqGSM49\n\
        AwEHoUQDQgAEaxmstbznsR2H/2U6embcDNoU8uCnmOwBMgwKaUpghryVLjSX+mFh\n\
        xnKpFos0fpT7/JwSxb+OeLeN69qse+55rQ==\n\
        -----END EC PRIVATE KEY-----\n";

    #[test]
    fn blocks_are_found_as_go_finds_them() {
        for (text, expected) in [
            ("-----BEGIN A-----\nAAAA\n-----END A-----\n", Some(("A", 3))),
            ("junk\n-----BEGIN A-----\nk: v\n\nAA\nAA\n-----END A-----", Some(("A", 3))),
            ("-----BEGIN A-----\n-----BEGIN B-----\nAAAA\n-----END B-----", Some(("B", 3))),
            ("-----BEGIN A-----\nAAAA\n-----END B-----\n-----BEGIN C-----\n-----END C-----", Some(("C", 0))),
            ("-----BEGIN A-----\nAAA\n-----END A-----\n", None),
            ("x-----BEGIN A-----\nAAAA\n-----END A-----\n", None),
            ("-----BEGIN A-----\nAAAA", None),
            ("", None),
        ] {
            let found = decode_pem(text);
            assert_eq!(found.as_ref().map(|(kind, bytes)| (*kind, bytes.len())), expected, "{text}");
        }
    }

    #[test]
    fn wrong_labels_are_told() {
        let wrong = |label: &str| PrivateKey::read(&P256.replace("EC PRIVATE", label)).unwrap_err();
        let hint = "x509: failed to parse private key (use ParseECPrivateKey instead for this key format)";
        assert_eq!(wrong("RSA PRIVATE"), format!("parsing RSA private key from PEM: {hint}"));
        assert_eq!(wrong("PRIVATE"), format!("decoding PEM as PKCS#8: {hint}"));
        assert_eq!(wrong("X PRIVATE"), "invalid private key type X PRIVATE KEY");
        assert_eq!(PrivateKey::read("").unwrap_err(), "no PEM data in input");
    }
}
