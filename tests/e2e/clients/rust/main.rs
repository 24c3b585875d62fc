// SPDX-License-Identifier: Apache-2.0
//! rustls on AWS-LC as programs carry it: clients of reqwest, and rustls by itself on both ends of a connection.
//!
//!	rustls_clients ask URL http1|http2 1.2|1.3 CONNECTIONS CALLS BYTES [PAUSE]    milliseconds
//!	rustls_clients renew HOST:PORT CA.PEM          new keys between two calls of one connection
//!	rustls_clients serve CERT.PEM KEY.PEM          says its port, answers chat completions
use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn question(tag: &str, bytes: usize, stream: bool) -> String {
    let text = "abcdefgh".repeat(bytes / 8);
    format!(
        r#"{{"model": "gpt-4o", "user": "{tag}", "stream": {stream}, "messages": [{{"role": "user", "content": "[{tag}] {text}"}}]}}"#
    )
}

async fn calls(client: reqwest::Client, url: String, name: usize, count: usize, bytes: usize, pause: u64) -> Result<(), Failure> {
    for call in 0..count {
        let body = question(&format!("ask-{}", name * 100 + call), bytes, call % 2 == 1);
        let asked = client.post(&url).header("content-type", "application/json").bearer_auth("x").body(body);
        let answer = asked.send().await?.error_for_status()?.text().await?;
        println!("{name} {call} {}", answer.len());
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
    Ok(())
}

async fn ask(args: &[String]) -> Result<(), Failure> {
    let version = if args[2] == "1.2" { reqwest::tls::Version::TLS_1_2 } else { reqwest::tls::Version::TLS_1_3 };
    let (connections, count, bytes) = (args[3].parse()?, args[4].parse()?, args[5].parse()?);
    let pause = args.get(6).map_or(Ok(0), |text| text.parse())?;
    let mut all = Vec::new();
    for name in 0..connections {
        let mut client = reqwest::Client::builder().min_tls_version(version).max_tls_version(version);
        if args[1] == "http1" {
            client = client.http1_only();
        }
        all.push(tokio::spawn(calls(client.build()?, args[0].clone(), name, count, bytes, pause)));
    }
    for one in all {
        one.await??;
    }
    Ok(())
}

/// One message of HTTP/1.1, whose body has a length or is chunked.
fn message(from: &mut impl BufRead) -> Result<String, Failure> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Err("the end".into());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if lower.starts_with("transfer-encoding:") {
            return Err("chunked".into());
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    std::io::Read::read_exact(from, &mut body)?;
    Ok(head + &String::from_utf8_lossy(&body))
}

fn renew(address: &str, ca: &str) -> Result<(), Failure> {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_file_iter(ca)? {
        roots.add(cert?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let tls = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let mut stream = BufReader::new(StreamOwned::new(tls, TcpStream::connect(address)?));
    for call in 0..3 {
        let body = question(&format!("renew-{call}"), 100, false);
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all((head + &body).as_bytes())?;
        println!("{call} {}", message(&mut stream)?.len());
        stream.get_mut().conn.refresh_traffic_keys()?;
    }
    Ok(())
}

fn answer(config: Arc<ServerConfig>, socket: TcpStream) -> Result<(), Failure> {
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config)?, socket));
    loop {
        let asked = message(&mut stream)?;
        let tag = asked.split("\"user\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("none");
        let body = format!(
            r#"{{"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o", "choices": [{{"index": 0, "finish_reason": "stop", "message": {{"role": "assistant", "content": "{}"}}}}], "usage": {{"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}}}"#,
            format!("{tag} ").repeat(3000)
        );
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.get_mut().write_all((head + &body).as_bytes())?;
        stream.get_mut().flush()?;
    }
}

fn serve(cert: &str, key: &str) -> Result<(), Failure> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0")?);
    println!("{{\"tls\": {}}}", listener.local_addr()?.port());
    for socket in listener.incoming() {
        let (config, socket) = (config.clone(), socket?);
        std::thread::spawn(move || answer(config, socket));
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("ask") => ask(&args[1..]).await,
        Some("renew") => renew(&args[1], &args[2]),
        Some("serve") => serve(&args[1], &args[2]),
        _ => Err("ask, renew or serve".into()),
    }
}
