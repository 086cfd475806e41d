//! TXT records.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::Resolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;

/// Who knows TXT records.
#[async_trait]
pub trait TxtLookup: Debug + Send + Sync {
    /// Every TXT record at `name`, each as one text; empty where the name servers say that there is none.
    ///
    /// # Errors
    /// [`NoAnswer`] where it is not known whether there is one.
    async fn texts(&self, name: &str) -> Result<Vec<String>, NoAnswer>;
}

/// DNS did not answer, or not with yes or no.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("DNS does not answer: {0}")]
pub struct NoAnswer(String);

/// Asks name servers anew each time: who has just set a record need not wait for what was remembered.
#[derive(Clone, Debug)]
pub struct NameServers {
    servers: Vec<SocketAddr>,
}

/// What one name server gets to answer, once over UDP and once more.
const TIMEOUT: Duration = Duration::from_secs(2);
/// What everything together gets.
const DEADLINE: Duration = Duration::from_secs(8);

impl NameServers {
    /// These; with none, the system's (`/etc/resolv.conf`, read at each look-up).
    pub const fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers }
    }

    fn configuration(&self) -> Result<ResolverConfig, NoAnswer> {
        if self.servers.is_empty() {
            let (config, _) = read_system_conf().map_err(|e| NoAnswer(e.to_string()))?;
            return Ok(config);
        }
        let server = |address: &SocketAddr| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = address.port();
            }
            NameServerConfig::new(address.ip(), true, connections)
        };
        Ok(ResolverConfig::from_name_servers(self.servers.iter().map(server).collect()))
    }

    async fn ask(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let failed = |why: String| NoAnswer(why);
        let name = Name::from_ascii(format!("{name}.")).map_err(|e| failed(e.to_string()))?;
        let provider = TokioRuntimeProvider::default();
        let mut builder = Resolver::builder_with_config(self.configuration()?, provider);
        set(builder.options_mut());
        let resolver = builder.build().map_err(|e| failed(e.to_string()))?;
        let found = match resolver.lookup(name, RecordType::TXT).await {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(failed(error.to_string())),
        };
        let texts = found.answers().iter().filter_map(|record| {
            let RData::TXT(txt) = &record.data else { return None };
            Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned())
        });
        Ok(texts.collect())
    }
}

fn set(options: &mut ResolverOpts) {
    options.attempts = 2;
    options.cache_size = 0;
    options.timeout = TIMEOUT;
    options.try_tcp_on_error = true;
    options.use_hosts_file = ResolveHosts::Never;
}

#[async_trait]
impl TxtLookup for NameServers {
    async fn texts(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let asked = tokio::time::timeout(DEADLINE, self.ask(name)).await;
        asked.unwrap_or_else(|_| Err(NoAnswer("it took too long".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Dns, Says};
    use super::*;

    async fn asked(says: Says) -> Result<Vec<String>, NoAnswer> {
        let dns = Dns::start().await;
        dns.set("x.acme.example", says);
        NameServers::new(vec![dns.address]).texts("x.acme.example").await
    }

    #[tokio::test]
    async fn every_text_is_read_whole() {
        let long = "x".repeat(300);
        let texts = vec!["v=spf1 -all".to_owned(), long];
        assert_eq!(asked(Says::Texts(texts.clone())).await, Ok(texts));
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_and_one_without_texts_have_none() {
        assert_eq!(asked(Says::Code(3)).await, Ok(vec![]));
        assert_eq!(asked(Says::Texts(vec![])).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn a_server_that_fails_or_refuses_has_said_nothing() {
        for code in [2, 5] {
            assert!(asked(Says::Code(code)).await.is_err(), "{code}");
        }
        let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(NameServers::new(vec![nobody]).texts("x.acme.example").await.is_err());
    }
}
