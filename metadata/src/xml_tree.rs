//! One entity's metadata as a tree: small, bounded by the gate, read once at import.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::gate::GateError;

/// An element with what metadata reading needs of it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    namespace: String,
    local_name: String,
    /// Attributes without a prefix; no attribute that we read has one.
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    /// All text directly inside, joined.
    text: String,
}

impl Element {
    /// Reads a document that passed the gate.
    pub(crate) fn read(checked: &str) -> Result<Self, GateError> {
        let mut reader = NsReader::from_str(checked);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let (namespace, event) = reader.read_resolved_event().map_err(|_| DISAGREEMENT)?;
            let closed = match event {
                Event::Start(tag) => {
                    open.push(Self::from_tag(&namespace, &tag)?);
                    None
                }
                Event::Empty(tag) => Some(Self::from_tag(&namespace, &tag)?),
                Event::End(_) => open.pop(),
                Event::Text(text) => push_text(&mut open, &text.xml10_content()),
                Event::CData(text) => push_text(&mut open, &text.xml10_content()),
                Event::GeneralRef(name) => {
                    let character = name.resolve_char_ref().map_err(|_| DISAGREEMENT)?;
                    match (character, resolve_predefined_entity(&name)) {
                        (Some(character), _) => {
                            push_text(&mut open, character.encode_utf8(&mut [0; 4]))
                        }
                        (None, Some(text)) => push_text(&mut open, text),
                        (None, None) => return Err(DISAGREEMENT),
                    }
                }
                Event::Comment(_) | Event::Decl(_) => None,
                Event::PI(_) | Event::DocType(_) | Event::Eof => return Err(DISAGREEMENT),
            };
            match (closed, open.last_mut()) {
                (Some(element), Some(parent)) => parent.children.push(element),
                (Some(root), None) => return Ok(root),
                (None, _) => {}
            }
        }
    }

    fn from_tag(namespace: &ResolveResult<'_>, tag: &BytesStart<'_>) -> Result<Self, GateError> {
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(name)) => (*name).to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return Err(DISAGREEMENT),
        };
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| DISAGREEMENT)?;
            let name: &str = attribute.key.as_ref();
            if name.contains(':') || name == "xmlns" {
                continue;
            }
            let value =
                attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| DISAGREEMENT)?;
            attributes.push((name.to_owned(), value.into_owned()));
        }
        let local_name = tag.local_name();
        let local_name: &str = local_name.as_ref();
        Ok(Self { namespace, local_name: local_name.to_owned(), attributes, ..Self::default() })
    }

    pub(crate) fn is(&self, namespace: &str, local_name: &str) -> bool {
        self.namespace == namespace && self.local_name == local_name
    }

    /// The value of an attribute without a prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Direct children of one name, in document order.
    pub(crate) fn children<'a>(
        &'a self,
        namespace: &'a str,
        local_name: &'a str,
    ) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(namespace, local_name))
    }

    /// The first direct child of one name.
    pub(crate) fn child(&self, namespace: &str, local_name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, local_name))
    }

    /// The text directly inside, with its white space.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn push_text(open: &mut [Element], text: &str) -> Option<Element> {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
    None
}

/// The reader cannot read what the gate let through.
const DISAGREEMENT: GateError =
    GateError::NotWellFormed { reason: "two readers disagree about it" };
