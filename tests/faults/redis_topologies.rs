//! Sentinel and Cluster: the contract, and a primary that is lost while logins go on.

use testkit::redis::{Servers, alone};
use testkit::store_contract;
use testkit::store_load::Load;

use crate::redis_contract::opened;
use crate::redis_faults::report;

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_by_sentinel_loses_nothing_that_was_acknowledged() {
    let _alone = alone().await;
    let Some(mut servers) = Servers::watched("Sentinel").await else { return };
    let store = opened(&servers.url()).await;
    store_contract::behaves(&store).await.unwrap();
    let epoch = store.epoch().await.unwrap();
    let load = Load::on(&store);
    load.until_it_works(200).await;

    servers.nodes[0].kill();

    let recovered = load.until_it_works(200).await;
    report("Sentinel, kill -9 of the primary", recovered, &load.end_without_loss().await);
    assert!(store.epoch().await.unwrap() > epoch, "a failover may lose markers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_goes_on_after_it_lost_a_primary() {
    let _alone = alone().await;
    let Some(mut servers) = Servers::cluster("Cluster").await else { return };
    let store = opened(&servers.url()).await;
    store_contract::behaves(&store).await.unwrap();
    store.ready().await.unwrap();
    let epoch = store.epoch().await.unwrap();
    let load = Load::on(&store);
    load.until_it_works(200).await;

    servers.nodes[0].kill();
    let survivor = &servers.nodes[1];
    survivor
        .until("all slots are served again", || {
            let info = survivor.cli(&["cluster", "info"]);
            let rows = survivor.cli(&["cluster", "nodes"]);
            info.contains("cluster_state:ok") && rows.contains("fail") && !rows.contains("fail?")
        })
        .await;

    let recovered = load.until_it_works(500).await;
    report("Cluster, kill -9 of a primary", recovered, &load.end_without_loss().await);
    assert!(store.epoch().await.unwrap() > epoch, "a failover may lose markers");
}
