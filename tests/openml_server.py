"""A small server that answers as OpenML's does, and fails when told to."""

import hashlib
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

XMLNS = 'xmlns:oml="http://openml.org/openml"'


@dataclass
class Published:
    """A dataset on the server.

    `listed=False` leaves its sizes out of the list, `private=True` keeps all else back.
    """

    did: int
    name: str
    arff: str
    size: tuple[int, int]
    version: int = 1
    target: str = ""
    md5: str | None = None
    parquet: bytes | None = None
    listed: bool = True
    private: bool = False


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path matches."""

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
        if listing := re.fullmatch(r"/api/v1/xml/data/list/data_name/([^/]+)/.*", path):
            return self.listing(listing[1])
        asked = re.fullmatch(r"(/.*/)(\d+)(.*)", path)
        kind = asked and {
            ("/api/v1/xml/data/", ""): self.description,
            ("/api/v1/xml/data/features/", ""): features,
            ("/data/", ".arff"): lambda dataset: dataset.arff,
            ("/datasets/", ".pq"): lambda dataset: dataset.parquet,
        }.get((asked[1], asked[3]))
        if not kind:
            return 404, b"<html><p>404, unknown path"
        found = [dataset for dataset in self.datasets if dataset.did == int(asked[2])]
        if not found:
            return error(111, "Unknown dataset")
        if found[0].private:
            return error(112, "No access granted")
        body = kind(found[0])
        if body is None:
            return 404, b""
        return 200, body if isinstance(body, bytes) else body.encode()

    def listing(self, name):
        rows = [row(dataset) for dataset in self.datasets if same(dataset.name, name)]
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
            "version": dataset.version,
            "format": "ARFF",
            "url": f"http://{self.address}/data/{dataset.did}.arff",
            "md5_checksum": md5,
        }
        if dataset.target:
            fields["default_target_attribute"] = dataset.target
        if dataset.parquet:
            fields["parquet_url"] = f"http://{self.address}/datasets/{dataset.did}.pq"
        tags = "".join(f"<oml:{key}>{value}</oml:{key}>" for key, value in fields.items())
        return f"<oml:data_set_description {XMLNS}>{tags}</oml:data_set_description>"


def same(name, other):
    return name.casefold() == other.casefold()


def features(dataset):
    columns = re.findall(r"(?im)^@attribute (\S+) (.+)$", dataset.arff)
    tags = "".join(feature(dataset, index, *column) for index, column in enumerate(columns))
    return f"<oml:data_features {XMLNS}>{tags}</oml:data_features>"


def feature(dataset, index, name, kind):
    fields = {
        "index": index,
        "name": name,
        "data_type": "nominal" if kind.startswith("{") else kind.lower(),
        "is_target": str(name in dataset.target.split(",")).lower(),
        "is_ignore": "false",
        "is_row_identifier": "false",
        "number_of_missing_values": 0,
    }
    tags = [f"<oml:{key}>{value}</oml:{key}>" for key, value in fields.items()]
    values = kind.strip("{}").split(",") if kind.startswith("{") else []
    tags[3:3] = [f"<oml:nominal_value>{value}</oml:nominal_value>" for value in values]
    return f"<oml:feature>{''.join(tags)}</oml:feature>"


def row(dataset):
    sizes = zip(("NumberOfInstances", "NumberOfFeatures"), dataset.size, strict=True)
    qualities = "".join(f'<oml:quality name="{key}">{n}.0</oml:quality>' for key, n in sizes)
    return (
        f"<oml:dataset><oml:did>{dataset.did}</oml:did><oml:name>{dataset.name}</oml:name>"
        f"<oml:version>{dataset.version}</oml:version><oml:status>active</oml:status>"
        f"<oml:format>ARFF</oml:format>{qualities if dataset.listed else ''}</oml:dataset>"
    )


def error(code, message):
    text = f"<oml:code>{code}</oml:code><oml:message>{message}</oml:message>"
    return 412, f"<oml:error {XMLNS}>{text}</oml:error>".encode()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server.openml
        if self.command == "GET":
            server.requests.append(self.path)
        kind = server.fault(self.path)
        if kind in ("404", "503"):
            return self.send(int(kind), f"<html><p>{kind}, sorry".encode())
        status, body = server.answer(self.path)
        if kind == "page":
            body = b"<html><body>Welcome to this hotel</body></html>"
        elif kind == "short":
            body = body[: len(body) // 2]
        elif kind == "altered":
            body = re.sub(rb"\d(\D*)$", rb"x\1", body)
        return self.send(status, body, cut=kind == "cut")

    do_HEAD = do_GET

    def send(self, status, body, cut=False):
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if cut else body)

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
