"""A small server that answers as OpenML's does, and fails when told to."""

import hashlib
import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

XMLNS = 'xmlns:oml="http://openml.org/openml"'
LISTING = re.compile(
    r"/api/v1/xml/data/list/data_name/(.+?)/number_instances/(\d+)/number_features/(\d+)/.*"
)


def only_this_machine(monkeypatch):
    """Make connections to any other machine fail; the list returned remembers them."""
    refused = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded(self, address):
        if address[0] != "127.0.0.1":
            refused.append(address)
            raise OSError("no network in tests")
        return connect(self, address)

    def resolved(host, *args, **kwargs):
        if host != "127.0.0.1":
            refused.append(host)
            raise OSError("no network in tests")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return refused


def without_waiting(monkeypatch):
    """Make every sleep end at once; the list returned remembers their seconds."""
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@dataclass
class Published:
    """A dataset on the server. `private=True` keeps back all but its row in the list."""

    did: int
    name: str
    arff: str
    size: tuple[int, int]
    target: str = ""
    md5: str | None = None
    private: bool = False


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path matches.

    `kind` is "404" or "503", "page" (a proxy answers) or "altered" (another value in the data).
    """

    path: str
    kind: str
    times: float = 1


@dataclass
class Server:
    address: str = ""
    datasets: list[Published] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def api(self):
        return f"http://{self.address}/api/v1/xml"

    def fault(self, path):
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.path, path):
                fault.times -= 1
                return fault.kind
        return None

    def answer(self, path):
        """Status and body, as OpenML gives them."""
        path = path.split("?")[0]
        if listing := LISTING.fullmatch(path):
            return self.listing(listing[1], (int(listing[2]), int(listing[3])))
        asked = re.fullmatch(r"/api/v1/xml/data/(\d+)|/data/(\d+)\.arff", path)
        if not asked:
            return 404, b"<html><p>404, unknown path"
        did = int(asked[1] or asked[2])
        found = [dataset for dataset in self.datasets if dataset.did == did]
        if not found:
            return error(111, "Unknown dataset")
        if found[0].private:
            return error(112, "No access granted")
        return 200, (self.description(found[0]) if asked[1] else found[0].arff).encode()

    def listing(self, name, size):
        rows = [
            row(dataset)
            for dataset in self.datasets
            if dataset.name.casefold() == name.casefold() and dataset.size == size
        ]
        if not rows:
            return error(372, "No results")
        return 200, f"<oml:data {XMLNS}>{''.join(rows)}</oml:data>".encode()

    def description(self, dataset):
        md5 = dataset.md5
        if md5 is None:
            md5 = hashlib.md5(dataset.arff.encode()).hexdigest()
        fields = {
            "id": dataset.did,
            "name": dataset.name,
            "version": 1,
            "format": "ARFF",
            "url": f"http://{self.address}/data/{dataset.did}.arff",
            "parquet_url": f"http://{self.address}/datasets/{dataset.did}.pq",
            "md5_checksum": md5,
        }
        if dataset.target:
            fields["default_target_attribute"] = dataset.target
        tags = "".join(f"<oml:{key}>{value}</oml:{key}>" for key, value in fields.items())
        return f"<oml:data_set_description {XMLNS}>{tags}</oml:data_set_description>"


def row(dataset):
    sizes = zip(("NumberOfInstances", "NumberOfFeatures"), dataset.size, strict=True)
    qualities = "".join(f'<oml:quality name="{key}">{n}.0</oml:quality>' for key, n in sizes)
    return (
        f"<oml:dataset><oml:did>{dataset.did}</oml:did><oml:name>{dataset.name}</oml:name>"
        f"<oml:version>1</oml:version><oml:status>active</oml:status>"
        f"<oml:format>ARFF</oml:format>{qualities}</oml:dataset>"
    )


def error(code, message):
    text = f"<oml:code>{code}</oml:code><oml:message>{message}</oml:message>"
    return 412, f"<oml:error {XMLNS}>{text}</oml:error>".encode()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server.openml
        server.requests.append(self.path)
        kind = server.fault(self.path)
        if kind in ("404", "503"):
            status, body = int(kind), f"<html><p>{kind}, sorry".encode()
        elif kind == "page":
            status, body = 200, b"<html><body>Welcome to this hotel</body></html>"
        else:
            status, body = server.answer(self.path)
            if kind == "altered":
                body = re.sub(rb"\d(\D*)$", rb"x\1", body)
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def running():
    """A `Server` on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.openml = Server("{}:{}".format(*http.server_address))
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield http.openml
        finally:
            http.shutdown()
            thread.join()
