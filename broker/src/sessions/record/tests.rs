use serde::{Deserialize, Serialize};

use super::*;
use crate::login::fixtures::{now, records};

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Note(String);

impl Record for Note {
    const KIND: &'static str = "note";
    const LIFETIME: TimeDelta = TimeDelta::seconds(60);
}

fn note(text: &str) -> Note {
    Note(text.to_owned())
}

#[tokio::test]
async fn a_batch_has_an_outcome_for_each_ticket() {
    let (records, now) = (records(), now());
    let until = now + TimeDelta::seconds(60);
    records.put("a", &note("one"), now).await.unwrap();
    let read = records.get::<Note>("a", now).await.unwrap().unwrap();

    let mut batch = records.batch(now);
    batch.put("b", &note("new")).unwrap();
    let swapped = batch.swap("a", &read, &note("two"), until).unwrap();
    let first = batch.first_use("marker", "m", until);
    let again = batch.first_use("marker", "m", until);
    let absent = batch.get::<Note>("c");
    let counted = batch.count(("hits", "x"), until);
    let mut outcomes = batch.run().await.unwrap();

    assert_eq!(outcomes.of(counted).unwrap(), 1);
    assert!(outcomes.of(swapped).unwrap() && outcomes.of(first).unwrap());
    assert!(!outcomes.of(again).unwrap());
    assert!(outcomes.of(absent).unwrap().is_none());
    let mut batch = records.batch(now);
    let (a, b) = (batch.get::<Note>("a"), batch.take::<Note>("b"));
    let mut outcomes = batch.run().await.unwrap();
    assert_eq!(outcomes.of(a).unwrap().unwrap().record, note("two"));
    assert_eq!(outcomes.of(b).unwrap().unwrap().record, note("new"));
    assert!(records.get::<Note>("b", now).await.unwrap().is_none(), "taken");
}

#[tokio::test]
async fn a_member_of_an_index_finds_its_record() {
    let (records, now) = (records(), now());
    let until = now + TimeDelta::seconds(60);
    for handle in ["a", "b"] {
        records.put(handle, &note(handle), now).await.unwrap();
        let gone = records.index_add(("notes", "of me"), handle, until, now).await.unwrap();
        assert_eq!(gone, None);
    }
    records.index_remove(("notes", "of me"), "a", now).await.unwrap();

    let members = records.index_members(("notes", "of me"), now).await.unwrap();

    let [member] = &members[..] else { panic!("{members:?}") };
    assert_eq!(records.take::<Note>(member, now).await.unwrap(), Some(note("b")));
    assert!(records.get::<Note>("b", now).await.unwrap().is_none());
    assert!(records.index_members(("notes", "of others"), now).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_ticket_of_another_batch_is_an_error() {
    let records = records();
    let mut one = records.batch(now());
    let _ = one.get::<Note>("a");
    let second = one.get::<Note>("b");
    let mut other = records.batch(now());
    let _ = other.get::<Note>("a");

    assert!(other.run().await.unwrap().of(second).is_err());
}
