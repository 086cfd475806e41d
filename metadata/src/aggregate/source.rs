//! Cuts a stream into tokens, with no more than one of them in memory.

use std::io::{BufRead, ErrorKind};

use super::MAX_DOCUMENT_BYTES;
use crate::MetadataRefusal;
use crate::gate::{BYTE_ORDER_MARK, GateError, Limits, Step, Token, check_characters, next_token};

pub(super) struct Source<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the part of the buffer begins that is not consumed.
    start: usize,
    total: u64,
    is_begun: bool,
    is_ended: bool,
}

impl<R: BufRead> Source<R> {
    pub(super) const fn new(input: R) -> Self {
        let buffer = Vec::new();
        Self { input, buffer, start: 0, total: 0, is_begun: false, is_ended: false }
    }

    /// The next token, and the same with its delimiters; `None` at the end of the document.
    pub(super) fn token(&mut self) -> Result<Option<(Token<'_>, &str)>, MetadataRefusal> {
        self.skip_byte_order_mark()?;
        // A first look for the length alone: the borrow checker does not let a loop return its loan.
        let length = loop {
            let rest = self.rest();
            match next_token(rest, self.is_ended)? {
                Step::Token(_, after) => break rest.len() - after.len(),
                Step::More if !self.is_ended => self.fill()?,
                Step::More if rest.is_empty() => return Ok(None),
                Step::More => return Err(GateError::Incomplete.into()),
            }
        };
        let raw = self.rest().get(..length).unwrap_or_default();
        let text = check_characters(raw)?;
        match next_token(raw, true)? {
            Step::Token(token, _) => Ok(Some((token, text))),
            Step::More => Err(GateError::Incomplete.into()),
        }
    }

    /// Goes on behind a token.
    pub(super) fn consume(&mut self, length: usize) {
        self.start += length;
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), MetadataRefusal> {
        if self.is_begun {
            return Ok(());
        }
        while self.rest().len() < BYTE_ORDER_MARK.len() && !self.is_ended {
            self.fill()?;
        }
        if self.rest().starts_with(BYTE_ORDER_MARK) {
            self.consume(BYTE_ORDER_MARK.len());
        }
        self.is_begun = true;
        Ok(())
    }

    fn fill(&mut self) -> Result<(), MetadataRefusal> {
        let limit = Limits::METADATA.max_bytes;
        if self.rest().len() > limit {
            return Err(MetadataRefusal::EntityTooLarge { limit });
        }
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        let chunk = match self.input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(MetadataRefusal::Unreadable(error.kind())),
        };
        // A slice as input is one chunk of any size; take no more of it than needed.
        let length = chunk.len().min(CHUNK);
        self.buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
        self.input.consume(length);
        self.is_ended = length == 0;
        self.total += length as u64;
        if self.total > MAX_DOCUMENT_BYTES {
            return Err(MetadataRefusal::DocumentTooLarge { limit: MAX_DOCUMENT_BYTES });
        }
        Ok(())
    }
}

const CHUNK: usize = 64 * 1024;
