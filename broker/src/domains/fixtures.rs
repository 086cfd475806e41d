//! A name server on loopback that says what a test wants.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Answers as long as it lives.
#[derive(Debug)]
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    says: Arc<Mutex<HashMap<String, Says>>>,
    serving: JoinHandle<()>,
}

/// What it says about a name; it knows no other names.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// These TXT records.
    Texts(Vec<String>),
    /// This response code alone (RFC 1035 §4.1.1): 2 fails, 3 there is no such name, 5 refuses.
    Code(u8),
}

impl Dns {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let says = Arc::new(Mutex::new(HashMap::new()));
        let serving = tokio::spawn(serve(socket, Arc::clone(&says)));
        Self { address, says, serving }
    }

    pub(crate) fn set(&self, name: &str, says: Says) {
        self.says.lock().unwrap().insert(name.to_owned(), says);
    }

    /// One TXT record.
    pub(crate) fn text(&self, name: &str, text: &str) {
        self.set(name, Says::Texts(vec![text.to_owned()]));
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: UdpSocket, says: Arc<Mutex<HashMap<String, Says>>>) {
    let mut buffer = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let query = &buffer[..length];
        let (name, question) = question(query);
        let said = says.lock().unwrap().get(&name).cloned().unwrap_or(Says::Code(3));
        let _ = socket.send_to(&answer(query, question, &said), from).await;
    }
}

/// The name that is asked about, and the question as it was sent (RFC 1035 §4.1.2).
fn question(query: &[u8]) -> (String, &[u8]) {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_ascii_lowercase());
        at = end;
    }
    (labels.join("."), &query[12..at + 5])
}

/// RFC 1035 §4.1: header, question, and a TXT record for each text.
fn answer(query: &[u8], question: &[u8], says: &Says) -> Vec<u8> {
    let (code, texts) = match says {
        Says::Texts(texts) => (0, texts.as_slice()),
        Says::Code(code) => (*code, [].as_slice()),
    };
    let count = u8::try_from(texts.len()).unwrap();
    let mut out = vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
    out.extend(question);
    for text in texts {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(255).collect();
        let length = u16::try_from(text.len() + pieces.len()).unwrap();
        out.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0]);
        out.extend(length.to_be_bytes());
        for piece in pieces {
            out.push(u8::try_from(piece.len()).unwrap());
            out.extend(piece);
        }
    }
    out
}
