//! Which rows a domain leads to: exact beats wildcard, most labels win (DESIGN section 2).

use sqlx::AnyConnection;
use sqlx::{Any, Row as _};

use super::error::{CatalogError, unavailable};
use super::{DomainName, DomainPattern};

/// Names of the organizations that hold one of eight patterns verified.
pub(super) const HOLDERS: &str = "SELECT name, organization FROM organization_domains \
     WHERE verified = 1 AND name IN ($1, $2, $3, $4, $5, $6, $7, $8)";
/// Names of the connections that list one of eight patterns.
pub(super) const LISTING: &str = "SELECT pattern, connection FROM connection_domains \
     WHERE pattern IN ($1, $2, $3, $4, $5, $6, $7, $8)";
const AT_ONCE: usize = 8;

/// Every pattern that matches `domain`, the most specific first.
pub(super) fn exact_then_wildcards(domain: &DomainName) -> Vec<String> {
    let wildcards = domain.and_parents().skip(1).map(|above| format!("*.{above}"));
    std::iter::once(domain.to_string()).chain(wildcards).collect()
}

/// `pattern`, then every wildcard that covers all of it, the most specific first.
pub(super) fn covering(pattern: &DomainPattern) -> Vec<String> {
    match pattern {
        DomainPattern::Exact(name) => exact_then_wildcards(name),
        DomainPattern::Below(base) => base.and_parents().map(|name| format!("*.{name}")).collect(),
    }
}

/// The names beside the first of `patterns` that has any, sorted.
pub(super) async fn most_specific(
    connection: &mut AnyConnection,
    statement: &'static str,
    patterns: &[String],
) -> Result<Vec<String>, CatalogError> {
    for chunk in patterns.chunks(AT_ONCE) {
        if let Some(names) = by_pattern(connection, statement, chunk).await?.into_iter().next() {
            return Ok(names);
        }
    }
    Ok(Vec::new())
}

/// The names beside each of `patterns` that has any, in their order, each sorted.
pub(super) async fn all_by_pattern(
    connection: &mut AnyConnection,
    statement: &'static str,
    patterns: &[String],
) -> Result<Vec<Vec<String>>, CatalogError> {
    let mut all = Vec::new();
    for chunk in patterns.chunks(AT_ONCE) {
        all.extend(by_pattern(connection, statement, chunk).await?);
    }
    Ok(all)
}

/// As [`all_by_pattern`], of as many as go into one statement.
async fn by_pattern(
    connection: &mut AnyConnection,
    statement: &'static str,
    chunk: &[String],
) -> Result<Vec<Vec<String>>, CatalogError> {
    let mut query = sqlx::query::<Any>(statement);
    for i in 0..AT_ONCE {
        query = query.bind(chunk.get(i).cloned().unwrap_or_default());
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for row in query.fetch_all(&mut *connection).await.map_err(unavailable)? {
        found.push((row.try_get(0).map_err(unavailable)?, row.try_get(1).map_err(unavailable)?));
    }
    found.sort();
    let beside = |pattern: &String| {
        let names = found.iter().filter(|(listed, _)| listed == pattern);
        names.map(|(_, name)| name.clone()).collect::<Vec<_>>()
    };
    Ok(chunk.iter().map(beside).filter(|names| !names.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_most_specific_pattern_first() {
        let domain = DomainName::parse("a.b.acme.example").unwrap();
        assert_eq!(
            exact_then_wildcards(&domain),
            ["a.b.acme.example", "*.b.acme.example", "*.acme.example"]
        );
        assert_eq!(
            covering(&DomainPattern::Below(domain)),
            ["*.a.b.acme.example", "*.b.acme.example", "*.acme.example"]
        );
    }
}
