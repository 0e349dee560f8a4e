//! Provenance files: Helm's clear-signed statement of what an archive holds.
//!
//! The text is `Chart.yaml`, a line `...`, and the archive's name with its SHA-256; OpenPGP signs it in the clear-text
//! framework of RFC 9580.

use super::{digest, metadata_json, yaml_of};
use crate::chart::Metadata;
use crate::yaml::{self, Node};
use pgp::composed::{ArmorOptions, CleartextSignedMessage, PublicOrSecret, SignedPublicKey, SignedSecretKey};
use pgp::packet::{Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails, Password, SigningKey, Timestamp};
use std::fmt;
use std::time::{Duration, SystemTime};

/// Why something cannot be signed or is not trusted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("the keyring is not readable: {0}")]
    Keyring(String),
    #[error("no secret key in the keyring is for `{0}`")]
    NoKey(String),
    #[error("the keyring has several secret keys{}: {}; `--key` chooses one", of(asked), found.join(", "))]
    ManyKeys { asked: String, found: Vec<String> },
    #[error("the key cannot sign: {0}")]
    CannotSign(String),
    #[error("the provenance file is not a signed text: {0}")]
    NotSigned(String),
    #[error("the signature is by a key that is not in the keyring ({0})")]
    Unknown(String),
    #[error("the signature of {0} is not good: the provenance file was changed after it was signed")]
    Forged(String),
    #[error("the key of {0} {1}")]
    BadKey(String, &'static str),
    #[error("the provenance file does not name `{0}`")]
    OtherFile(String),
    #[error("the archive was changed after it was signed: it has SHA-256 {found}, signed was {signed}")]
    Tampered { found: String, signed: String },
}

fn of(asked: &str) -> String {
    if asked.is_empty() { String::new() } else { format!(" for `{asked}`") }
}

/// Who signed, with which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub users: Vec<String>,
    /// In hex.
    pub fingerprint: String,
    /// SHA-256 of the archive in hex.
    pub digest: String,
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users = self.users.first().map_or("a key without a name", String::as_str);
        write!(f, "signed by {users} with key {}, archive sha256:{}", self.fingerprint, self.digest)
    }
}

/// The text that is signed.
fn statement(metadata: &Metadata, file_name: &str, digest: &str) -> Result<String, Error> {
    let text = yaml_of(&serde_json::Value::Object(metadata_json(metadata))).map_err(Error::CannotSign)?;
    Ok(format!("{text}\n\n...\nfiles:\n  {file_name}: sha256:{digest}"))
}

/// Signs an archive: `key` is part of a user's name or the key's fingerprint, or empty for a keyring with one key.
pub fn sign(
    metadata: &Metadata,
    file_name: &str,
    data: &[u8],
    keyring: &[u8],
    key: &str,
    passphrase: &str,
) -> Result<String, Error> {
    let keys = secret_keys(keyring)?;
    let secret = choose(&keys, key)?;
    let text = statement(metadata, file_name, &digest(data))?;
    let password = if passphrase.is_empty() { Password::empty() } else { Password::from(passphrase) };
    let failed = |error: pgp::errors::Error| Error::CannotSign(error.to_string());
    let primary_signs = flags(&secret.details.users).is_none_or(|flags| flags);
    let subkey = secret.secret_subkeys.iter().find(|key| key.signatures.iter().any(|it| it.key_flags().sign()));
    let signature = match subkey {
        Some(subkey) if !primary_signs => signature(&subkey.key, &password, &text),
        _ => signature(&secret.primary_key, &password, &text),
    };
    let signature = signature.map_err(|error| match secret.primary_key.secret_params().is_encrypted() {
        true if passphrase.is_empty() => Error::CannotSign("it is locked; give its passphrase".to_owned()),
        true => Error::CannotSign("it is locked, and the passphrase does not open it".to_owned()),
        false => failed(error),
    })?;
    let message = CleartextSignedMessage::new_many(&text, |_| Ok(vec![signature])).map_err(failed)?;
    message.to_armored_string(ArmorOptions::default()).map_err(failed)
}

