//! Keys and X.509 certificates, field by field as Go's `crypto/x509` makes them for Helm.

use super::Type::{Int, List as ListType, Object as ObjectType, Str};
use super::der::{self, Reader, bit_string, element, integer, sequence};
use super::encoding::decode_base64;
use super::keys::{PrivateKey, decode_pem, encode_pem};
use super::time::{Civil, Time};
use super::{Env, Error, Function, any, int, text};
use crate::template::helm::print::{quote, strval};
use crate::value::{Object, Value, text_from_bytes};
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::any::Any;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

const CERTIFICATE: super::Type = ObjectType(TYPE_NAME);
const TYPE_NAME: &str = "sprig.certificate";

/// Bits of the keys that come with certificates.
const KEY_BITS: usize = 2048;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("genPrivateKey", &[Str], generate_key),
    Function::new("genCA", &[Str, Int], |env, a| {
        let key = new_key(env)?;
        authority(env, a, key)
    }),
    Function::new("genCAWithKey", &[Str, Int, Str], |env, a| {
        let key = given_key(a, 2)?;
        authority(env, a, key)
    }),
    Function::new("genSelfSignedCert", &[Str, ListType, ListType, Int], |env, a| {
        let key = new_key(env)?;
        self_signed(env, a, key)
    }),
    Function::new("genSelfSignedCertWithKey", &[Str, ListType, ListType, Int, Str], |env, a| {
        let key = given_key(a, 4)?;
        self_signed(env, a, key)
    }),
    Function::new("genSignedCert", &[Str, ListType, ListType, Int, CERTIFICATE], |env, a| {
        let key = new_key(env)?;
        signed(env, a, key)
    }),
    Function::new("genSignedCertWithKey", &[Str, ListType, ListType, Int, CERTIFICATE, Str], |env, a| {
        let key = given_key(a, 5)?;
        signed(env, a, key)
    }),
    Function::new("buildCustomCert", &[Str, Str], build_custom),
];

/// A certificate and its key, both in PEM.
#[derive(Debug, Clone)]
struct Certificate {
    cert: String,
    key: String,
}

