"""Downloads from a real server that lies, breaks off, hangs or is not there."""

import contextlib
import gzip
import hashlib
import http.server
import io
import threading
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tinycnn.data import download, load_dataset
from tinycnn.data.catalogue import CATALOGUE, FILE_NAMES, NamedSet, OfficialFile
from tinycnn.data.download import fetch
from tinycnn.data.idx import encode_idx, write_idx
from tinycnn.errors import DownloadError, EnvironmentFault

PAGE = b"<!DOCTYPE html><title>Please log in</title>"
DEAD = "http://127.0.0.1:1"  # a port where no server listens


class Mirrors(http.server.BaseHTTPRequestHandler):
    """``/good/NAME`` serves a file; any other first folder is a way of not doing so."""

    files: dict[str, bytes]
    asked: list[str]

    def do_GET(self):
        assert self.headers["User-Agent"].startswith("tinycnn/")
        self.asked.append(self.path)
        _, manner, name = self.path.split("/")
        content = self.files[name]
        bodies = {"html": PAGE, "gone": b"", "wrong": bytes(len(content))}
        body = bodies.get(manner, content)
        self.send_response(404 if manner == "gone" else 200)
        if manner != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            half = manner in ("cut", "hang")
            self.wfile.write(body[: len(body) // 2] if half else body)
            if manner == "hang":
                time.sleep(5)
            while manner == "endless":
                self.wfile.write(bytes(100_000))

    def log_message(self, *args):
        pass


@pytest.fixture
def content(tmp_path):
    """The four files of a small set, by name."""
    rng, files = np.random.default_rng(8), {}
    for name, shape in zip(FILE_NAMES, ((200, 28, 28), 200, (50, 28, 28), 50), strict=True):
        path = tmp_path / f"{name}.gz"
        write_idx(path, rng.integers(0, 10, shape, dtype=np.uint8))
        files[path.name] = path.read_bytes()
    return files


@pytest.fixture
def server(content):
    """Serves ``content`` in all manners; gives the address and the list of what was asked for."""
    handler = type("Handler", (Mirrors,), {"files": content, "asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.daemon_threads = True
        httpd.block_on_close = False
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}", handler.asked
        httpd.shutdown()
        thread.join()


@pytest.fixture
def named(content, server, tmp_path, monkeypatch):
    """The small set under a name, with an empty cache and no proxy in between."""
    address, _ = server
    files = tuple(
        OfficialFile(name, len(body), hashlib.sha256(body).hexdigest())
        for name, body in content.items()
    )
    small = NamedSet("small", "a small set", tuple("0123456789"), files, (f"{address}/good/",))
    monkeypatch.setitem(CATALOGUE, "small", small)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("TINYCNN_DATA", raising=False)
    return small


def with_mirrors(named, *mirrors):
    return replace(named, mirrors=tuple(f"{mirror}/" for mirror in mirrors))


LIES = {
    "endless": "sent another file",
    "html": "sent another file, perhaps the page of a proxy or a login",
    "cut": "broke off",
    "gone": "answered 404",
    "hang": "stopped answering",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("manner", LIES)
def test_a_mirror_that_fails_is_named_with_the_reason_and_leaves_no_file(
    named, server, monkeypatch, manner
):
    monkeypatch.setattr(download, "TIMEOUT", (1.0, 0.2))
    address, _ = server

    with pytest.raises(DownloadError) as caught:
        fetch(with_mirrors(named, f"{address}/{manner}"))

    url = f"{address}/{manner}/{named.files[0].name}"
    told = f"cannot fetch {named.files[0].name} of small, which is", f"{url} ", "`data_dir`"
    for phrase in (*told, LIES[manner]):
        assert phrase in str(caught.value)
    assert caught.value.exit_code == 3
    assert list(CATALOGUE["small"].folder.iterdir()) == []


def test_the_next_mirror_is_tried_after_any_failure(named, content, server):
    address, asked = server
    useless = [f"{address}/{manner}" for manner in ("wrong", "html", "cut", "gone")]
    fetch(with_mirrors(named, DEAD, *useless, f"{address}/good"))
    assert {path.name: path.read_bytes() for path in named.folder.iterdir()} == content
    assert len(asked) == 4 * 5


def test_of_the_cache_only_a_damaged_file_is_fetched_again(named, content, server):
    _, asked = server
    fetch(named)
    asked.clear()
    load_dataset("small")
    assert asked == []
    victim = named.folder / named.files[2].name
    victim.write_bytes(b"damaged")
    with pytest.raises(DownloadError, match=r"is missing or damaged: .* cannot be reached"):
        fetch(with_mirrors(named, DEAD))
    assert victim.read_bytes() == b"damaged"
    load_dataset("small")
    assert victim.read_bytes() == content[victim.name]
    assert asked == [f"/good/{victim.name}"]


def test_a_cache_that_cannot_be_made_is_told(named, tmp_path, monkeypatch):
    (tmp_path / "blocked").write_bytes(b"a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    with pytest.raises(EnvironmentFault, match=r"cannot hold small: .*`data_dir`"):
        fetch(named)


def test_each_url_is_a_line_on_stderr_and_on_a_terminal_a_bar(named, server, capsys, monkeypatch):
    fetch(named)
    urls = [f"{server[0]}/good/{file.name} ({file.size:,} bytes)" for file in named.files]
    assert capsys.readouterr() == ("", "".join(f"fetching {url}\n" for url in urls))

    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal then
    for path in named.folder.iterdir():
        path.unlink()
    fetch(named)
    out, err = capsys.readouterr()
    assert out == ""
    assert named.files[0].name[:10] in err
    assert "fetching" not in err


def test_an_archive_is_unpacked_and_emnists_images_are_turned(named, content, server, monkeypatch):
    address, asked = server
    small = load_dataset("small")
    arrays, payload = [*small.part("train"), *small.part("test")], io.BytesIO()
    emnist = replace(CATALOGUE["emnist-digits"], mirrors=(f"{address}/good/",))
    with zipfile.ZipFile(payload, "w") as archive:
        for member, array in zip(emnist.members, arrays, strict=True):
            turned = array.swapaxes(1, 2) if array.ndim == 3 else array
            archive.writestr(member, gzip.compress(encode_idx(turned)))
            archive.writestr(member.replace("digits", "letters"), b"not unpacked")
    content["gzip.zip"] = payload.getvalue()
    sha256 = hashlib.sha256(content["gzip.zip"]).hexdigest()
    files = (OfficialFile("gzip.zip", len(content["gzip.zip"]), sha256),)
    monkeypatch.setitem(CATALOGUE, emnist.name, replace(emnist, files=files))
    asked.clear()
    for spoil in ((emnist.folder / emnist.members[0]).unlink, lambda: None):
        dataset = load_dataset("emnist-digits")
        np.testing.assert_array_equal(dataset.train_images, small.train_images)
        np.testing.assert_array_equal(dataset.test_labels, small.test_labels)
        assert len([*(emnist.folder / "gzip").iterdir()]) == 4
        spoil()
    assert asked == ["/good/gzip.zip"]
    assert load_dataset("emnist-digits", emnist.folder).name == "emnist-digits"