fn signature(key: &impl SigningKey, password: &Password, text: &str) -> pgp::errors::Result<Signature> {
    let mut config = SignatureConfig::v4(SignatureType::Text, key.algorithm(), key.hash_alg());
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::now()))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
    ];
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
    // Blanks at the ends of lines do not count in this framework.
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
    config.sign(key, password, lines.join("\r\n").as_bytes())
}

/// Checks that an archive is the one that somebody in the keyring signed.
pub fn verify(data: &[u8], file_name: &str, provenance: &[u8], keyring: &[u8]) -> Result<Signer, Error> {
    let text = std::str::from_utf8(provenance).map_err(|_| Error::NotSigned("it is not UTF-8 text".to_owned()))?;
    let (message, _) =
        CleartextSignedMessage::from_string(text).map_err(|error| Error::NotSigned(error.to_string()))?;
    let keys = public_keys(keyring)?;
    let (signer, signature) = signer(&message, &keys)?;
    let name = user_names(&signer.details.users).into_iter().next().unwrap_or_else(|| fingerprint(signer));
    check_key(signer, signature).map_err(|why| Error::BadKey(name, why))?;

    let statement = message.signed_text().replace("\r\n", "\n");
    let (_, files) = statement
        .split_once("\n...\n")
        .ok_or_else(|| Error::NotSigned("the signed text has no list of files".to_owned()))?;
    let files = yaml::read(files, crate::diagnostic::FileId(0)).first();
    let files = files.map_err(|error| Error::NotSigned(error.diagnostic.message))?;
    let signed = files.at(["files", file_name]).and_then(Node::as_str);
    let signed = signed.ok_or_else(|| Error::OtherFile(file_name.to_owned()))?;
    let signed = signed.strip_prefix("sha256:").unwrap_or(signed);
    let found = digest(data);
    if signed != found {
        return Err(Error::Tampered { found, signed: signed.to_owned() });
    }
    Ok(Signer { users: user_names(&signer.details.users), fingerprint: fingerprint(signer), digest: found })
}

/// The key whose signature is good.
fn signer<'a>(
    message: &'a CleartextSignedMessage,
    keys: &'a [SignedPublicKey],
) -> Result<(&'a SignedPublicKey, &'a Signature), Error> {
    for key in keys {
        if let Ok(signature) = message.verify(&key.primary_key) {
            return Ok((key, signature));
        }
        for subkey in &key.public_subkeys {
            let may_sign = subkey.signatures.iter().any(|it| it.key_flags().sign());
            if may_sign
                && subkey.verify_bindings(&key.primary_key).is_ok()
                && let Ok(signature) = message.verify(&subkey.key)
            {
                return Ok((key, signature));
            }
        }
    }
    let claimed: Vec<String> = message
        .signatures()
        .iter()
        .flat_map(Signature::issuer_key_id)
        .map(|id| id.to_string().to_uppercase())
        .collect();
    let known = keys.iter().find(|key| {
        let ids = std::iter::once(key.primary_key.legacy_key_id())
            .chain(key.public_subkeys.iter().map(|subkey| subkey.key.legacy_key_id()));
        ids.into_iter().any(|id| claimed.contains(&id.to_string().to_uppercase()))
    });
    Err(match known {
        Some(key) => Error::Forged(user_names(&key.details.users).into_iter().next().unwrap_or(fingerprint(key))),
        None if claimed.is_empty() => Error::Unknown("it does not say which".to_owned()),
        None => Error::Unknown(format!("key {}", claimed.join(", "))),
    })
}

/// Whether the key was good for this signature.
fn check_key(key: &SignedPublicKey, signature: &Signature) -> Result<(), &'static str> {
    key.details.verify_bindings(&key.primary_key).map_err(|_| "has a self-signature that is not good")?;
    if key.details.revocation_signatures.iter().any(|it| it.verify_key(&key.primary_key).is_ok()) {
        return Err("is revoked");
    }
    let seconds = |time: Timestamp| Duration::from_secs(u64::from(time.as_secs()));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let lifetime = key.details.users.iter().flat_map(|user| &user.signatures).find_map(Signature::key_expiration_time);
    if let Some(lifetime) = lifetime.map(|it| u64::from(it.as_secs())).filter(|&lifetime| lifetime > 0)
        && seconds(key.primary_key.created_at()) + Duration::from_secs(lifetime) < now
    {
        return Err("has expired");
    }
    let lifetime = signature.signature_expiration_time().map(|it| u64::from(it.as_secs())).filter(|&it| it > 0);
    if let (Some(lifetime), Some(created)) = (lifetime, signature.created())
        && seconds(created) + Duration::from_secs(lifetime) < now
    {
        return Err("made a signature that has expired");
    }
    Ok(())
}