impl Object for Certificate {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE_NAME.into()
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(self.cert.as_str().into()),
            "Key" => Some(self.key.as_str().into()),
            _ => None,
        }
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn display(&self) -> String {
        format!("{{{} {}}}", self.cert, self.key)
    }

    fn stringer(&self) -> Option<String> {
        None
    }

    fn structure(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![("Cert", self.cert.as_str().into()), ("Key", self.key.as_str().into())])
    }

    fn to_json(&self) -> Value {
        Value::map([("Cert", self.cert.as_str()), ("Key", self.key.as_str())].map(|(key, text)| (key, text.into())))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Steps for signing and for small keys, which take milliseconds.
const SMALL: u64 = 100_000;
/// Steps for an RSA key of 2048 bits, which takes a tenth of a second, and several when it comes from a seed.
const LARGE: u64 = 500_000;
/// The same for 4096 bits and for DSA parameters: up to seconds.
const HUGE: u64 = 2_000_000;

fn new_key(env: &mut Env<'_>) -> Result<PrivateKey, Error> {
    env.charge(LARGE)?;
    PrivateKey::rsa(env, KEY_BITS).map_err(|error| format!("error generating rsa key: {error}").into())
}

fn given_key(arguments: &[Value], index: usize) -> Result<PrivateKey, Error> {
    PrivateKey::read(text(arguments, index)).map_err(|error| format!("parsing private key: {error}").into())
}

fn generate_key(env: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let kind = text(arguments, 0);
    env.charge(match kind {
        "dsa" => 3 * HUGE,
        "" | "rsa" => HUGE,
        _ => SMALL,
    })?;
    let key = match kind {
        "" | "rsa" => PrivateKey::rsa(env, 4096),
        "dsa" => Ok(PrivateKey::dsa(env)),
        "ecdsa" => Ok(PrivateKey::p256(env)),
        "ed25519" => Ok(PrivateKey::ed25519(env)),
        other => return Ok(format!("Unknown type {other}").into()),
    };
    let pem = key.and_then(|key| key.to_pem());
    Ok(pem.unwrap_or_else(|error| format!("failed to generate private key: {error}")).into())
}

/// What a certificate says, apart from keys.
struct Template {
    serial: [u8; 16],
    subject: Vec<u8>,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    not_before: i64,
    not_after: i64,
    is_authority: bool,
}

impl Template {
    fn new(env: &mut Env<'_>, name: &str, addresses: &Value, names: &Value, days: i64) -> Result<Self, Error> {
        env.charge(SMALL)?;
        let items = |value: &Value| value.as_list().map(|list| list.items().to_vec()).unwrap_or_default();
        let address = |value: &Value| match value {
            Value::Str(text) => text.parse().map_err(|_| Error::from(format!("error parsing ip: {text}"))),
            value => Err(format!("error parsing ip: {} is not a string", strval(value)?).into()),
        };
        let dns_name = |value: &Value| match value {
            Value::Str(text) => Ok(text.to_string()),
            value => Err(format!("error processing alternate dns name: {} is not a string", strval(value)?).into()),
        };
        let addresses = items(addresses).iter().map(address).collect::<Result<_, Error>>()?;
        let names = items(names).iter().map(dns_name).collect::<Result<_, Error>>()?;
        let mut serial = [0; 16];
        env.random.fill_bytes(&mut serial);
        const DAY: i64 = 86_400 * 1_000_000_000;
        let now = Time::now(env);
        let end = now.add(super::duration::Duration(days.wrapping_mul(DAY)));
        Ok(Template {
            serial,
            subject: subject(name),
            names,
            addresses,
            not_before: now.seconds,
            not_after: end.seconds,
            is_authority: false,
        })
    }

    /// Key usage, extended usage, constraints, key identifiers and alternative names.
    fn extensions(&self, subject_key: &[u8], authority_key: &[u8]) -> Result<Vec<u8>, String> {
        // Digital signature and key encipherment; for authorities also certificate signing.
        let usage = if self.is_authority { bit_string(&[0xA4], 2) } else { bit_string(&[0xA0], 5) };
        let purpose = |last: u8| element(der::OBJECT, &[&[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last]]);
        let authority: &[u8] = if self.is_authority { &[0x01, 0x01, 0xFF] } else { &[] };
        let mut all = vec![
            extension(15, true, &usage),
            extension(37, false, &sequence(&[&purpose(1), &purpose(2)])),
            extension(19, true, &sequence(&[authority])),
        ];
        if !subject_key.is_empty() {
            all.push(extension(SUBJECT_KEY, false, &element(der::OCTET_STRING, &[subject_key])));
        }
        if !authority_key.is_empty() {
            all.push(extension(35, false, &sequence(&[&element(0x80, &[authority_key])])));
        }
        let mut names = Vec::new();
        for name in &self.names {
            if !name.is_ascii() {
                return Err(format!("x509: {} cannot be encoded as an IA5String", quote(name)));
            }
            names.push(element(0x82, &[name.as_bytes()]));
        }
        for address in &self.addresses {
            names.push(match address.to_canonical() {
                IpAddr::V4(address) => element(0x87, &[&address.octets()]),
                IpAddr::V6(address) => element(0x87, &[&address.octets()]),
            });
        }
        if !names.is_empty() {
            let no_subject = self.subject == sequence(&[]);
            all.push(extension(17, no_subject, &sequence(&names.iter().map(Vec::as_slice).collect::<Vec<_>>())));
        }
        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        Ok(element(0xA3, &[&sequence(&all)]))
    }

    /// Signs the certificate; without an issuer by the key itself.
    fn sign(self, key: &PrivateKey, issuer: Option<(&Issuer, &PrivateKey)>) -> Result<Certificate, Error> {
        let failed = |error: &str| Error::from(format!("error creating certificate: {error}"));
        let signer = issuer.map_or(key, |(_, signer)| signer);
        let algorithm = signer.algorithm();
        let algorithm =
            algorithm.ok_or_else(|| failed("x509: certificate private key does not implement crypto.Signer"))?;
        let (key_algorithm, public) =
            key.public().ok_or_else(|| failed("x509: unsupported public key type: *dsa.PublicKey"))?;
        let mut authority_key = &[][..];
        let mut issuer_name = &self.subject;
        if let Some((issuer, signer)) = issuer {
            if signer.public().is_none_or(|(algorithm, public)| (algorithm, public) != issuer.public) {
                return Err(failed("x509: provided PrivateKey doesn't match parent's PublicKey"));
            }
            issuer_name = &issuer.subject;
            if issuer.subject != self.subject {
                authority_key = &issuer.subject_key;
            }
        }
        let subject_key = if self.is_authority { Sha256::digest(&public)[..20].to_vec() } else { Vec::new() };
        let extensions = self.extensions(&subject_key, authority_key).map_err(|error| failed(&error))?;
        let contents = sequence(&[
            &element(0xA0, &[&integer(&[2])]),
            &integer(&self.serial),
            &algorithm,
            issuer_name,
            &sequence(&[&time(self.not_before), &time(self.not_after)]),
            &self.subject,
            &sequence(&[&key_algorithm, &bit_string(&public, 0)]),
            &extensions,
        ]);
        let signature = signer.sign(&contents).ok_or_else(|| failed("x509: the key cannot sign"))?;
        let document = sequence(&[&contents, &algorithm, &bit_string(&signature, 0)]);
        Ok(Certificate { cert: encode_pem("CERTIFICATE", &document), key: key.to_pem()? })
    }
}

/// Last number of the object identifier 2.5.29.x.
const SUBJECT_KEY: u8 = 14;

fn extension(last: u8, critical: bool, contents: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[0x01, 0x01, 0xFF] } else { &[] };
    sequence(&[&element(der::OBJECT, &[&[0x55, 0x1D, last]]), critical, &element(der::OCTET_STRING, &[contents])])
}

