//! Whom a certificate is for, as SIP compares it (RFC 5922 §7.1 to §7.3): whole names, no wildcards.

use overhear_parsers::tls::certificate::Name;

use super::certificates::Known;

/// How a certificate fits a name, the best first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fit {
    /// One of its identities is that name.
    Exact,
    /// Only one with an asterisk for its first label fits, which SIP does not accept.
    Wildcard,
    /// None does.
    No,
}

/// How a certificate fits the name of a domain.
pub fn fit(known: &Known, wanted: &str) -> Fit {
    if identities(known).any(|name| name.eq_ignore_ascii_case(wanted)) {
        return Fit::Exact;
    }
    let domain = wanted.split_once('.').map(|(_, domain)| domain);
    let fits = |name: &str| {
        let rest = name.strip_prefix("*.");
        rest.zip(domain).is_some_and(|(rest, domain)| rest.eq_ignore_ascii_case(domain))
    };
    let dns = known.says.names.iter().flatten().filter_map(host);
    if dns.chain(common_name(known)).any(fits) { Fit::Wildcard } else { Fit::No }
}

/// Whether it has names, and each has an asterisk: SIP accepts it for no domain.
pub fn has_wildcards_only(known: &Known) -> bool {
    let mut names = identities(known).peekable();
    names.peek().is_some() && names.all(|name| name.starts_with("*."))
}

/// Whom it is for: the hosts of SIP URIs without a user, else DNS names, else, without
/// subjectAltName, the common name.
fn identities(known: &Known) -> impl Iterator<Item = &str> {
    let names = known.says.names.as_deref().unwrap_or_default();
    let by_uri = names.iter().any(|name| sip_host(name).is_some());
    let names =
        names.iter().filter_map(move |name| if by_uri { sip_host(name) } else { host(name) });
    names.chain(common_name(known))
}

/// The common name, which counts only without subjectAltName.
fn common_name(known: &Known) -> Option<&str> {
    known.says.common_name.as_deref().filter(|_| known.says.names.is_none())
}

fn host(name: &Name) -> Option<&str> {
    match name {
        Name::Dns(host) => Some(host),
        _ => None,
    }
}

/// The host of a SIP URI that names a domain.
fn sip_host(name: &Name) -> Option<&str> {
    let Name::Uri(uri) = name else { return None };
    let (scheme, rest) = uri.split_once(':')?;
    let host = rest.split([';', '?', ':']).next()?;
    (scheme.eq_ignore_ascii_case("sip") && !rest.contains('@')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::super::certificates::Certificates;
    use super::*;

    #[test]
    fn a_sip_uri_counts_before_dns_names() {
        let der = include_bytes!("../../parsers/src/tls/samples/ed25519.der");
        let known = Certificates::default().read(der).unwrap();
        assert_eq!(fit(&known, "EXAMPLE.org"), Fit::Exact);
        assert_eq!(fit(&known, "proxy.example.org"), Fit::No, "there is a SIP URI");
        assert_eq!(fit(&known, "a.example.org"), Fit::No, "no suffixes");
    }

    #[test]
    fn a_common_name_counts_where_there_is_nothing_else() {
        let der = include_bytes!("../../parsers/src/tls/samples/rsa1024_sha1.der");
        let known = Certificates::default().read(der).unwrap();
        assert_eq!((fit(&known, "old.example.org"), fit(&known, "x")), (Fit::Exact, Fit::No));
    }
}