/// Whether a user's self-signature lets the primary key sign; `None` where none says.
fn flags(users: &[pgp::types::SignedUser]) -> Option<bool> {
    let mut said = users.iter().flat_map(|user| &user.signatures).map(Signature::key_flags);
    said.find(|flags| flags.sign() || flags.certify()).map(|flags| flags.sign())
}

fn keys(keyring: &[u8]) -> Result<Vec<PublicOrSecret>, Error> {
    if keyring.get(8..12) == Some(b"KBXf") {
        let why = "it is a GnuPG keybox; export it with `gpg --export > keyring.gpg`, and secret keys with \
                   `gpg --export-secret-keys > secret.gpg`";
        return Err(Error::Keyring(why.to_owned()));
    }
    let (keys, _) = PublicOrSecret::from_reader_many(keyring).map_err(|error| Error::Keyring(error.to_string()))?;
    // Keys of kinds that we do not know are no reason to refuse the others.
    let keys: Vec<_> = keys.filter_map(Result::ok).collect();
    if keys.is_empty() { Err(Error::Keyring("it has no keys".to_owned())) } else { Ok(keys) }
}

fn public_keys(keyring: &[u8]) -> Result<Vec<SignedPublicKey>, Error> {
    let public = |key| match key {
        PublicOrSecret::Public(key) => key,
        PublicOrSecret::Secret(key) => key.to_public_key(),
    };
    Ok(keys(keyring)?.into_iter().map(public).collect())
}

fn secret_keys(keyring: &[u8]) -> Result<Vec<SignedSecretKey>, Error> {
    let keys: Vec<_> = keys(keyring)?
        .into_iter()
        .filter_map(|key| match key {
            PublicOrSecret::Secret(key) => Some(key),
            PublicOrSecret::Public(_) => None,
        })
        .collect();
    if keys.is_empty() {
        return Err(Error::Keyring(
            "it has public keys only; `gpg --export-secret-keys` exports secret ones".to_owned(),
        ));
    }
    Ok(keys)
}

fn choose<'a>(keys: &'a [SignedSecretKey], asked: &str) -> Result<&'a SignedSecretKey, Error> {
    let wanted = asked.to_lowercase();
    let is_wanted = |key: &&SignedSecretKey| {
        let print = format!("{:x}", key.primary_key.fingerprint());
        let by_print = wanted.len() >= 8 && print.ends_with(wanted.trim_start_matches("0x"));
        wanted.is_empty()
            || by_print
            || user_names(&key.details.users).iter().any(|user| user.to_lowercase().contains(&wanted))
    };
    let found: Vec<_> = keys.iter().filter(is_wanted).collect();
    let exact = |key: &&&SignedSecretKey| {
        user_names(&key.details.users).iter().any(|user| user == asked || user.ends_with(&format!("<{asked}>")))
    };
    match found.as_slice() {
        [] => Err(Error::NoKey(asked.to_owned())),
        [only] => Ok(only),
        many => {
            let exact: Vec<_> = many.iter().filter(exact).collect();
            if let [only] = exact.as_slice() {
                return Ok(only);
            }
            let found = many.iter().flat_map(|key| user_names(&key.details.users).into_iter().next()).collect();
            Err(Error::ManyKeys { asked: asked.to_owned(), found })
        }
    }
}

fn user_names(users: &[pgp::types::SignedUser]) -> Vec<String> {
    users.iter().map(|user| String::from_utf8_lossy(user.id.id()).into_owned()).collect()
}

fn fingerprint(key: &SignedPublicKey) -> String {
    format!("{:X}", key.primary_key.fingerprint())
}
