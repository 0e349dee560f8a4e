//! Charts in OCI registries, as Helm stores them: a manifest with the archive as a layer and `Chart.yaml` as config.
//!
//! The grammar of references, manifests and error codes is `oci-client`'s. Its client is not used: it makes an HTTP
//! client of its own that has no place for a client's certificate, knows no refresh tokens, and sends tokens to whatever
//! host a registry names for an upload. Requests go through the one [`Client`](super::http::Client) instead, with its
//! rules for credentials, redirects, retries and limits.

mod address;
mod manifest;
mod registry;
mod session;

pub(super) use address::is_loopback;
pub use address::{Address, tag_of};
pub(super) use manifest::go_json;
pub use registry::{Options, Registry};
