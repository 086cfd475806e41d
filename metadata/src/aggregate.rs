//! Streams SAML metadata: one `EntityDescriptor`, or an `EntitiesDescriptor` with thousands of them
//! (SAML Metadata §2.3), of which one at a time is in memory.
//!
//! Every byte passes the same scanner as in [`crate::gate`], the parts that nobody reads too. An
//! entity is handed out as a document of its own, with the namespace declarations that it inherits.

mod source;

use std::io::BufRead;

use chrono::{DateTime, Utc};
use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attribute;
use quick_xml::name::QName;

use crate::MetadataRefusal;
use crate::entity_id::EntityId;
use crate::gate::{GateError, Limits, Scanner, Token, attributes, split_name};
use crate::refusal::cut;
use crate::saml_idp::{earlier, read_time, supports_saml2};
use crate::xml_names::MD;
use source::Source;

#[cfg(test)]
mod tests;

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: u64 = 256 * 1024 * 1024;

/// One entity of a document, as far as a list needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntitySummary {
    /// The text of `entityID`, unchecked.
    pub entity_id: String,
    /// Whether it has an `IDPSSODescriptor` that supports SAML 2.0.
    pub is_idp: bool,
}

/// Lists the entities of a document, in its order.
///
/// # Errors
/// The document cannot be read, or is not SAML metadata. What is wrong inside one entity beyond
/// XML is not looked at.
pub fn list(input: impl BufRead) -> Result<Vec<EntitySummary>, MetadataRefusal> {
    let mut entities = Entities::new(input);
    let mut found = Vec::new();
    while let Some(Entity { entity_id, is_idp, .. }) = entities.next_entity()? {
        found.push(EntitySummary { entity_id, is_idp });
    }
    Ok(found)
}

/// Finds the IdP of an entity id, or without one the only IdP. The document is always read to its
/// end, so that a truncated one is not taken for a whole one.
pub(crate) fn find_idp(
    input: impl BufRead,
    choose: Option<&EntityId>,
) -> Result<Entity, MetadataRefusal> {
    let mut entities = Entities::new(input);
    let mut first: Option<Entity> = None;
    let mut count = 0_usize;
    let mut wanted_is_there = false;
    while let Some(entity) = entities.next_entity()? {
        let is_wanted = choose.is_none_or(|wanted| wanted.as_str() == entity.entity_id);
        wanted_is_there |= is_wanted;
        if is_wanted && entity.is_idp {
            count += 1;
            first.get_or_insert(entity);
        }
    }
    match (first, choose) {
        (Some(entity), _) if count == 1 => Ok(entity),
        (Some(_), Some(wanted)) => Err(MetadataRefusal::EntityTwice { entity_id: wanted.clone() }),
        (Some(entity), None) => {
            Err(MetadataRefusal::SeveralIdps { count, first: cut(&entity.entity_id) })
        }
        (None, Some(wanted)) if !wanted_is_there => {
            Err(MetadataRefusal::EntityNotFound { wanted: wanted.clone() })
        }
        (None, _) => Err(MetadataRefusal::NoIdpRole),
    }
}

/// One `EntityDescriptor`.
#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) entity_id: String,
    pub(crate) is_idp: bool,
    /// The earliest `validUntil` of the groups around it.
    pub(crate) valid_until: Option<DateTime<Utc>>,
    /// A document of its own that passed the gate.
    pub(crate) xml: String,
}

struct Entities<R> {
    source: Source<R>,
    walk: Walk,
}

impl<R: BufRead> Entities<R> {
    fn new(input: R) -> Self {
        let scanner = Scanner::new(Limits::METADATA);
        Self {
            source: Source::new(input),
            walk: Walk { scanner, groups: Vec::new(), entity: None },
        }
    }

    fn next_entity(&mut self) -> Result<Option<Entity>, MetadataRefusal> {
        while let Some((token, raw)) = self.source.token()? {
            let length = raw.len();
            let entity = self.walk.step(&token, raw)?;
            self.source.consume(length);
            if entity.is_some() {
                return Ok(entity);
            }
        }
        self.walk.scanner.finish()?;
        Ok(None)
    }
}

/// Where in the document we are.
struct Walk {
    scanner: Scanner,
    /// The open `EntitiesDescriptor`s, with the earliest `validUntil` up to each.
    groups: Vec<Option<DateTime<Utc>>>,
    entity: Option<Entity>,
}

