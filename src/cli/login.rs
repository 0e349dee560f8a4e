//! `chart login` and `chart logout`: credentials for OCI registries.

use super::remote::{Context, RepositoryFlags, cache, logins};
use super::{Exit, Failed, Terminal};
use crate::repository::auth::Credentials;
use clap::Args;

#[derive(Debug, Args)]
pub struct Login {
    /// The registry: `registry.example:5000`, or a path on it for a login that is good there alone
    #[arg(value_name = "HOST")]
    host: String,
    /// Keep the login without trying it
    #[arg(long)]
    no_check: bool,
    #[command(flatten)]
    remote: RepositoryFlags,
}

#[derive(Debug, Args)]
pub struct Logout {
    /// The registry, as it was given to `chart login`
    #[arg(value_name = "HOST")]
    host: String,
}

pub fn login(arguments: &Login, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let key = key(&arguments.host);
    let Some(Credentials::Basic { username, password }) = arguments.remote.credentials()? else {
        let hint = "give `--username` and `--password-stdin`, or CHART_USERNAME and CHART_PASSWORD".to_owned();
        return Err(Failed::Usage("a login needs a user name and a password".to_owned(), Some(hint)));
    };
    if !arguments.no_check {
        let host = key.split('/').next().unwrap_or(key);
        let flags = RepositoryFlags {
            username: Some(username.clone()),
            password: Some(password.clone()),
            password_stdin: false,
            ..arguments.remote.clone()
        };
        let context = Context::new(&flags, &[&format!("oci://{host}")], cache(), terminal)?;
        context.registry(host, "", key)?.check_login()?;
    }
    let path = logins(arguments.remote.registry_config.as_deref()).add(key, &username, &password)?;
    terminal.say(format!("logged in to {key}, kept in {}", path.display()));
    Ok(Exit::Success)
}

pub fn logout(arguments: &Logout, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let key = key(&arguments.host);
    if logins(None).remove(key)? {
        terminal.say(format!("logged out from {key}"));
    } else {
        terminal.say(format!("there was no login for {key}"));
    }
    Ok(Exit::Success)
}

fn key(host: &str) -> &str {
    host.strip_prefix("oci://").unwrap_or(host).trim_end_matches('/')
}
