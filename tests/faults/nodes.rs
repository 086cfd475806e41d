//! Several nodes on PostgreSQL and Redis behind a load balancer that knows nothing of logins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use homerealm_certs::JwsAlgorithm;
use serde_json::json;
use testkit::cluster::Cluster;
use testkit::peers::{self, Peer};
use testkit::scene::Scene;

/// Nodes with a connection to an OP.
async fn nodes(what: &str, count: usize) -> Option<(Cluster, Peer)> {
    peers::folder(what)?;
    let cluster = Cluster::start(what, count).await?;
    let callback = cluster.scene.app.url("/callback/acme-oidc");
    let op = peers::oidc_provider(&callback, "plain", "").await?;
    cluster.scene.oidc("acme-oidc", &op.base, &json!({})).await;
    Some((cluster, op))
}

async fn log_in(scene: &Scene) -> serde_json::Value {
    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
    scene.tokens(landing).await.0
}

/// Waits for what other processes need a moment for; ten seconds at most.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    for _ in 0..400 {
        if holds().await {
            println!("{what}: after {:?}", start.elapsed());
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not after ten seconds: {what}");
}

async fn status(scene: &Scene, url: &str) -> u16 {
    scene.app.http.get(url).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_serves_any_step_of_any_login() {
    let Some((cluster, _op)) = nodes("logins over two nodes", 2).await else { return };

    let mut subjects = Vec::new();
    for _ in 0..5 {
        subjects.push(log_in(&cluster.scene).await["sub"].clone());
    }

    subjects.dedup();
    assert_eq!(subjects.len(), 1);
    let served: Vec<usize> = cluster.balancer.nodes().iter().map(|(_, served)| *served).collect();
    assert!(served[0].abs_diff(served[1]) <= 2, "{served:?}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_fails_no_login() {
    let Some((mut cluster, _op)) = nodes("a rolling restart", 2).await else { return };
    let (going_on, done) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let scene = Arc::clone(&cluster.scene);
    let users: Vec<_> = (0..3)
        .map(|_| {
            let (scene, going_on, done) =
                (Arc::clone(&scene), Arc::clone(&going_on), Arc::clone(&done));
            tokio::spawn(async move {
                while going_on.load(Ordering::SeqCst) {
                    log_in(&scene).await;
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();

    for node in [0, 1] {
        cluster.restart(node).await;
        let before = done.load(Ordering::SeqCst);
        until("logins went on", async || done.load(Ordering::SeqCst) > before + 3).await;
    }
    going_on.store(false, Ordering::SeqCst);

    for user in users {
        user.await.unwrap();
    }
    println!("{} logins, none failed", done.load(Ordering::SeqCst));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_signs_on_one_node_and_is_known_on_the_other() {
    let Some((cluster, _op)) = nodes("keys over two nodes", 2).await else { return };
    let kid = |node: usize| {
        let keys = cluster.app(node).keys.current();
        keys.active(JwsAlgorithm::Es256).unwrap().kid().to_owned()
    };
    let next = cluster.app(0).keys.list().await.unwrap();
    let next = next.into_iter().find(|key| {
        key.algorithm == JwsAlgorithm::Es256 && key.state == homerealm_certs::KeyState::Next
    });
    let next = next.unwrap().kid;
    assert!(cluster.app(1).keys.current().by_kid(&next).is_some());

    let now = cluster.app(0).now();
    cluster.app(0).keys.rotate(JwsAlgorithm::Es256, now, None).await.unwrap();

    assert_eq!(kid(0), next);
    log_in(&cluster.scene).await;
    until("the other node signs with it", async || kid(1) == next).await;
    assert_eq!(cluster.app(0).keys.current().jwks(), cluster.app(1).keys.current().jwks());
    log_in(&cluster.scene).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_the_other_node_without_being_asked_for() {
    let Some((cluster, _op)) = nodes("a change over two nodes", 2).await else { return };
    let enabled = async |node: usize| {
        let found = cluster.app(node).catalog.get::<broker::catalog::Connection>("acme-oidc").await;
        found.unwrap().unwrap().enabled
    };
    assert!(enabled(0).await && enabled(1).await);

    let patch = json!({"enabled": false});
    cluster.scene.app.admin.change("/connections/acme-oidc", &patch).await;

    until("both nodes know", async || !enabled(0).await && !enabled(1).await).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_known_users_log_in_and_the_nodes_recover_by_themselves() {
    let Some((mut cluster, _op)) = nodes("PostgreSQL away", 2).await else { return };
    let scene = Arc::clone(&cluster.scene);
    let ready: Vec<String> =
        [0, 1].map(|node| format!("http://{}/readyz", cluster.address(node))).to_vec();
    let subject = log_in(&scene).await["sub"].clone();
    // what a node learns of a change it forgets once more, so what it cached before it caught up would be gone
    for node in [0, 1] {
        cluster.app(node).catalog.catch_up().await.unwrap();
    }
    for _ in 0..6 {
        assert_eq!(log_in(&scene).await["sub"], subject);
    }

    cluster.postgres.crash();
    until("both nodes say that they are not ready", async || {
        status(&scene, &ready[0]).await == 503 && status(&scene, &ready[1]).await == 503
    })
    .await;

    for _ in 0..4 {
        assert_eq!(log_in(&scene).await["sub"], subject);
    }
    let organizations = scene.app.url("/api/v1/organizations");
    let answer = scene.app.http.get(&organizations).bearer_auth(testkit::app::ADMIN_TOKEN);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert!(answer.headers().contains_key("retry-after"));

    cluster.postgres.restart().await;
    until("both nodes are ready again", async || {
        status(&scene, &ready[0]).await == 200 && status(&scene, &ready[1]).await == 200
    })
    .await;
    assert_eq!(log_in(&scene).await["sub"], subject);
    assert_eq!(scene.app.admin.get("/organizations/acme").await.json["name"], "acme");
    cluster.stop().await;
}