/// A distinguished name with no more than a common name.
fn subject(name: &str) -> Vec<u8> {
    const PRINTABLE: u8 = 0x13;
    const UTF8: u8 = 0x0C;
    const SET: u8 = 0x31;
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    if name.is_empty() {
        return sequence(&[]);
    }
    let is_printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let tag = if name.bytes().all(is_printable) { PRINTABLE } else { UTF8 };
    let attribute = sequence(&[&element(der::OBJECT, &[COMMON_NAME]), &element(tag, &[name.as_bytes()])]);
    sequence(&[&element(SET, &[&attribute])])
}

/// `UTCTime` for the years 1950 to 2049, else `GeneralizedTime`.
fn time(seconds: i64) -> Vec<u8> {
    let civil = Civil::of(seconds);
    let clock = format!("{:02}{:02}{:02}Z", civil.hour, civil.minute, civil.second);
    let day = format!("{:02}{:02}", civil.month, civil.day);
    if (1950..2050).contains(&civil.year) {
        element(0x17, &[format!("{:02}{day}{clock}", civil.year % 100).as_bytes()])
    } else {
        element(0x18, &[format!("{:04}{day}{clock}", civil.year).as_bytes()])
    }
}

/// What the certificate of a signer tells.
struct Issuer {
    subject: Vec<u8>,
    public: (Vec<u8>, Vec<u8>),
    subject_key: Vec<u8>,
}

impl Issuer {
    fn read(document: &[u8]) -> Option<Self> {
        let mut contents = Reader(document).sequence()?.sequence()?;
        if contents.peek() == Some(0xA0) {
            contents.next()?;
        }
        contents.read(der::INTEGER)?;
        contents.sequence()?;
        contents.sequence()?;
        contents.sequence()?;
        let (tag, _, subject) = contents.next()?;
        let mut key = contents.sequence()?;
        let (_, _, algorithm) = key.next()?;
        let public = (algorithm.to_vec(), key.bit_string()?.to_vec());
        let mut subject_key = Vec::new();
        while let Some((tag, extensions, _)) = contents.next() {
            let mut extensions = if tag == 0xA3 { Reader(extensions).sequence()? } else { continue };
            while let Some(mut extension) = extensions.sequence() {
                if extension.read(der::OBJECT)? == [0x55, 0x1D, SUBJECT_KEY] {
                    subject_key = Reader(extension.read(der::OCTET_STRING)?).read(der::OCTET_STRING)?.to_vec();
                }
            }
        }
        (tag == der::SEQUENCE).then(|| Issuer { subject: subject.to_vec(), public, subject_key })
    }
}

fn value(certificate: Certificate) -> Value {
    Value::Object(Arc::new(certificate))
}

fn authority(env: &mut Env<'_>, arguments: &[Value], key: PrivateKey) -> Result<Value, Error> {
    let mut template = Template::new(env, text(arguments, 0), &Value::Nil, &Value::Nil, int(arguments, 1))?;
    template.is_authority = true;
    template.sign(&key, None).map(value)
}

fn self_signed(env: &mut Env<'_>, arguments: &[Value], key: PrivateKey) -> Result<Value, Error> {
    let (addresses, names) = (any(arguments, 1), any(arguments, 2));
    Template::new(env, text(arguments, 0), addresses, names, int(arguments, 3))?.sign(&key, None).map(value)
}

