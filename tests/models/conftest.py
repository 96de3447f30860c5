"""A Hugging Face Hub of our own: a local server with as much of its protocol as is needed."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from huggingface_hub import constants

from avloc.models.two_stream import NetworkConfig, TwoStream
from avloc.models.weights import Header, save_weights

COMMIT = "a" * 40


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.answer(True)

    def do_HEAD(self):
        self.answer(False)

    def answer(self, body):
        hub = self.server.hub
        hub.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if hub.status:
            return self.reply(hub.status, b"{}", {"X-Error-Code": hub.code}, body)
        if found := re.match(r"/api/models/([^/]+/[^/?]+)(?:/revision/([^?]+))?", self.path):
            return self.listing(*found.groups(), body)
        if found := re.match(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path):
            return self.file(*found.groups(), body)
        return self.reply(404, b"{}", {}, body)

    def do_POST(self):
        """The steps of an upload, see the hub's documentation of its API and Git LFS's."""
        hub = self.server.hub
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hub.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if hub.status:
            return self.reply(hub.status, b'{"error": "no"}', {"X-Error-Code": hub.code}, True)
        if self.path == "/api/repos/create":
            hub.created = json.loads(sent)
            repo = f"{hub.created['organization']}/{hub.created['name']}"
            hub.repos.setdefault(repo, {})
            return self.say({"url": f"{hub.address}/{repo}"})
        if self.path == "/api/validate-yaml":
            return self.say({"errors": [], "warnings": []})
        repo = "/".join(self.path.removeprefix("/api/models").split("/")[1:3])
        if "/preupload/" in self.path:
            files = json.loads(sent)["files"]
            large = {one["path"]: one["path"].endswith(".safetensors") for one in files}
            modes = [
                {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
                for path, lfs in large.items()
            ]
            return self.say({"files": modes})
        if self.path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**one, "actions": {"upload": {"href": f"{hub.address}/put/{one['oid']}"}}}
                for one in json.loads(sent)["objects"]
            ]
            return self.say({"transfer": "basic", "objects": objects})
        if "/commit/" in self.path:
            for line in map(json.loads, sent.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    hub.repos[repo][value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    hub.repos[repo][value["path"]] = hub.large[value["oid"]]
            url = f"{hub.address}/{repo}/commit/{COMMIT}"
            return self.say({"success": True, "commitOid": COMMIT, "commitUrl": url})
        return self.reply(404, b"{}", {}, True)

    def do_PUT(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.hub.large[self.path.rpartition("/")[2]] = sent
        self.reply(200, b"", {}, True)

    def say(self, value):
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"}, True)

    def listing(self, repo, revision, body):
        hub = self.server.hub
        if repo not in hub.repos:
            return self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        if revision not in (None, "main", "v1", "refs%2Fpr%2F1", COMMIT):
            return self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
        siblings = []
        for name, data in hub.repos[repo].items():
            one = {"rfilename": name, "size": len(data)}
            one["blobId"] = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            if name.endswith((".safetensors", ".pth")):
                sha = hub.told.get(name) or hashlib.sha256(data).hexdigest()
                one["lfs"] = {"size": len(data), "sha256": sha, "pointerSize": 130}
            siblings.append(one)
        told = {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings}
        self.reply(200, json.dumps(told).encode(), {"Content-Type": "application/json"}, body)

    def file(self, repo, revision, name, body):
        hub = self.server.hub
        data = hub.repos[repo][name]
        start = 0
        if (ranged := self.headers.get("Range")) and body:
            start = int(re.match(r"bytes=(\d+)-", ranged)[1])
        etag = hub.told.get(name) or hashlib.sha256(data).hexdigest()
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"', "X-Linked-Etag": f'"{etag}"'}
        headers["X-Linked-Size"] = str(len(data))
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.reply(206 if start else 200, data[start:], headers, body, hub.cut if body else None)

    def reply(self, status, data, headers, body, cut=None):
        self.send_response(status)
        for key, value in headers.items():
            if value:
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data[:cut])
            if cut is not None:
                self.close_connection = True


class Hub:
    """What the server has and what it does.

    Attributes:
        repos: "owner/name" -> file name -> bytes.
        asked: (verb, path, authorization) of every request.
        status, code: the answer to everything, if not 0.
        told: a file's name -> another checksum than its own.
        cut: after so many bytes of a file the connection ends.
        created: what the last new repository was asked for with.
        large: files that were uploaded by their checksum.
    """

    def __init__(self, address):
        self.address = address
        self.repos, self.asked, self.told = {}, [], {}
        self.status, self.code, self.cut = 0, "", None
        self.created, self.large = {}, {}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that avloc finds, and an empty AVLOC_HOME."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    server.hub = Hub(address)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    # huggingface_hub reads HF_ENDPOINT once, when it is imported, which other tests did.
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("AVLOC_HOME", str(tmp_path / "home"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    yield server.hub
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A file with weights of avloc's own kind."""
    torch.manual_seed(0)
    config = NetworkConfig(embedding=8, hidden=4, lateral=4, tag_hidden=4, tags=2)
    numbers = {"weights": [1.0, -2.0, 0.5], "bias": 0.25}
    header = Header("tiny-1", config, {"default": numbers, "high": numbers}, ["a", "b"])
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    save_weights(path, TwoStream(config), header)
    return path
