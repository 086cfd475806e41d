//! Measures how an aggregate is read: `cargo run --release -p homerealm-metadata --example aggregate -- FILE [ENTITY_ID]`,
//! under `/usr/bin/time -v` for the memory. Budget: 83 MB in 3 seconds and 64 MB.

#![expect(clippy::print_stdout, reason = "the output is what it is for")]

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use chrono::DateTime;
use homerealm_metadata::aggregate::list;
use homerealm_metadata::entity_id::EntityId;
use homerealm_metadata::saml_idp::SamlIdpMetadata;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: aggregate FILE [ENTITY_ID]")?;
    let begun = Instant::now();
    let Some(wanted) = arguments.next() else {
        let entities = list(BufReader::new(File::open(&file)?))?;
        let idps = entities.iter().filter(|entity| entity.is_idp).count();
        println!("{} entities, {idps} IdPs, {:?}", entities.len(), begun.elapsed());
        return Ok(());
    };
    let wanted = EntityId::try_from(wanted)?;
    let input = BufReader::new(File::open(&file)?);
    let idp = SamlIdpMetadata::read_from(input, Some(&wanted), DateTime::UNIX_EPOCH)?;
    println!("{}\n{:?}", idp.to_json(), begun.elapsed());
    Ok(())
}
