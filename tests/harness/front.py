# SPDX-License-Identifier: Apache-2.0
"""A real TLS front before the fake providers: nginx, HTTP/1.1 on one port, HTTP/2 on another, plain HTTP behind it. What
the provider encodes passes as it is; where the path says enc=front, the front compresses.

Its TLS carries the very bytes of its clients, whatever TLS library those have. Its log is the truth of what travelled on
that side: version, sizes with heads and framing, content coding; the provider's serial joins it with the provider's truth.
"""

import json
import os
import shutil

from . import paths, proc
from .fake import certs

CONFIG = """
daemon off; master_process off; pid {at}/pid; error_log {at}/error;
events {{ }}
http {{
	log_format truth escape=json '{{"serial": "$upstream_http_x_request_id", "http": "$server_protocol", "request": $request_length,'
		' "response": $bytes_sent, "body": $body_bytes_sent, "coding": "$sent_http_content_encoding", "tls": "$ssl_protocol", "path": "$request_uri"}}';
	access_log {at}/truth truth;
	client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;
	uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
	ssl_certificate {cert}; ssl_certificate_key {key};
	upstream provider {{ server 127.0.0.1:{provider}; keepalive 8; }}
	proxy_buffering off; proxy_http_version 1.1;
	proxy_set_header Connection ""; proxy_set_header Host localhost:$server_port;
	gzip_types *; gzip_min_length 1; gzip_proxied any;
	server {{
		listen 127.0.0.1:{tls} ssl;
		location / {{ proxy_pass http://provider; }}
		location ~ enc=front {{ gzip on; proxy_pass http://provider; }}
	}}
	server {{
		listen 127.0.0.1:{tls2} ssl http2;
		location / {{ proxy_pass http://provider; }}
		location ~ enc=front {{ gzip on; proxy_pass http://provider; }}
		{grpc}
	}}
}}
"""
GRPC = "location /{service} {{ grpc_pass grpc://127.0.0.1:{port}; }}"


def program():
    """The system's, or the one that tests/setup/clients.sh front unpacked."""
    unpacked = os.path.join(paths.BUILD, "nginx", "usr", "sbin", "nginx")
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", "")) or (
        unpacked if os.access(unpacked, os.X_OK) else None
    )


class Front:
    def __init__(self, provider, services=None):
        """@services: {gRPC's service: the port of its server without TLS}"""
        self.directory = proc.scratch("front")
        self.truth_path = os.path.join(self.directory, "truth")
        self.tls_port, self.tls2_port = proc.free_port(), proc.free_port()
        _, cert, key = certs.make(paths.CERTS)
        grpc = "\n".join(GRPC.format(service=s, port=port) for s, port in (services or {}).items())
        config = os.path.join(self.directory, "config")
        with open(config, "w") as f:
            f.write(
                CONFIG.format(
                    at=self.directory,
                    cert=cert,
                    key=key,
                    provider=provider.plain_port,
                    tls=self.tls_port,
                    tls2=self.tls2_port,
                    grpc=grpc,
                )
            )
        log = os.path.join(self.directory, "log")
        self.process = proc.Process([program(), "-c", config, "-e", log], "nginx", log=log)
        self.pid = self.process.pid
        proc.wait_for("nginx listens", self.listens)

    def listens(self):
        if not self.process.running():
            raise RuntimeError(f"nginx did not start\n{self.process.log()}")
        with open("/proc/net/tcp") as f:
            bound = {line.split()[1].rpartition(":")[2] for line in f if line.split()[3] == "0A"}
        return {f"{port:04X}" for port in (self.tls_port, self.tls2_port)} <= bound

    def truth(self, count, timeout=10.0):
        """Its exchanges, as soon as there are that many."""

        def read():
            with open(self.truth_path) as f:
                return [json.loads(line) for line in f.read().split("\n")[:-1]]

        proc.wait_for(f"{count} exchanges in the log of nginx", lambda: len(read()) >= count, timeout)
        return read()

    def forget(self):
        with open(self.truth_path, "w"):
            pass

    def stop(self):
        self.process.stop()
