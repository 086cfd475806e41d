//! What one login costs at Redis (RULES 40), counted between broker and server, and that no command walks the keys.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::json;
use testkit::app::TestApp;
use testkit::peers;
use testkit::proxy::Proxy;
use testkit::redis::Redis;
use testkit::sample_oidc::SampleOidc;
use testkit::scene::Scene;
use testkit::state;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_takes_few_round_trips() {
    if !state::is_embedded("round trips of a login") {
        return;
    }
    let Some(redis) = Redis::start("round trips of a login", &[]).await else { return };
    let proxy = Proxy::to(redis.port).await;
    let sessions = format!("[sessions]\nurl = \"redis://127.0.0.1:{}\"\n", proxy.port);
    let app = TestApp::spawn_with(TimeDelta::zero(), &sessions).await;
    let scene = Scene::with(app).await;
    let callback = scene.app.url("/callback/acme-oidc");
    let Some(op) = peers::oidc_provider(&callback, "plain", "").await else { return };
    scene.oidc("acme-oidc", &op.base, &json!({})).await;

    let start = proxy.round_trips();
    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
    let code = scene.code(landing).await;
    let login = proxy.round_trips() - start;
    for key in redis.cli(&["keys", "hr:*"]).lines() {
        let kind = key.split(['{', ':', '}']).nth(2).unwrap_or_default();
        println!("{kind}: {} bytes", redis.cli(&["memory", "usage", key]));
    }
    let tokens = scene.redeem(&code).await;
    let token = proxy.round_trips() - start - login;

    assert_eq!(tokens.status, 200, "{tokens:?}");
    println!("round trips: {login} from /authorize to the code, {token} at the token endpoint");
    // authorize: write the transaction. Callback: read, park. Continue: read and consume; end, session and code
    assert_eq!(login, 5);
    // read the code, spend it
    assert_eq!(token, 2);
    for key in redis.cli(&["keys", "hr:*"]).lines().filter(|key| key.contains("code")) {
        println!("spent code: {} bytes", redis.cli(&["memory", "usage", key]));
    }
    let again = scene.redeem(&code).await;
    assert_eq!(again.json["error"], "invalid_grant", "a code buys tokens once");
}

/// Commands on one key, whose cost does not grow with how many keys there are; and those that ask after the server. `KEYS`,
/// `SCAN`, `FLUSHALL` and the like are none of them, nor is what reads an unbounded set.
const SINGLE: [&str; 12] = [
    "auth",
    "client|setinfo",
    "config|resetstat",
    "eval",
    "get",
    "getdel",
    "hello",
    "info",
    "ping",
    "select",
    "set",
    "wait",
];

#[tokio::test(flavor = "multi_thread")]
async fn logins_ask_redis_for_single_keys_only() {
    if !state::is_embedded("commands of a login") {
        return;
    }
    let Some(redis) = Redis::start("commands of a login", &[]).await else { return };
    let sessions = format!("[sessions]\nurl = \"{}\"\n", redis.url());
    let scene = Scene::with(TestApp::spawn_with(TimeDelta::zero(), &sessions).await).await;
    let idp = SampleOidc::start(2, &scene.app.clock);
    scene.oidc("acme-oidc", &idp.issuer, &json!({})).await;
    redis.cli(&["config", "resetstat"]);

    for _ in 0..5 {
        let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
        let code = scene.code(landing).await;
        assert_eq!(scene.redeem(&code).await.status, 200);
        assert_eq!(scene.redeem(&code).await.status, 400);
    }

    let stats = redis.cli(&["info", "commandstats"]);
    let used: BTreeSet<&str> =
        stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split(':').next()).collect();
    assert!(used.contains("set"), "{stats}");
    let others: Vec<&&str> = used.iter().filter(|command| !SINGLE.contains(command)).collect();
    assert!(others.is_empty(), "{others:?}: does it stay cheap however many keys there are?");
}
