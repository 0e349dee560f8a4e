//! `chart verify`, and the flags for signing and checking signatures.

use super::package::ResultFormat;
use super::{Exit, Failed, Terminal};
use crate::chart::Metadata;
use crate::fs;
use crate::package::Archive;
use crate::package::provenance::{self, Signer};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Verify {
    /// Archives with their provenance files beside them
    #[arg(required = true, value_name = "ARCHIVE")]
    archives: Vec<PathBuf>,
    #[command(flatten)]
    keyring: KeyringFlags,
    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ResultFormat,
}

/// Whose signatures are trusted.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyringFlags {
    /// Public keys that are trusted, binary or armored (default: ~/.gnupg/pubring.gpg)
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

/// Who signs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Signing")]
pub struct SigningFlags {
    /// Part of the signer's name, or the key's fingerprint; needed where the keyring has several keys
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    key: String,
    /// Secret keys, binary or armored, as `gpg --export-secret-keys` writes them (default: ~/.gnupg/secring.gpg)
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    /// File with the key's passphrase; `-` is stdin
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

pub fn run(arguments: &Verify, terminal: &mut Terminal) -> Result<Exit, Failed> {
    for path in &arguments.archives {
        let data = fs::read(path)?;
        let beside = PathBuf::from(format!("{}.prov", path.display()));
        let provenance = if fs::exists(&beside) { Some(fs::read(&beside)?) } else { None };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let signer = arguments.keyring.verify(&data, provenance.as_deref(), &name)?;
        match arguments.format {
            ResultFormat::Human => terminal.print(format!("{}: {signer}\n", path.display()))?,
            ResultFormat::Json => {
                let line = serde_json::json!({
                    "path": path,
                    "signedBy": signer.users,
                    "fingerprint": signer.fingerprint,
                    "digest": format!("sha256:{}", signer.digest),
                });
                terminal.print(format!("{line}\n"))?;
            }
        }
    }
    Ok(Exit::Success)
}

impl KeyringFlags {
    /// Checks an archive against its provenance and the trusted keys.
    pub fn verify(&self, data: &[u8], provenance: Option<&[u8]>, file_name: &str) -> Result<Signer, Failed> {
        let Some(provenance) = provenance else {
            let error = crate::repository::Error::new(
                crate::repository::Kind::Integrity,
                format!("`{file_name}` is not signed: there is no `{file_name}.prov`"),
            );
            return Err(error.into());
        };
        let keyring = read_keyring(self.keyring.as_deref(), "pubring.gpg")?;
        Ok(provenance::verify(data, file_name, provenance, &keyring)?)
    }
}

impl SigningFlags {
    /// The provenance file of an archive.
    pub fn sign(&self, metadata: &Metadata, archive: &Archive) -> Result<String, Failed> {
        let keyring = read_keyring(self.keyring.as_deref(), "secring.gpg")?;
        let passphrase = match self.passphrase_file.as_deref() {
            None => String::new(),
            Some(path) if path == Path::new("-") => {
                let mut text = String::new();
                let read = std::io::stdin().read_line(&mut text);
                read.map_err(|error| Failed::Other(format!("failed to read the passphrase from stdin: {error}")))?;
                text
            }
            Some(path) => fs::read_text(path)?,
        };
        let passphrase = passphrase.lines().next().unwrap_or_default();
        let (name, data) = (&archive.file_name, &archive.data);
        Ok(provenance::sign(metadata, name, data, &keyring, &self.key, passphrase)?)
    }
}

fn read_keyring(given: Option<&Path>, usual: &str) -> Result<Vec<u8>, Failed> {
    if let Some(path) = given {
        return Ok(fs::read(path)?);
    }
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("GNUPGHOME").or_else(|| Some(variable("HOME")?.join(".gnupg")));
    match folder.map(|folder| folder.join(usual)) {
        Some(path) if fs::exists(&path) => Ok(fs::read(&path)?),
        _ => {
            let export = if usual.starts_with("sec") { "gpg --export-secret-keys" } else { "gpg --export" };
            let hint = format!("`{export} > keys.gpg` writes one; name it with `--keyring keys.gpg`");
            Err(Failed::Usage(format!("there is no keyring: no `{usual}` in the GnuPG folder"), Some(hint)))
        }
    }
}
