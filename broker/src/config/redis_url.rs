//! `sessions.url`: which Redis, and how to find its primary.

use std::fmt;

use secrecy::SecretString;

/// Where Redis is. Its `Debug` and `Display` show neither user nor password.
#[derive(Clone)]
pub struct RedisUrl {
    /// How the addresses are to be understood.
    pub topology: Topology,
    /// Names or addresses with their ports; at least one.
    pub nodes: Vec<(String, u16)>,
    /// `rediss`: TLS to every node.
    pub tls: bool,
    /// ACL user; `None` is Redis' default user.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// Database number; 0 with Cluster.
    pub database: u16,
}

/// What the addresses of a [`RedisUrl`] are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Topology {
    /// One server.
    Single,
    /// Sentinels that know the primary of this service.
    Sentinel {
        /// The service's name.
        service: String,
    },
    /// Some nodes of a cluster.
    Cluster,
}

/// Why a text is no [`RedisUrl`]; never shows the text, which may hold a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RedisUrlFault {
    /// The database is no number, or not 0 with Cluster.
    #[error("the database is not a number that this form of URL takes")]
    Database,
    /// A node is no host with an optional port, or there is not the right number of them.
    #[error("an address is not HOST or HOST:PORT, or there are too few or too many")]
    Nodes,
    /// Parameters, fragments, broken percent-encoding.
    #[error("it has parameters, or characters that must be percent-encoded")]
    Parts,
    /// None of ours.
    #[error("it is not a session store that we know")]
    Scheme,
    /// `redis+sentinel` without `/SERVICE`.
    #[error("it does not name the service that the sentinels watch")]
    Service,
}

/// Forms that are understood, for messages.
pub(super) const FORMS: &str = "write redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// with TLS, \
     redis+sentinel://…H1:P,H2:P/SERVICE[/DB] or redis+cluster://…H1:P,H2:P";

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

impl RedisUrl {
    /// Reads one.
    ///
    /// # Errors
    /// [`RedisUrlFault`].
    pub fn parse(text: &str) -> Result<Self, RedisUrlFault> {
        let (scheme, rest) = text.split_once("://").ok_or(RedisUrlFault::Scheme)?;
        let (family, form) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match family {
            "redis" => false,
            "rediss" => true,
            _ => return Err(RedisUrlFault::Scheme),
        };
        if rest.contains(['?', '#']) || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(RedisUrlFault::Parts);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, nodes) =
            authority.rsplit_once('@').map_or((None, authority), |(w, n)| (Some(w), n));
        let (user, password) = credentials(who)?;
        let (topology, database) = match form {
            "" => (Topology::Single, number(path)?),
            "cluster" if path.is_empty() || path == "0" => (Topology::Cluster, 0),
            "cluster" => return Err(RedisUrlFault::Database),
            "sentinel" => sentinel(path)?,
            _ => return Err(RedisUrlFault::Scheme),
        };
        let nodes = addresses(nodes, &topology)?;
        Ok(Self { topology, nodes, tls, user, password, database })
    }
}

/// Without user, password and database: safe for logs and messages.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss" } else { "redis" })?;
        f.write_str(match self.topology {
            Topology::Single => "",
            Topology::Sentinel { .. } => "+sentinel",
            Topology::Cluster => "+cluster",
        })?;
        for (i, (host, port)) in self.nodes.iter().enumerate() {
            let before = if i == 0 { "://" } else { "," };
            let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
            write!(f, "{before}{open}{host}{close}:{port}")?;
        }
        if let Topology::Sentinel { service } = &self.topology {
            write!(f, "/{service}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

/// `USER:PASSWORD` or `:PASSWORD`, each percent-encoded. A lone word could be either, so it is refused.
fn credentials(
    text: Option<&str>,
) -> Result<(Option<String>, Option<SecretString>), RedisUrlFault> {
    let Some(text) = text else { return Ok((None, None)) };
    let (user, password) = text.split_once(':').ok_or(RedisUrlFault::Parts)?;
    let (user, password) = (decoded(user)?, decoded(password)?);
    if password.is_empty() {
        return Err(RedisUrlFault::Parts);
    }
    Ok(((!user.is_empty()).then_some(user), Some(password.into())))
}

fn sentinel(path: &str) -> Result<(Topology, u16), RedisUrlFault> {
    let (service, database) = path.split_once('/').unwrap_or((path, ""));
    let service = decoded(service)?;
    if service.is_empty() {
        return Err(RedisUrlFault::Service);
    }
    Ok((Topology::Sentinel { service }, number(database)?))
}

fn number(text: &str) -> Result<u16, RedisUrlFault> {
    if text.is_empty() { Ok(0) } else { text.parse().map_err(|_| RedisUrlFault::Database) }
}

fn addresses(text: &str, topology: &Topology) -> Result<Vec<(String, u16)>, RedisUrlFault> {
    let port = match topology {
        Topology::Sentinel { .. } => SENTINEL_PORT,
        Topology::Single | Topology::Cluster => REDIS_PORT,
    };
    let nodes: Vec<_> =
        text.split(',').map(|node| address(node, port)).collect::<Result<_, _>>()?;
    if *topology == Topology::Single && nodes.len() != 1 {
        return Err(RedisUrlFault::Nodes);
    }
    Ok(nodes)
}

fn address(text: &str, default: u16) -> Result<(String, u16), RedisUrlFault> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(RedisUrlFault::Nodes)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().map_err(|_| RedisUrlFault::Nodes)?,
        None if port.is_empty() => default,
        None => return Err(RedisUrlFault::Nodes),
    };
    if host.is_empty() || port == 0 || host.contains(['%', '@', '[', ']', '/']) {
        return Err(RedisUrlFault::Nodes);
    }
    Ok((host.to_owned(), port))
}

