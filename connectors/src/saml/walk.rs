//! A pull reader over canonical bytes: elements by (namespace, local name), text whole or refused.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use super::Rejection;

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The namespaces whose elements mean something inside an assertion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Space {
    Dsig,
    Other,
    Saml,
}

/// The start of an element. Whoever gets one reads on until it is closed.
#[derive(Debug)]
pub(super) struct Element<'x> {
    pub(super) space: Space,
    start: BytesStart<'x>,
}

impl Element<'_> {
    pub(super) fn local(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// Local name where the element is SAML's own, else nothing that a `match` would take.
    pub(super) fn saml_name(&self) -> &str {
        if self.space == Space::Saml { self.local() } else { "" }
    }

    /// An attribute without a prefix; SAML has no others.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<String>, Rejection> {
        let mut attributes = self.start.attributes();
        for attribute in attributes.with_checks(false) {
            let attribute = attribute.map_err(|_| MALFORMED)?;
            if attribute.key.into_inner() == name {
                let value =
                    attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| MALFORMED)?;
                return Ok(Some(value.into_owned()));
            }
        }
        Ok(None)
    }

    pub(super) fn required(&self, name: &str, what: &'static str) -> Result<String, Rejection> {
        self.attribute(name)?.ok_or(Rejection::Malformed { what })
    }
}

const MALFORMED: Rejection = Rejection::Malformed { what: "Assertion: not well-formed" };

/// What stands inside one element.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Content {
    /// Nothing but text; all of it joined.
    Text(String),
    /// Elements, with white space at most between them.
    Elements,
    /// Text beside elements or comments.
    Mixed,
}

pub(super) struct Walk<'x> {
    reader: NsReader<&'x [u8]>,
}

impl<'x> Walk<'x> {
    pub(super) fn new(canonical: &'x [u8]) -> Result<Self, Rejection> {
        let text = std::str::from_utf8(canonical).map_err(|_| MALFORMED)?;
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader })
    }

    /// The one root element.
    pub(super) fn root(&mut self) -> Result<Element<'x>, Rejection> {
        match self.step()? {
            Step::Open(element) => Ok(element),
            Step::Close | Step::End | Step::Note | Step::Text(_) => Err(MALFORMED),
        }
    }

    /// Nothing but the end may follow the root.
    pub(super) fn finish(&mut self) -> Result<(), Rejection> {
        match self.step()? {
            Step::End => Ok(()),
            Step::Close | Step::Note | Step::Open(_) | Step::Text(_) => Err(MALFORMED),
        }
    }

    /// Hands each child of the open element to `each`, which must read it to its end; then closes the element.
    pub(super) fn children(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(&mut Self, Element<'x>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        loop {
            match self.step()? {
                Step::Open(element) => each(self, element)?,
                Step::Close => return Ok(()),
                Step::Note => {}
                Step::Text(text) if text.chars().all(is_xml_space) => {}
                Step::Text(_) => return Err(Rejection::Malformed { what }),
                Step::End => return Err(MALFORMED),
            }
        }
    }

    /// The text of the open element, and closes it. Anything but text is refused (the attack of 2018: a comment
    /// that ends the name early in one parser).
    pub(super) fn text(&mut self, field: &'static str) -> Result<String, Rejection> {
        match self.content()? {
            Content::Text(text) => Ok(text),
            Content::Elements | Content::Mixed => Err(Rejection::MixedContent { field }),
        }
    }

    /// Everything inside the open element, and closes it.
    pub(super) fn content(&mut self) -> Result<Content, Rejection> {
        let (mut text, mut elements, mut notes) = (String::new(), false, false);
        loop {
            match self.step()? {
                Step::Text(more) => text.push_str(&more),
                Step::Open(_) => {
                    elements = true;
                    self.skip()?;
                }
                Step::Note => notes = true,
                Step::Close => break,
                Step::End => return Err(MALFORMED),
            }
        }
        Ok(match (elements, notes) {
            (false, false) => Content::Text(text),
            (true, false) if text.chars().all(is_xml_space) => Content::Elements,
            (true | false, true) | (true, false) => Content::Mixed,
        })
    }

    /// Reads over the rest of the open element.
    pub(super) fn skip(&mut self) -> Result<(), Rejection> {
        let mut depth = 0_u32;
        loop {
            match self.step()? {
                Step::Open(_) => depth += 1,
                Step::Close if depth == 0 => return Ok(()),
                Step::Close => depth -= 1,
                Step::Note | Step::Text(_) => {}
                Step::End => return Err(MALFORMED),
            }
        }
    }

    /// Whether the element says `xsi:nil`.
    pub(super) fn is_nil(&self, element: &Element<'_>) -> bool {
        element.start.attributes().with_checks(false).has_nil(self.reader.resolver())
    }

    fn step(&mut self) -> Result<Step<'x>, Rejection> {
        let (resolved, event) = self.reader.read_resolved_event().map_err(|_| MALFORMED)?;
        Ok(match event {
            Event::Start(start) => Step::Open(Element { space: space(&resolved)?, start }),
            Event::End(_) => Step::Close,
            Event::Text(text) => Step::Text(text.into_inner()),
            Event::CData(text) => Step::Text(text.into_inner()),
            Event::GeneralRef(reference) => Step::Text(resolve(&reference)?.into()),
            Event::Comment(_) => Step::Note,
            Event::Eof => Step::End,
            // empty elements are expanded; the gate has refused the rest
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                return Err(MALFORMED);
            }
        })
    }
}

enum Step<'x> {
    Close,
    End,
    Note,
    Open(Element<'x>),
    Text(std::borrow::Cow<'x, str>),
}

fn space(resolved: &ResolveResult<'_>) -> Result<Space, Rejection> {
    match resolved {
        ResolveResult::Bound(Namespace(SAML)) => Ok(Space::Saml),
        ResolveResult::Bound(Namespace(DSIG)) => Ok(Space::Dsig),
        ResolveResult::Bound(_) | ResolveResult::Unbound => Ok(Space::Other),
        ResolveResult::Unknown(_) => Err(MALFORMED),
    }
}

/// Canonical XML has character references and the predefined entities only.
fn resolve(reference: &BytesRef<'_>) -> Result<String, Rejection> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| MALFORMED)? {
        return Ok(c.to_string());
    }
    resolve_xml_entity(reference).map(str::to_owned).ok_or(MALFORMED)
}

fn is_xml_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