impl Walk {
    /// Takes one token; `raw` is the same with its delimiters. Gives the entity that it completes.
    fn step(&mut self, token: &Token<'_>, raw: &str) -> Result<Option<Entity>, MetadataRefusal> {
        let is_outside = self.entity.is_none();
        match token {
            Token::Start(tag) | Token::Empty(tag) => self.enter(tag)?,
            Token::End(_)
            | Token::Text(_)
            | Token::CData(_)
            | Token::Comment(_)
            | Token::Declaration(_) => self.scanner.accept(token)?,
        }
        if matches!(token, Token::Empty(_)) {
            self.scanner.close_last();
        }
        if let Some(entity) = &mut self.entity {
            // The first tag was written with the declarations that it inherits.
            entity.xml.push_str(if is_outside { after_name(raw) } else { raw });
            let limit = Limits::METADATA.max_bytes;
            if entity.xml.len() > limit {
                return Err(MetadataRefusal::EntityTooLarge { limit });
            }
        }
        let depth = self.scanner.depth();
        if matches!(token, Token::End(_) | Token::Empty(_)) {
            if self.entity.is_some() && depth == self.groups.len() {
                return Ok(self.entity.take());
            }
            self.groups.truncate(depth);
        }
        Ok(None)
    }

    fn enter(&mut self, tag: &[u8]) -> Result<(), MetadataRefusal> {
        let inherited = self.scanner.namespaces_in_scope().count();
        self.scanner.open(tag)?;
        let (namespace, local_name) = self.scanner.innermost()?;
        let is_md = namespace == MD.as_bytes();
        let levels_below_groups = self.scanner.depth() - self.groups.len();
        if let Some(entity) = &mut self.entity {
            if levels_below_groups == 2 && is_md && local_name == b"IDPSSODescriptor" {
                let protocols = attribute(tag, b"protocolSupportEnumeration")?;
                entity.is_idp |= protocols.is_some_and(|protocols| supports_saml2(&protocols));
            }
            return Ok(());
        }
        if levels_below_groups > 1 {
            return Ok(());
        }
        let around = self.groups.last().copied().flatten();
        match local_name {
            b"EntityDescriptor" if is_md => {
                let entity_id = attribute(tag, b"entityID")?.unwrap_or_default();
                let xml = begin_entity(&self.scanner, tag, inherited)?;
                self.entity = Some(Entity { entity_id, is_idp: false, valid_until: around, xml });
                self.scanner.restart_element_count();
            }
            b"EntitiesDescriptor" if is_md => {
                let own = attribute(tag, b"validUntil")?;
                let own = own.map(|text| read_time(&text)).transpose()?;
                self.groups.push(earlier(around, own));
            }
            other if self.groups.is_empty() => {
                let root = cut(&String::from_utf8_lossy(other));
                return Err(MetadataRefusal::NotMetadata { root });
            }
            _ => {}
        }
        Ok(())
    }
}

/// How many bytes of namespace declarations an entity may inherit. Every entity gets a copy, so a document of 2 MiB could
/// have us write many gigabytes; real aggregates declare one or two kilobytes at their root.
const MAX_INHERITED_BYTES: usize = 8 * 1024;

/// `<name` and the declarations of the outer elements that `tag` does not replace.
fn begin_entity(
    scanner: &Scanner,
    tag: &[u8],
    inherited: usize,
) -> Result<String, MetadataRefusal> {
    let bytes = scanner.namespaces_in_scope().take(inherited).map(|(p, n)| p.len() + n.len());
    if bytes.sum::<usize>() > MAX_INHERITED_BYTES {
        return Err(MetadataRefusal::NamespacesTooLarge { limit: MAX_INHERITED_BYTES });
    }
    let (name, _) = split_name(tag);
    let mut xml = format!("<{}", String::from_utf8_lossy(name));
    let is_replaced = |index: usize, prefix: &[u8]| {
        scanner.namespaces_in_scope().skip(index + 1).any(|(later, _)| later == prefix)
    };
    for (index, (prefix, namespace)) in scanner.namespaces_in_scope().take(inherited).enumerate() {
        if is_replaced(index, prefix) {
            continue;
        }
        let colon = if prefix.is_empty() { "" } else { ":" };
        let (prefix, namespace) =
            (String::from_utf8_lossy(prefix), String::from_utf8_lossy(namespace));
        // A raw name holds at most one kind of quote, the one that does not delimit it.
        let quote = if namespace.contains('"') { '\'' } else { '"' };
        xml.push_str(&format!(" xmlns{colon}{prefix}={quote}{namespace}{quote}"));
    }
    Ok(xml)
}

/// A start tag from behind its name.
fn after_name(raw: &str) -> &str {
    let is_end = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '/' | '>');
    raw.find(is_end).and_then(|end| raw.get(end..)).unwrap_or_default()
}

/// The value of an attribute without a prefix (XML 1.0 §3.3.3).
fn attribute(tag: &[u8], name: &[u8]) -> Result<Option<String>, GateError> {
    for attribute in attributes(tag) {
        let attribute = attribute?;
        if attribute.name == name {
            let raw = String::from_utf8_lossy(attribute.value);
            let attribute = Attribute { key: QName("value"), value: raw };
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            return value.map(|value| Some(value.into_owned())).map_err(|_| GateError::Reference);
        }
    }
    Ok(None)
}