/// RFC 3986 §2.1.
fn decoded(text: &str) -> Result<String, RedisUrlFault> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next(), bytes.next()].map(|b| b.and_then(|b| (b as char).to_digit(16)));
        let [Some(high), Some(low)] = digits else { return Err(RedisUrlFault::Parts) };
        out.push(u8::try_from(high * 16 + low).map_err(|_| RedisUrlFault::Parts)?);
    }
    String::from_utf8(out).map_err(|_| RedisUrlFault::Parts)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn node(host: &str, port: u16) -> (String, u16) {
        (host.to_owned(), port)
    }

    #[test]
    fn every_form_is_understood() {
        let single = RedisUrl::parse("redis://127.0.0.1").unwrap();
        assert_eq!((single.topology, single.tls, single.database), (Topology::Single, false, 0));
        assert_eq!(single.nodes, [node("127.0.0.1", 6379)]);

        let tls = RedisUrl::parse("rediss://broker:p%40ss%2F@[::1]:7000/3").unwrap();
        assert_eq!((tls.tls, tls.database, tls.user.as_deref()), (true, 3, Some("broker")));
        assert_eq!(tls.password.as_ref().unwrap().expose_secret(), "p@ss/");
        assert_eq!(tls.nodes, [node("::1", 7000)]);
        assert_eq!(tls.to_string(), "rediss://[::1]:7000");

        let sentinel = RedisUrl::parse("redis+sentinel://:pw@a,b:1/mymaster/2").unwrap();
        assert_eq!(sentinel.topology, Topology::Sentinel { service: "mymaster".to_owned() });
        assert_eq!(sentinel.nodes, [node("a", 26379), node("b", 1)]);
        assert_eq!((sentinel.user, sentinel.database), (None, 2));

        let cluster = RedisUrl::parse("rediss+cluster://a:1,b").unwrap();
        assert_eq!((cluster.topology, cluster.tls), (Topology::Cluster, true));
        assert_eq!(cluster.nodes, [node("a", 1), node("b", 6379)]);
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, fault) in [
            ("127.0.0.1:6379", RedisUrlFault::Scheme),
            ("memcached://x", RedisUrlFault::Scheme),
            ("redis+other://x", RedisUrlFault::Scheme),
            ("redis://", RedisUrlFault::Nodes),
            ("redis://a,b", RedisUrlFault::Nodes),
            ("redis://a:0", RedisUrlFault::Nodes),
            ("redis://a:port", RedisUrlFault::Nodes),
            ("redis://[::1", RedisUrlFault::Nodes),
            ("redis://a/one", RedisUrlFault::Database),
            ("redis+cluster://a/1", RedisUrlFault::Database),
            ("redis+sentinel://a", RedisUrlFault::Service),
            ("redis://a/0?protocol=3", RedisUrlFault::Parts),
            ("redis://word@a", RedisUrlFault::Parts),
            ("redis://user:@a", RedisUrlFault::Parts),
            ("redis://user:%zz@a", RedisUrlFault::Parts),
            ("rediss://a/#insecure", RedisUrlFault::Parts),
        ] {
            assert_eq!(RedisUrl::parse(text).unwrap_err(), fault, "{text}");
        }
    }

    #[test]
    fn nobody_sees_the_password() {
        let url = RedisUrl::parse("redis://broker:hunter2@redis.example/1").unwrap();
        for shown in [format!("{url:?}"), url.to_string()] {
            assert!(!shown.contains("hunter2") && !shown.contains("broker"), "{shown}");
        }
    }
}
