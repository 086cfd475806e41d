//! Ports of the demo: stable ones where they are free, so that addresses can be written down, else the next free ones.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};

/// Where the demo looks for its next port.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    next: Option<u16>,
    tries: u16,
}

/// Ports that are tried in all.
const TRIES: u16 = 200;

impl Ports {
    /// From this one upwards, those that are taken left out.
    pub const fn starting_at(first: u16) -> Self {
        Self { next: Some(first), tries: TRIES }
    }

    /// Whatever the system gives: for tests.
    pub const fn any() -> Self {
        Self { next: None, tries: TRIES }
    }

    /// The next candidate; 0 lets the system choose.
    ///
    /// # Errors
    /// There are no more.
    pub fn candidate(&mut self) -> Result<u16, Error> {
        let none = || Error::new(ErrorKind::AddrInUse, "every port that was tried is taken");
        self.tries = self.tries.checked_sub(1).ok_or_else(none)?;
        match self.next {
            None => Ok(0),
            Some(port) => {
                self.next = Some(port.checked_add(1).ok_or_else(none)?);
                Ok(port)
            }
        }
    }

    /// A socket on the next free port of 127.0.0.1.
    ///
    /// # Errors
    /// There is none, or the system refuses for another reason.
    pub fn listener(&mut self) -> Result<TcpListener, Error> {
        loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, self.candidate()?)) {
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_left_out() {
        let taken = Ports::any().listener().unwrap();
        let port = taken.local_addr().unwrap().port();

        let found = Ports::starting_at(port).listener().unwrap();

        assert!(found.local_addr().unwrap().port() > port);
    }

    #[test]
    fn ports_end() {
        let mut ports = Ports::starting_at(u16::MAX);
        assert!(ports.candidate().is_err());
        let mut ports = Ports::any();
        for _ in 0..TRIES {
            ports.candidate().unwrap();
        }
        assert_eq!(ports.candidate().unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}
