//! One way to Redis as it was found at one time: a connection to the primary, or a cluster client. Finds it, talks to it; when
//! it has to be replaced is the manager's business.

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{
    MultipleNodeRoutingInfo, Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr,
};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind,
    IntoConnectionInfo as _, Pipeline, RedisConnectionInfo, RedisError, RedisResult,
    TlsCertificates, Value, cmd, from_redis_value,
};
use secrecy::ExposeSecret as _;

use super::manager::{ATTEMPT, CALL};
use crate::config::{RedisUrl, Topology};

/// Where to look, and whom to trust there.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: RedisUrl,
    /// PEM of the authorities, where not the system's.
    pub(super) authorities: Option<Vec<u8>>,
}

/// Cheap to clone: all clones share the connection.
#[derive(Clone)]
pub(super) enum Link {
    /// The primary.
    Server(MultiplexedConnection),
    /// Routes each key to its node.
    Cluster(ClusterConnection),
}

impl Link {
    /// Finds the primary anew (DNS, Sentinel) and connects. Takes as long as it takes: the caller has the clock.
    pub(super) async fn open(target: &Target) -> RedisResult<Self> {
        match &target.url.topology {
            Topology::Single => {
                let (host, port) = target.url.nodes.first().ok_or_else(nowhere)?;
                target.connect(host, *port, true).await.map(Self::Server)
            }
            Topology::Sentinel { service } => {
                let (host, port) = target.primary_of(service).await?;
                target.connect(&host, port, true).await.map(Self::Server)
            }
            Topology::Cluster => target.cluster().await.map(Self::Cluster),
        }
    }

    /// Runs commands on the primary that holds `key`; one answer each, errors of the server among them.
    pub(super) async fn run(&self, key: &str, commands: Pipeline) -> RedisResult<Vec<Value>> {
        let count = commands.len();
        match self {
            Self::Server(server) => server.clone().send_packed_commands(&commands, 0, count).await,
            Self::Cluster(cluster) => {
                let route = Route::with_key(key, SlotAddr::Master);
                let route = SingleNodeRoutingInfo::SpecificNode(route);
                cluster.clone().route_pipeline(commands, 0, count, route).await
            }
        }
    }

    /// Asks every primary; fails where one of them does.
    pub(super) async fn ask_primaries(&self, command: &Cmd) -> RedisResult<Vec<Value>> {
        match self {
            Self::Server(server) => {
                Ok(vec![server.clone().send_packed_command(command).await?.extract_error()?])
            }
            Self::Cluster(cluster) => {
                let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let Value::Map(answers) =
                    cluster.clone().route_command(command.clone(), all).await?.extract_error()?
                else {
                    return Err(
                        (ErrorKind::UnexpectedReturnType, "not one answer a primary").into()
                    );
                };
                Ok(answers.into_iter().map(|(_, answer)| answer).collect())
            }
        }
    }

    /// Asks the primary of a slot; outside a cluster there is but one.
    pub(super) async fn ask_slot(&self, slot: Slot, command: Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(server) => server.clone().send_packed_command(&command).await,
            Self::Cluster(cluster) => {
                let route = Route::with_slot(slot, SlotAddr::Master);
                let route = RoutingInfo::SingleNode(SingleNodeRoutingInfo::SpecificNode(route));
                cluster.clone().route_command(command, route).await
            }
        }?
        .extract_error()
    }

    /// Asks any node of a cluster.
    pub(super) async fn ask_any(&self, command: Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(server) => server.clone().send_packed_command(&command).await,
            Self::Cluster(cluster) => {
                let any = RoutingInfo::SingleNode(SingleNodeRoutingInfo::RandomPrimary);
                cluster.clone().route_command(command, any).await
            }
        }?
        .extract_error()
    }
}

impl Target {
    async fn connect(
        &self,
        host: &str,
        port: u16,
        authenticate: bool,
    ) -> RedisResult<MultiplexedConnection> {
        let info = self.info(host, port, authenticate)?;
        let client = if self.url.tls {
            Client::build_with_tls(info, self.certificates())?
        } else {
            Client::open(info)?
        };
        // the time-outs are ours, round the whole call
        let patient = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CALL))
            .set_response_timeout(None);
        client.get_multiplexed_async_connection_with_config(&patient).await
    }

    /// The first sentinel that knows says where the primary is; each gets its share of the time.
    async fn primary_of(&self, service: &str) -> RedisResult<(String, u16)> {
        let mut last = nowhere();
        for (host, port) in &self.url.nodes {
            match tokio::time::timeout(ATTEMPT, self.ask_sentinel(host, *port, service)).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => last = error,
                Err(_) => last = (ErrorKind::Io, "no sentinel answered in time").into(),
            }
        }
        Err(last)
    }

    /// Sentinels mostly have no password; one that wants one gets the same as Redis.
    async fn ask_sentinel(
        &self,
        host: &str,
        port: u16,
        service: &str,
    ) -> RedisResult<(String, u16)> {
        let ask = async |authenticate| {
            let mut sentinel = self.connect(host, port, authenticate).await?;
            let mut command = cmd("SENTINEL");
            command.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
            sentinel.send_packed_command(&command).await?.extract_error()
        };
        let mut answer = ask(false).await;
        let wants_password = answer.as_ref().is_err_and(|error| says(error, "NOAUTH"));
        if wants_password && self.url.password.is_some() {
            answer = ask(true).await;
        }
        let found: Option<(String, u16)> = from_redis_value(answer?)?;
        found.ok_or_else(|| {
            (ErrorKind::MasterNameNotFoundBySentinel, "the sentinel does not know the service")
                .into()
        })
    }

    /// Without retries: a command that may have been carried out is never sent again.
    async fn cluster(&self) -> RedisResult<ClusterConnection> {
        let nodes: Vec<ConnectionInfo> = (self.url.nodes.iter())
            .map(|(host, port)| self.info(host, *port, true))
            .collect::<RedisResult<_>>()?;
        let mut builder = ClusterClientBuilder::new(nodes)
            .retries(0)
            .connection_timeout(CALL)
            .response_timeout(CALL)
            .tcp_settings(TcpSettings::default().set_nodelay(true));
        if self.url.tls {
            builder = builder.tls(redis::cluster::TlsMode::Secure).certs(self.certificates());
        }
        builder.build()?.get_async_connection().await
    }

    fn info(&self, host: &str, port: u16, authenticate: bool) -> RedisResult<ConnectionInfo> {
        let host = host.to_owned();
        let address = if self.url.tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let mut settings = RedisConnectionInfo::default();
        if authenticate {
            settings = settings.set_db(self.url.database.into());
            if let Some(user) = &self.url.user {
                settings = settings.set_username(user);
            }
            if let Some(password) = &self.url.password {
                settings = settings.set_password(password.expose_secret());
            }
        }
        let tcp = TcpSettings::default().set_nodelay(true);
        Ok(address.into_connection_info()?.set_redis_settings(settings).set_tcp_settings(tcp))
    }

    fn certificates(&self) -> TlsCertificates {
        TlsCertificates { client_tls: None, root_cert: self.authorities.clone() }
    }
}

/// Whether the server's error has this code. Within a script, servers before 7.0 hide it in the text.
pub(super) fn says(error: &RedisError, code: &str) -> bool {
    error.code() == Some(code) || error.detail().is_some_and(|text| text.contains(code))
}

fn nowhere() -> RedisError {
    (ErrorKind::InvalidClientConfig, "no address to connect to").into()
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Link::Server",
            Self::Cluster(_) => "Link::Cluster",
        })
    }
}
