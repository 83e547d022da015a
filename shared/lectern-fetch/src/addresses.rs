//! Which addresses belong to the public internet. Everything else is somebody's inside: loopback, private and link-local networks,
//! the metadata services of clouds, and every notation in which an IPv6 address carries one of those.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use ipnet::IpNet;

/// IPv4 networks that are not global: the IANA registry of special-purpose addresses (RFC 6890), multicast and what is reserved; and
/// what a cloud answers with beside its machines from an address that is.
const INSIDE_V4: [&str; 18] = [
    "0.0.0.0/8",        // this network
    "10.0.0.0/8",       // private
    "100.64.0.0/10",    // shared by carriers
    "127.0.0.0/8",      // loopback
    "168.63.129.16/32", // Azure's wire server, though its network is global
    "169.254.0.0/16",   // link-local: metadata services
    "172.16.0.0/12",    // private
    "192.0.0.0/24",     // protocol assignments
    "192.0.2.0/24",     // documentation
    "192.31.196.0/24",  // AS112
    "192.52.193.0/24",  // AMT
    "192.88.99.0/24",   // 6to4 relays
    "192.168.0.0/16",   // private
    "198.18.0.0/15",    // benchmarks
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved, broadcast
];

/// Networks within 2000::/3, the only global unicast addresses (RFC 4291), that are not global.
const INSIDE_V6: [&str; 6] = [
    "2001::/23",         // protocol assignments, Teredo among them
    "2001:db8::/32",     // documentation
    "2002::/16",         // 6to4, which carries an IPv4 address
    "2620:4f:8000::/48", // AS112
    "3fff::/20",         // documentation
    "3ffe::/16",         // 6bone, given back
];

static INSIDE: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    let all = INSIDE_V4.iter().chain(&INSIDE_V6);
    all.map(|network| network.parse().expect("a network of the table")).collect()
});

/// Whether an address is on the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let is_inside = INSIDE.iter().any(|network| network.contains(&address));
    match address {
        IpAddr::V4(_) => !is_inside,
        IpAddr::V6(address) => match carried(address) {
            Some(carried) => is_public(carried.into()),
            None => !is_inside && is_global_unicast(address),
        },
    }
}

fn is_global_unicast(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xe000 == 0x2000
}

/// Returns the IPv4 address that the network takes an IPv6 one for: of NAT64 (RFC 6052). A mapped one (RFC 4291) is outside
/// 2000::/3 and refused whatever it carries: no name resolves to one in good faith.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else { return None };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_INSIDE: [&str; 54] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.0.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8",
        "::ffff:0:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::10.1.2.3",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:53aa:64c:0:fbff:80ff:fffe",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff::1",
        "fe80::1",
        "fe80::a9fe:a9fe",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "5f00::1",
    ];

    const OUTSIDE: [&str; 22] = [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "64:ff9b::808:808",
    ];

    #[test]
    fn only_the_public_internet_is_public() {
        for address in ALL_INSIDE {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in OUTSIDE {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
