//! Mutual exclusion between pushers through a server that only stores files.
//!
//! Many such servers ignore `If-Match`, so two pushers that change one index would lose an entry. The lock is beside
//! the index, `index.yaml.lock`. Where the server makes collections (`MKCOL`), which it does atomically, the collection
//! is the lock. Elsewhere it is a file and the algorithm is Fischer's: see that it is free, write one's name, wait
//! longer than anyone may take between seeing and writing, and hold the lock if the name still stands. Who took longer
//! than that gives up the attempt, so slow clients cannot break the exclusion.
//!
//! The holder rewrites a counter while it works. A lock whose counter stands still belongs to a dead process and is
//! broken.

use super::error::{Error, Kind, Result};
use super::http::{Body, Client, Request};
use reqwest::Method;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use url::Url;

/// Longest time between seeing a free lock file and having written it.
const WINDOW: Duration = Duration::from_millis(800);
/// How often a holder shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// A lock that shows no life for so long is broken.
const LEASE: Duration = Duration::from_secs(20);
/// Longest wait for others.
const PATIENCE: Duration = Duration::from_secs(600);

/// A held lock; dropping it frees it.
pub(super) struct Mutex {
    place: Arc<Place>,
    lost: Arc<AtomicBool>,
    stop: Option<mpsc::Sender<()>>,
    heart: Option<std::thread::JoinHandle<()>>,
}

struct Place {
    client: Arc<Client>,
    /// The collection or file that is the lock.
    lock: Url,
    /// The file with the holder's name.
    holder: Url,
    is_collection: bool,
    name: String,
}

impl Mutex {
    /// Waits for the lock in a folder of the server.
    pub(super) fn acquire(client: &Arc<Client>, base: &Url) -> Result<Self> {
        let name = format!("{:032x}", rand::random::<u128>());
        let is_collection = makes_collections(client, base, &name)?;
        let join = |path: &str| base.join(path).map_err(|_| Error::new(Kind::Usage, "the URL cannot have a path"));
        let (lock, holder) = if is_collection {
            (join("index.yaml.lock/")?, join("index.yaml.lock/holder")?)
        } else {
            (join("index.yaml.lock")?, join("index.yaml.lock")?)
        };
        let place = Place { client: Arc::clone(client), lock, holder, is_collection, name };
        place.wait()?;
        let place = Arc::new(place);
        let lost = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = mpsc::channel();
        let (for_heart, is_lost) = (Arc::clone(&place), Arc::clone(&lost));
        let heart = std::thread::spawn(move || {
            let mut beats = 0u64;
            let mut last = Instant::now();
            while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(HEARTBEAT) {
                beats += 1;
                if for_heart.sign(beats).is_ok() {
                    last = Instant::now();
                }
                if last.elapsed() > LEASE / 2 {
                    is_lost.store(true, Ordering::SeqCst);
                    return;
                }
            }
        });
        Ok(Mutex { place, lost, stop: Some(stop), heart: Some(heart) })
    }

    /// Fails where the server could not be told in time that we live, so that others may have taken over.
    pub(super) fn check(&self) -> Result<()> {
        if self.lost.load(Ordering::SeqCst) {
            return Err(Error::new(Kind::Unreachable, "the lock on the repository's index was lost: no connection"));
        }
        Ok(())
    }
}

impl Drop for Mutex {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
        if !self.lost.load(Ordering::SeqCst) {
            self.place.free();
        }
    }
}

impl Place {
    fn wait(&self) -> Result<()> {
        let begun = Instant::now();
        let mut seen: Option<(String, Instant)> = None;
        let mut broke = false;
        loop {
            if begun.elapsed() > PATIENCE {
                let message = format!("`{}` stayed locked by other pushes", super::shown(&self.lock));
                return Err(Error::new(Kind::Unreachable, message).with_hint("push again, or remove the lock"));
            }
            let stale = seen.as_ref().is_some_and(|(_, since)| since.elapsed() > LEASE);
            let taken =
                if self.is_collection { self.take_collection(stale, &mut broke)? } else { self.take_file(stale)? };
            if taken {
                return Ok(());
            }
            let holder = self.holder()?.unwrap_or_default();
            match &seen {
                Some((known, _)) if *known == holder => {}
                _ => seen = Some((holder, Instant::now())),
            }
            let pause = if self.is_collection { 20 } else { 200 };
            std::thread::sleep(Duration::from_millis(pause + u64::from(rand::random::<u8>()) / 2));
        }
    }

