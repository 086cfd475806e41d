//! Sentinel and Cluster: the contract, and a primary that is lost while logins go on.

use testkit::postgres::Postgres;
use testkit::redis::{Servers, alone};
use testkit::site::Site;
use testkit::store_contract;
use testkit::store_load::Load;

use crate::logins::BINARY;
use crate::nodes::until;
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
async fn the_doctor_warns_while_writes_need_no_replica() {
    let _alone = alone().await;
    let what = "the doctor at a Redis with a replica";
    let Some(servers) = Servers::replicated(what).await else { return };
    let Some(postgres) = Postgres::start(what).await else { return };
    let site = Site::shared(BINARY, &postgres.url(), &servers.nodes[0].url()).await;
    let warned = async || {
        let answer = site.scene.app.admin.get("/doctor?reach=false").await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        let findings = answer.json["items"].as_array().unwrap().clone();
        let of_the_store = findings.iter().filter(|finding| finding["check"] == "sessions");
        let of_the_store: Vec<_> = of_the_store.collect();
        for finding in &of_the_store {
            assert_eq!(finding["level"], "warning", "{finding}");
            assert!(finding["message"].as_str().unwrap().contains("min-replicas-to-write"));
        }
        of_the_store.len() == 1
    };
    until("the doctor warns", warned).await;

    servers.nodes[0].cli(&["config", "set", "min-replicas-to-write", "1"]);

    until("the doctor is content", async || !warned().await).await;
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
