//! Two services behind a real HAProxy, and the plan of a deploy there.

use super::service::Service;
use crate::haproxy::{Config, Haproxy};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a deploy needs, and a directory for its plan and its runs.
pub struct World {
    /// Blue, then Green.
    pub services: [Service; 2],
    /// The router.
    pub haproxy: Haproxy,
    directory: tempfile::TempDir,
}

impl World {
    /// Starts it, with all users on the first service.
    pub fn start() -> Self {
        let services = [Service::start(), Service::start()];
        let slots = services.each_ref().map(Service::url);
        let config = Config { weights: [100, 0], ..Config::default() };
        let haproxy = Haproxy::start(&config, slots);
        Self { services, haproxy, directory: tempfile::tempdir().unwrap() }
    }

    /// Where the plan and the runs are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Writes the plan: soon at the first step of the ramp, and then in no hurry. `more` is put
    /// behind it.
    pub fn write_plan(&self, more: &str) -> PathBuf {
        let [left, right] = self.services.each_ref().map(Service::url);
        let (socket, front) = (self.haproxy.socket(), &self.haproxy.front);
        let text = format!(
            r#"schema = 1
service = "notes"
[slots]
app_a = "{left}"
app_b = "{right}"
[router]
kind = "haproxy"
address = "{}"
front = "http://{front}"
[identity]
slot = {{ header = "X-Slot" }}
[release]
current = "1.8.2"
next = "1.9.0"
migration = "none"
[traffic]
ramp = [50, 100]
hold = "30m"
[commands]
deploy = ["true"]
redeploy_check = ["true"]
{more}"#,
            socket.display()
        );
        let path = self.directory().join("switchback.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// How long one request takes through the router, in milliseconds, on a connection of its own
    /// or on `kept`.
    pub fn request(&self, kept: &mut Option<TcpStream>) -> f64 {
        let began = Instant::now();
        let stream = kept.get_or_insert_with(|| {
            let stream = TcpStream::connect(&self.haproxy.front).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            stream
        });
        stream.write_all(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n").unwrap();
        let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
        while !answer.ends_with(b"}") {
            let n = stream.read(&mut piece).unwrap();
            assert!(n > 0, "the router answers whole");
            answer.extend_from_slice(&piece[..n]);
        }
        began.elapsed().as_secs_f64() * 1_000.0
    }
}