    fn take_collection(&self, stale: bool, broke: &mut bool) -> Result<bool> {
        if stale {
            tracing::warn!("breaking the lock {}: its holder shows no life", super::shown(&self.lock));
            self.free();
            *broke = true;
        }
        if !self.send(mkcol()?, &self.lock)?.0 {
            return Ok(false);
        }
        self.sign(0)?;
        if *broke {
            // Another client may have been about to break the same dead lock, and have broken this one.
            std::thread::sleep(WINDOW);
            return self.is_ours();
        }
        Ok(true)
    }

    fn take_file(&self, stale: bool) -> Result<bool> {
        let begun = Instant::now();
        let free = stale || self.holder()?.is_none_or(|holder| holder.is_empty());
        if !free {
            return Ok(false);
        }
        self.sign(0)?;
        if begun.elapsed() > WINDOW {
            return Ok(false);
        }
        std::thread::sleep(WINDOW + WINDOW / 8);
        self.is_ours()
    }

    fn is_ours(&self) -> Result<bool> {
        Ok(self.holder()?.is_some_and(|holder| holder.starts_with(&self.name)))
    }

    /// What the holder's file says.
    fn holder(&self) -> Result<Option<String>> {
        let (ok, body) = self.send(Method::GET, &self.holder)?;
        Ok(ok.then(|| String::from_utf8_lossy(&body).trim().to_owned()))
    }

    /// Writes our name and a counter.
    fn sign(&self, beats: u64) -> Result<()> {
        let text = format!("{} {beats}\n", self.name);
        let request = put(&self.holder, &text);
        let (head, _) = self.client.send(&request)?;
        match head.status.as_u16() {
            200..=299 => Ok(()),
            405 | 501 => Err(head.error("upload").with_hint(super::server::NO_PUT)),
            409 => Err(head.error("upload").with_hint(super::server::NO_FOLDER)),
            _ => Err(head.error("upload")),
        }
    }

    fn free(&self) {
        let deleted = self.send(Method::DELETE, &self.lock).is_ok_and(|(ok, _)| ok);
        if !deleted && !self.is_collection {
            let _ = self.client.send(&put(&self.lock, "\n"));
        }
    }

    fn send(&self, method: Method, url: &Url) -> Result<(bool, Vec<u8>)> {
        let request = Request::new(method, url.clone()).header(reqwest::header::CACHE_CONTROL, "no-cache");
        let (head, body) = self.client.send(&request)?;
        Ok((head.status.is_success(), body))
    }
}

fn put(url: &Url, text: &str) -> Request {
    Request::new(Method::PUT, url.clone()).body(Body::Bytes {
        name: String::new(),
        data: text.as_bytes().into(),
        content_type: "text/plain",
    })
}

fn mkcol() -> Result<Method> {
    Method::from_bytes(b"MKCOL").map_err(|_| Error::new(Kind::Usage, "MKCOL is not a method"))
}

/// Whether the server makes and removes collections, tried out on one of our own.
fn makes_collections(client: &Client, base: &Url, name: &str) -> Result<bool> {
    let Ok(probe) = base.join(&format!(".lock-probe-{name}/")) else { return Ok(false) };
    let make = |url: &Url| Ok::<_, Error>(client.send(&Request::new(mkcol()?, url.clone()))?.0.status.as_u16());
    let mut made = make(&probe)?;
    if made == 409 && make_folder(base, &make)? {
        made = make(&probe)?;
    }
    if made != 201 {
        return Ok(false);
    }
    let (removed, _) = client.send(&Request::new(Method::DELETE, probe))?;
    Ok(removed.status.is_success())
}

/// Makes a collection that is not there, and those that it lies in.
fn make_folder(folder: &Url, make: &impl Fn(&Url) -> Result<u16>) -> Result<bool> {
    let above = |folder: &Url| folder.join("..").ok().filter(|above| above != folder);
    let mut missing = vec![folder.clone()];
    // Up to one that can be made or is there, and down again.
    while make(&missing[missing.len() - 1])? == 409 {
        let Some(parent) = above(&missing[missing.len() - 1]) else { return Ok(false) };
        missing.push(parent);
    }
    missing.pop();
    for folder in missing.iter().rev() {
        // Another client may have made it meanwhile: 405.
        if !matches!(make(folder)?, 201 | 405) {
            return Ok(false);
        }
    }
    Ok(true)
}