fn signed(env: &mut Env<'_>, arguments: &[Value], key: PrivateKey) -> Result<Value, Error> {
    let authority = match any(arguments, 4) {
        Value::Object(object) => object.as_any().downcast_ref::<Certificate>(),
        _ => None,
    };
    let authority = authority.ok_or("unable to decode certificate")?;
    let (_, document) = decode_pem(&authority.cert).ok_or("unable to decode certificate")?;
    let malformed = "error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate";
    let issuer = Issuer::read(&document).ok_or(malformed)?;
    let signer = PrivateKey::read(&authority.key).map_err(|error| format!("error parsing private key: {error}"))?;
    let (addresses, names) = (any(arguments, 1), any(arguments, 2));
    let template = Template::new(env, text(arguments, 0), addresses, names, int(arguments, 3))?;
    template.sign(&key, Some((&issuer, &signer))).map(value)
}

fn build_custom(_: &mut Env<'_>, arguments: &[Value]) -> Result<Value, Error> {
    let decode = |index: usize, what: &str| {
        decode_base64(text(arguments, index)).map_err(|_| Error::from(format!("unable to decode base64 {what}")))
    };
    let (cert, key) = (decode(0, "certificate")?, decode(1, "private key")?);
    let (cert, key) = (text_from_bytes(&cert).into_owned(), text_from_bytes(&key).into_owned());
    let (_, document) = decode_pem(&cert).ok_or("unable to decode certificate")?;
    Issuer::read(&document).ok_or("error parsing certificate: decodedCert.Bytes: x509: malformed certificate")?;
    PrivateKey::read(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    Ok(value(Certificate { cert, key }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{call, context, env, lookup_function};
    use super::*;

    const ED25519_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpe1XcnaKdFBO1zSVx\n\
        -----END PRIVATE KEY-----\n";

    fn certificate(name: &str, arguments: &[Value]) -> Value {
        let context = context();
        let made = lookup_function(name).invoke(&mut env(&context), arguments).expect(name);
        assert!(matches!(&made, Value::Object(object) if object.type_name() == TYPE_NAME));
        made
    }

    fn field(certificate: &Value, name: &str) -> String {
        let Value::Object(object) = certificate else { panic!("no certificate") };
        object.field(name).and_then(|value| value.as_str().map(str::to_owned)).expect(name)
    }

    fn authority() -> Value {
        certificate("genCAWithKey", &["my *ca".into(), Value::Int(10), ED25519_KEY.into()])
    }

    /// Compared with Helm's by `openssl x509 -text` when written down.
    #[test]
    fn certificates_are_those_of_go() {
        let authority = authority();
        assert_eq!(field(&authority, "Key"), ED25519_KEY);
        assert_eq!(
            field(&authority, "Cert"),
            "-----BEGIN CERTIFICATE-----\n\
            MIIBQTCB9KADAgECAhEAmjdEUEVgY57GcLehfUkrJzAFBgMrZXAwETEPMA0GA1UE\n\
            AwwGbXkgKmNhMB4XDTIzMTExNDIyMTMyMFoXDTIzMTEyNDIyMTMyMFowETEPMA0G\n\
            A1UEAwwGbXkgKmNhMCowBQYDK2VwAyEA4UXOQnB0sxLlGdYmTO2AUM/bePmKnEj6\n\
            TVXWS2M/GBajYTBfMA4GA1UdDwEB/wQEAwICpDAdBgNVHSUEFjAUBggrBgEFBQcD\n\
            AQYIKwYBBQUHAwIwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUGg3E7xQxRKg5\n\
            4cl67Ky35fYXwHAwBQYDK2VwA0EAontlsdhqrtrPqtHOcU1YBYFayaQeCrmMtXZt\n\
            jtrOuMx9cjolda7Kp00Eb98TPTb9zgSV4tu4XbbJL3Fu/DAJDA==\n\
            -----END CERTIFICATE-----\n"
        );
        let names = [
            "svc.example".into(),
            Value::list(vec!["10.0.0.1".into(), "::1".into(), "::ffff:1.2.3.4".into()]),
            Value::list(vec!["a.example".into(), "*.b.example".into()]),
            Value::Int(30_000),
        ];
        let arguments = [&names[..], &[authority, ED25519_KEY.into()]].concat();
        let signed = certificate("genSignedCertWithKey", &arguments);
        assert_eq!(
            field(&signed, "Cert"),
            "-----BEGIN CERTIFICATE-----\n\
            MIIBizCCAT2gAwIBAgIRAJo3RFBFYGOexnC3oX1JKycwBQYDK2VwMBExDzANBgNV\n\
            BAMMBm15ICpjYTAgFw0yMzExMTQyMjEzMjBaGA8yMTA2MDEwMzIyMTMyMFowFjEU\n\
            MBIGA1UEAxMLc3ZjLmV4YW1wbGUwKjAFBgMrZXADIQDhRc5CcHSzEuUZ1iZM7YBQ\n\
            z9t4+YqcSPpNVdZLYz8YFqOBojCBnzAOBgNVHQ8BAf8EBAMCBaAwHQYDVR0lBBYw\n\
            FAYIKwYBBQUHAwEGCCsGAQUFBwMCMAwGA1UdEwEB/wQCMAAwHwYDVR0jBBgwFoAU\n\
            Gg3E7xQxRKg54cl67Ky35fYXwHAwPwYDVR0RBDgwNoIJYS5leGFtcGxlggsqLmIu\n\
            ZXhhbXBsZYcECgAAAYcQAAAAAAAAAAAAAAAAAAAAAYcEAQIDBDAFBgMrZXADQQA1\n\
            T0HBNBCHLJb4Rocz4rNCGV1kx0ESt7rwUcx77lKguFFJFjjr9IaNzDpnoZx1d3uu\n\
            nmZFQ1OVKaXe5Fn3h8kN\n\
            -----END CERTIFICATE-----\n"
        );
    }

    #[test]
    fn signers_must_hold_their_key() {
        let other = call("genPrivateKey", &["ecdsa".into()]);
        let mixed = [field(&authority(), "Cert"), other].map(|text| encoded(&text));
        let signer = certificate("buildCustomCert", &mixed);
        let empty = Value::list(vec![]);
        let sign = |signer: &Value, addresses: Value, names: Value| {
            let key = ED25519_KEY.into();
            call("genSignedCertWithKey", &["x".into(), addresses, names, Value::Int(1), signer.clone(), key])
        };
        assert_eq!(
            sign(&signer, empty.clone(), empty.clone()),
            "error: error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey"
        );
        for (addresses, names, error) in [
            (Value::list(vec!["1.2".into()]), empty.clone(), "error parsing ip: 1.2"),
            (Value::list(vec![Value::Int(1)]), empty.clone(), "error parsing ip: 1 is not a string"),
            (
                empty.clone(),
                Value::list(vec![Value::Nil]),
                "error processing alternate dns name: <nil> is not a string",
            ),
            (
                empty.clone(),
                Value::list(vec!["é".into()]),
                "error creating certificate: x509: \"é\" cannot be encoded as an IA5String",
            ),
        ] {
            assert_eq!(sign(&authority(), addresses, names), format!("error: {error}"));
        }
    }

    fn encoded(text: &str) -> Value {
        call("b64enc", &[text.into()]).into()
    }

    #[test]
    fn custom_certificates_are_checked() {
        let cert = encoded(&field(&authority(), "Cert"));
        for (cert, key, error) in [
            ("x".into(), encoded(ED25519_KEY), "unable to decode base64 certificate"),
            (cert.clone(), "x".into(), "unable to decode base64 private key"),
            (encoded("x"), encoded(ED25519_KEY), "unable to decode certificate"),
            (
                encoded("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
                encoded(ED25519_KEY),
                "error parsing certificate: decodedCert.Bytes: x509: malformed certificate",
            ),
            (cert.clone(), encoded("x"), "error parsing private key: no PEM data in input"),
        ] {
            assert_eq!(call("buildCustomCert", &[cert, key]), format!("error: {error}"));
        }
    }

    #[test]
    fn seeds_fix_keys_and_certificates() {
        for name in ["ecdsa", "ed25519"] {
            let key = call("genPrivateKey", &[name.into()]);
            assert_eq!(key, call("genPrivateKey", &[name.into()]));
            assert_eq!(PrivateKey::read(&key).and_then(|key| key.to_pem()).as_deref(), Ok(&*key));
        }
        let made = || call("genCA", &["ca".into(), Value::Int(1)]);
        assert_eq!(made(), made());
        assert_eq!(call("genPrivateKey", &["x".into()]), "Unknown type x");
    }
}
