//! IP addresses and ranges of them, as Go's `net/netip` and the API server's rules see them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address. IPv4 written as IPv6, and addresses with a zone, are refused by the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ip(IpAddr);

impl Ip {
    pub fn parse(text: &str) -> Option<Self> {
        let address: IpAddr = text.parse().ok()?;
        let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        (!mapped).then_some(Ip(address))
    }

    pub fn family(&self) -> i64 {
        if self.0.is_ipv4() { 4 } else { 6 }
    }

    pub fn is_unspecified(&self) -> bool {
        self.0.is_unspecified()
    }

    pub fn is_loopback(&self) -> bool {
        self.0.is_loopback()
    }

    pub fn is_link_local_multicast(&self) -> bool {
        match self.0 {
            IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
            IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
        }
    }

    pub fn is_link_local_unicast(&self) -> bool {
        match self.0 {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        }
    }

    pub fn is_global_unicast(&self) -> bool {
        let is_broadcast = self.0 == IpAddr::V4(Ipv4Addr::BROADCAST);
        let special = is_broadcast || self.is_unspecified() || self.is_loopback() || self.is_link_local_unicast();
        !special && !self.0.is_multicast()
    }

    /// Its bits from the left, and how many they are.
    fn bits(&self) -> (u128, u32) {
        match self.0 {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        }
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An address and how many of its bits name the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cidr(Ip, u32);

impl Cidr {
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let address = Ip::parse(address)?;
        // Go takes neither a sign nor a zero in front.
        let is_plain = length == "0" || length.starts_with(|first: char| matches!(first, '1'..='9'));
        let length: u32 = length.parse().ok().filter(|length| is_plain && *length <= address.bits().1)?;
        Some(Cidr(address, length))
    }

    pub fn address(&self) -> Ip {
        self.0
    }

    pub fn length(&self) -> i64 {
        i64::from(self.1)
    }

    pub fn masked(&self) -> Self {
        let (bits, width) = self.0.bits();
        let host = width - self.1;
        let bits = bits.checked_shr(host).unwrap_or(0).checked_shl(host).unwrap_or(0);
        let address = match self.0.0 {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        Cidr(Ip(address), self.1)
    }

    pub fn contains(&self, address: &Ip) -> bool {
        self.0.family() == address.family() && Cidr(*address, self.1).masked() == self.masked()
    }

    pub fn contains_range(&self, other: &Cidr) -> bool {
        self.1 <= other.1 && self.contains(&other.0)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_addresses_and_ranges() {
        let range = |text| Cidr::parse(text).expect("a range");
        let ip = |text| Ip::parse(text).expect("an address");
        assert!(range("10.0.0.0/8").contains(&ip("10.1.2.3")) && !range("10.0.0.0/8").contains(&ip("11.0.0.1")));
        assert!(range("0.0.0.0/0").contains(&ip("10.1.2.3")) && !range("::/0").contains(&ip("10.1.2.3")));
        assert!(range("fd00::/8").contains_range(&range("fd00:1::/32")));
        assert!(!range("10.0.0.0/16").contains_range(&range("10.0.0.0/8")));
        assert_eq!(range("10.1.2.3/8").masked().to_string(), "10.0.0.0/8");
        for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "::ffff:10.0.0.1/96", "10.0.0.0/+8"] {
            assert_eq!(Cidr::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Ip::parse("::ffff:10.0.0.1"), None);
        assert!(ip("224.0.0.1").is_link_local_multicast() && !ip("255.255.255.255").is_global_unicast());
    }
}
