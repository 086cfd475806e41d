//! Takes tokens one after the other and refuses the first that breaks a rule.

use std::ops::Range;

use super::name::split_qname;
use super::namespaces::Namespaces;
use super::tag::{RawAttribute, attributes, split_name};
use super::text::{check_references, check_text, is_space};
use super::token::Token;
use super::{GateError, Limits};

/// The state between two tokens. It borrows nothing from the document, so the document may be a stream.
#[derive(Debug)]
pub(crate) struct Scanner {
    limits: Limits,
    stage: Stage,
    elements: u32,
    open: Vec<OpenElement>,
    /// The names of the open elements, one after the other.
    names: Vec<u8>,
    namespaces: Namespaces,
    /// Attributes of the tag at hand, kept for its allocation.
    attributes: Vec<Attribute>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// Nothing was read yet; the one place for an XML declaration.
    Start,
    BeforeRoot,
    InRoot,
    AfterRoot,
}

#[derive(Debug)]
struct OpenElement {
    name_start: usize,
    namespaces_mark: usize,
}

/// Where an attribute's prefix and local name lie in the tag.
#[derive(Debug)]
struct Attribute {
    name: Range<usize>,
    colon: Option<usize>,
}

impl Scanner {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            stage: Stage::Start,
            elements: 0,
            open: Vec::with_capacity(16),
            names: Vec::with_capacity(256),
            namespaces: Namespaces::default(),
            attributes: Vec::with_capacity(16),
        }
    }

    /// Checks one token. Its characters were checked before.
    pub(crate) fn accept(&mut self, token: &Token<'_>) -> Result<(), GateError> {
        match token {
            Token::Empty(tag) => {
                self.open(tag)?;
                self.close_last();
                Ok(())
            }
            Token::Start(tag) => self.open(tag),
            Token::End(tag) => self.close(tag),
            Token::Text(text) => self.text(text),
            Token::CData(_) if self.stage != Stage::InRoot => Err(GateError::OutsideRoot),
            Token::CData(_) => Ok(()),
            Token::Comment(_) => {
                self.not_at_start();
                Ok(())
            }
            Token::Declaration(inside) => self.declaration(inside),
        }
    }

    /// The document is over.
    pub(crate) fn finish(&self) -> Result<(), GateError> {
        if self.stage == Stage::AfterRoot { Ok(()) } else { Err(GateError::Incomplete) }
    }

    /// How many elements are open.
    pub(crate) const fn depth(&self) -> usize {
        self.open.len()
    }

    /// Counts elements from here on anew, for streams of many entities that are bounded one by one.
    pub(crate) const fn restart_element_count(&mut self) {
        self.elements = 0;
    }

    /// Namespace and local name of the innermost open element.
    pub(crate) fn innermost(&self) -> Result<(&[u8], &[u8]), GateError> {
        let start = self.open.last().map_or(0, |element| element.name_start);
        let (prefix, local) = split_qname(self.names.get(start..).unwrap_or_default())?;
        Ok((self.namespaces.resolve(prefix)?, local))
    }

    /// All namespace declarations in scope as (prefix, name), outermost first.
    pub(crate) fn namespaces_in_scope(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.namespaces.in_scope()
    }

    /// Enters the element of a start tag.
    pub(crate) fn open(&mut self, tag: &[u8]) -> Result<(), GateError> {
        self.count_element()?;
        let (name, _) = split_name(tag);
        let namespaces_mark = self.namespaces.mark();
        let (prefix, _) = split_qname(name)?;
        self.read_attributes(tag)?;
        if prefix == b"xmlns" {
            return Err(GateError::Namespace { reason: "an element with the prefix `xmlns`" });
        }
        self.namespaces.resolve(prefix)?;
        self.check_attribute_names(tag)?;
        self.open.push(OpenElement { name_start: self.names.len(), namespaces_mark });
        self.names.extend_from_slice(name);
        Ok(())
    }

    fn count_element(&mut self) -> Result<(), GateError> {
        if self.stage == Stage::AfterRoot {
            return Err(GateError::OutsideRoot);
        }
        self.stage = Stage::InRoot;
        self.elements = self.elements.saturating_add(1);
        if self.elements > self.limits.max_elements {
            return Err(GateError::TooManyElements { limit: self.limits.max_elements });
        }
        if self.open.len() >= self.limits.max_depth as usize {
            return Err(GateError::TooDeep { limit: self.limits.max_depth });
        }
        Ok(())
    }

    /// Declares namespaces and notes the names of the other attributes.
    fn read_attributes(&mut self, tag: &[u8]) -> Result<(), GateError> {
        self.attributes.clear();
        let mark = self.namespaces.mark();
        let mut count = 0;
        for attribute in attributes(tag) {
            let RawAttribute { at, name, value } = attribute?;
            count += 1;
            if count > self.limits.max_attributes {
                return Err(GateError::TooManyAttributes { limit: self.limits.max_attributes });
            }
            let (prefix, local) = split_qname(name)?;
            let declared: &[u8] = match (prefix, local) {
                ([], b"xmlns") => &[],
                (b"xmlns", prefix) => prefix,
                _ => {
                    check_references(value)?;
                    let colon = (!prefix.is_empty()).then_some(at + prefix.len());
                    self.attributes.push(Attribute { name: at..at + name.len(), colon });
                    continue;
                }
            };
            if self.namespaces.in_scope().skip(mark).any(|(prefix, _)| prefix == declared) {
                return Err(GateError::NotWellFormed { reason: "an attribute twice" });
            }
            self.namespaces.declare(declared, value)?;
        }
        Ok(())
    }

    /// Every prefix is declared; no name occurs twice, neither as written nor by namespace
    /// (XML 1.0 §3.1, Namespaces §6.3). The default namespace does not apply to attributes.
    fn check_attribute_names(&self, tag: &[u8]) -> Result<(), GateError> {
        for (index, attribute) in self.attributes.iter().enumerate() {
            let (prefix, local) = attribute.split(tag);
            let namespace =
                if prefix.is_empty() { &[][..] } else { self.namespaces.resolve(prefix)? };
            for earlier in self.attributes.iter().take(index) {
                let (earlier_prefix, earlier_local) = earlier.split(tag);
                if earlier_local != local {
                    continue;
                }
                if earlier_prefix == prefix {
                    return Err(GateError::NotWellFormed { reason: "an attribute twice" });
                }
                let both_have_one = !prefix.is_empty() && !earlier_prefix.is_empty();
                if both_have_one && self.namespaces.resolve(earlier_prefix)? == namespace {
                    return Err(GateError::Namespace { reason: "an attribute twice" });
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, tag: &[u8]) -> Result<(), GateError> {
        let end = tag.iter().rposition(|&b| !is_space(b)).map_or(0, |last| last + 1);
        let name = tag.get(..end).unwrap_or_default();
        let expected = self.open.last().and_then(|e| self.names.get(e.name_start..));
        if expected != Some(name) {
            return Err(match self.stage {
                Stage::InRoot => GateError::NotWellFormed { reason: "tags that do not match" },
                Stage::Start | Stage::BeforeRoot | Stage::AfterRoot => GateError::OutsideRoot,
            });
        }
        self.close_last();
        Ok(())
    }

    /// Leaves the innermost element.
    pub(crate) fn close_last(&mut self) {
        if let Some(element) = self.open.pop() {
            self.names.truncate(element.name_start);
            self.namespaces.leave(element.namespaces_mark);
        }
        if self.open.is_empty() {
            self.stage = Stage::AfterRoot;
        }
    }

    fn text(&mut self, text: &[u8]) -> Result<(), GateError> {
        if self.stage == Stage::InRoot {
            return check_text(text);
        }
        self.not_at_start();
        if text.iter().all(|&b| is_space(b)) { Ok(()) } else { Err(GateError::OutsideRoot) }
    }

    fn not_at_start(&mut self) {
        if self.stage == Stage::Start {
            self.stage = Stage::BeforeRoot;
        }
    }

    /// XML 1.0 §2.8: version, then encoding, then standalone.
    fn declaration(&mut self, inside: &[u8]) -> Result<(), GateError> {
        if self.stage != Stage::Start {
            return Err(GateError::NotWellFormed { reason: "an XML declaration not at the start" });
        }
        self.stage = Stage::BeforeRoot;
        let mut next_place = 0;
        for attribute in attributes(inside) {
            let RawAttribute { name, value, .. } = attribute.map_err(|_| GateError::Declaration)?;
            let place = match name {
                b"version" if value == b"1.0" => 0,
                b"encoding" if value.eq_ignore_ascii_case(b"utf-8") => 1,
                b"encoding" => return Err(GateError::Encoding),
                b"standalone" if matches!(value, b"yes" | b"no") => 2,
                _ => return Err(GateError::Declaration),
            };
            let is_in_order = place >= next_place && (next_place > 0 || place == 0);
            if !is_in_order {
                return Err(GateError::Declaration);
            }
            next_place = place + 1;
        }
        if next_place == 0 { Err(GateError::Declaration) } else { Ok(()) }
    }
}

impl Attribute {
    /// Prefix and local name.
    fn split<'a>(&self, tag: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let local_start = self.colon.map_or(self.name.start, |colon| colon + 1);
        let prefix = self.colon.and_then(|colon| tag.get(self.name.start..colon));
        (prefix.unwrap_or_default(), tag.get(local_start..self.name.end).unwrap_or_default())
    }
}
