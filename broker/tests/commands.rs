//! The binary as an operator meets it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn homerealm(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_homerealm"));
    let ours = std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HOMEREALM_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.current_dir(folder).env("HOMEREALM_LISTEN", "127.0.0.1:0").env_remove("RUST_LOG");
    command
}

/// Runs to its end: exit code, standard output, lines of standard error.
fn run(command: &mut Command) -> (i32, String, Vec<String>) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let lines = String::from_utf8(stderr).unwrap().lines().map(str::to_owned).collect();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), lines)
}

/// A broker that has said where it answers.
fn serve(folder: &Path) -> (Child, String) {
    let mut child = homerealm(folder).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn serve_says_one_line_without_the_token_and_ends_well_when_told() {
    for name in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, line) = serve(folder.path());

        let data = folder.path().join("data").canonicalize().unwrap();
        let token = std::fs::read_to_string(data.join("admin-token")).unwrap();
        assert!(line.starts_with("Homerealm answers at http://localhost:"), "{line}");
        assert!(line.contains(data.to_str().unwrap()), "{line}");
        assert!(line.contains("admin-token") && !line.contains(token.trim()), "{line}");

        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
    }
}

#[test]
fn a_second_process_on_the_folder_is_refused_until_the_first_is_gone_however_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, _) = serve(folder.path());

    let (code, _, lines) = run(homerealm(folder.path()).arg("serve"));
    assert_eq!((code, lines.len()), (1, 1), "{lines:?}");
    assert!(lines.concat().contains("in use by another Homerealm process"), "{lines:?}");
    assert_eq!(run(homerealm(folder.path()).args(["keys", "rotate", "ES256"])).0, 1);
    assert_eq!(run(homerealm(folder.path()).args(["keys", "list"])).0, 0);

    first.kill().unwrap();
    first.wait().unwrap();
    let (mut second, line) = serve(folder.path());
    assert!(line.starts_with("Homerealm answers at"), "{line}");
    signal(&second, "-TERM");
    second.wait().unwrap();
}

#[test]
fn config_check_tells_every_problem_on_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "isuer = \"x\"\n[retention]\naudit_days = 0")
        .unwrap();

    let (code, out, lines) = run(homerealm(folder.path()).args(["config", "check", "bad.toml"]));

    assert_eq!((code, out.as_str(), lines.len()), (1, "", 2), "{lines:?}");
    assert!(lines.iter().any(|l| l.starts_with("homerealm: isuer: unknown key")), "{lines:?}");
    assert_eq!(run(homerealm(folder.path()).args(["serve", "--config", "bad.toml"])).0, 1);
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[test]
fn keys_rotate_and_retire_and_a_master_key_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(homerealm(folder.path()).args(["keys", "list"])).0, 1, "no database yet");
    let (mut child, _) = serve(folder.path());
    signal(&child, "-TERM");
    child.wait().unwrap();

    let before = run(homerealm(folder.path()).args(["keys", "list"])).1;
    let active = before.lines().find(|l| l.contains("RS256 active")).unwrap();
    let kid = active.split(' ').next().unwrap().to_owned();
    assert_eq!(run(homerealm(folder.path()).args(["keys", "retire", &kid])).0, 1, "it is active");
    let (code, _, why) = run(homerealm(folder.path()).args(["keys", "rotate", "RS256"]));
    assert!(code == 1 && why.concat().contains("--now"), "a young next key waits: {why:?}");
    assert_eq!(run(homerealm(folder.path()).args(["keys", "rotate", "RS256", "--now"])).0, 0);
    let between = run(homerealm(folder.path()).args(["keys", "list"])).1;
    assert!(between.contains(&format!("{kid} RS256 retiring")), "{between}");
    assert_eq!(run(homerealm(folder.path()).args(["keys", "retire", &kid])).0, 0);
    assert!(!run(homerealm(folder.path()).args(["keys", "list"])).1.contains(&kid));

    let make = ["keys", "generate-master", "new.key"];
    assert_eq!(run(homerealm(folder.path()).args(make)).0, 0);
    let key = std::fs::read(folder.path().join("new.key")).unwrap();
    assert_eq!(run(homerealm(folder.path()).args(make)).0, 1);
    assert_eq!(std::fs::read(folder.path().join("new.key")).unwrap(), key);

    let other = homerealm(folder.path())
        .arg("serve")
        .env("HOMEREALM_KEYS__MASTER_KEY_FILE", "new.key")
        .output();
    let text = String::from_utf8(other.unwrap().stderr).unwrap();
    assert!(text.contains("master key does not open this database"), "{text}");
}

#[test]
fn metadata_inspect_refuses_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.xml"), "<!DOCTYPE a><a/>").unwrap();

    let (code, out, lines) = run(homerealm(folder.path()).args(["metadata", "inspect", "a.xml"]));

    assert_eq!((code, out.as_str(), lines.len()), (1, "", 1), "{lines:?}");
}

#[test]
fn a_running_broker_is_operated_by_its_address_and_token() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, line) = serve(folder.path());
    let url = line.split(' ').nth(3).unwrap().to_owned();
    let token = std::fs::read_to_string(folder.path().join("data/admin-token")).unwrap();
    std::fs::write(
        folder.path().join("acme.json"),
        r#"{"organizations": [{"name": "acme", "display_name": "Acme"}]}"#,
    )
    .unwrap();
    let at = |arguments: &[&str]| {
        let mut command = homerealm(folder.path());
        command.args(arguments).args(["--url", &url]).env("HOMEREALM_TOKEN", token.trim());
        run(&mut command)
    };

    assert_eq!(run(homerealm(folder.path()).args(["export"])).0, 1, "the broker has the folder");
    let without = run(homerealm(folder.path()).args(["export", "--url", &url]));
    assert!(without.2.concat().contains("a token is needed"), "{:?}", without.2);
    let (code, out, _) = at(&["apply", "acme.json", "--dry-run"]);
    assert_eq!((code, out.lines().next()), (3, Some("+ organization acme")));
    assert_eq!(at(&["apply", "acme.json"]).0, 0);
    let (code, out, _) = at(&["apply", "acme.json", "--dry-run"]);
    assert_eq!(
        (code, &*out),
        (0, "0 to be created, 0 to be changed, 0 to be deleted, 1 unchanged\n")
    );
    let (code, out, _) = at(&["export"]);
    assert!(code == 0 && out.contains("\"display_name\": \"Acme\""), "{out}");
    let (code, out, lines) = at(&["doctor", "--offline"]);
    assert!(code == 0 && out.contains("warning bootstrap_token"), "{out} {lines:?}");

    let kid = |keys: &str, state: &str| {
        let line = keys.lines().find(|l| l.contains(&format!(" ES256 {state} "))).unwrap();
        line.split(' ').next().unwrap().to_owned()
    };
    let before = at(&["keys", "list"]).1;
    assert!(at(&["keys", "rotate", "ES256", "--now"]).1.contains(&kid(&before, "next")));
    assert_eq!(at(&["keys", "retire", &kid(&before, "active")]).0, 0);
    assert!(!at(&["keys", "list"]).1.contains(&kid(&before, "active")));

    signal(&child, "-TERM");
    child.wait().unwrap();
    assert_eq!(run(homerealm(folder.path()).args(["export"])).0, 0, "now it opens the database");
}
