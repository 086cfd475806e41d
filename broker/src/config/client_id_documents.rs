//! Clients whose `client_id` is the address of their metadata.

use super::reader::Reader;
use crate::catalog::Name;

/// Whose clients they are, and where their documents may lie.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientIdDocuments {
    /// They are this organization's third-party clients.
    pub organization: Name,
    /// Hosts that are called, exactly.
    pub hosts: Vec<String>,
}

impl ClientIdDocuments {
    /// Whether documents at this host make clients.
    pub fn names(&self, host: Option<&str>) -> bool {
        host.is_some_and(|host| self.hosts.iter().any(|named| named == host))
    }

    /// Both keys, or neither.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        const ORGANIZATION: &str = "client_id_documents.organization";
        const HOSTS: &str = "client_id_documents.hosts";
        let hosts = reader.list(HOSTS);
        let named = reader.text(ORGANIZATION);
        let organization = named.clone().and_then(|text| Name::try_from(text).ok());
        if named.is_some() && organization.is_none() {
            reader.problem(ORGANIZATION, "is not a name", "write an organization's name");
        }
        for host in &hosts {
            let plain =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
            if host.is_empty() || !host.bytes().all(plain) {
                let fix =
                    "write names such as \"app.example\", in lower case, without scheme and port";
                reader.problem(HOSTS, format!("`{host}` is not a host name"), fix);
            }
        }
        match (named.is_some(), hosts.is_empty()) {
            (true, true) => {
                let fix = "name the hosts whose documents may be fetched";
                reader.problem(HOSTS, "is empty beside client_id_documents.organization", fix);
            }
            (false, false) => {
                let fix = "name the organization whose clients they are, or leave both out";
                reader.problem(ORGANIZATION, "is missing beside client_id_documents.hosts", fix);
            }
            (true, false) | (false, true) => {}
        }
        organization.filter(|_| !hosts.is_empty()).map(|organization| Self { organization, hosts })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(text: &str) -> Result<Option<ClientIdDocuments>, Vec<String>> {
        let config = Config::from_toml(&format!("[client_id_documents]\n{text}"), []);
        let keys =
            |p: super::super::Problems| p.iter().map(|problem| problem.key.clone()).collect();
        config.map(|config| config.client_id_documents).map_err(keys)
    }

    #[test]
    fn both_keys_or_neither() {
        let both = read("organization = \"acme\"\nhosts = [\"app.example\"]").unwrap().unwrap();
        assert_eq!((both.organization.as_str(), both.hosts.len()), ("acme", 1));
        assert_eq!(read(""), Ok(None));
        for (text, key) in [
            ("organization = \"acme\"", "client_id_documents.hosts"),
            ("hosts = [\"app.example\"]", "client_id_documents.organization"),
            (
                "organization = \"Not a name\"\nhosts = [\"a.example\"]",
                "client_id_documents.organization",
            ),
            (
                "organization = \"acme\"\nhosts = [\"https://a.example\"]",
                "client_id_documents.hosts",
            ),
            ("organization = \"acme\"\nhosts = [\"*\"]", "client_id_documents.hosts"),
        ] {
            assert_eq!(read(text), Err(vec![key.to_owned()]), "{text}");
        }
    }
}
