import hashlib
import random
import stat
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aicine_utils.data import download
from aicine_utils.errors import AicineError

CHUNK = download.CHUNK
CONTENT = random.Random(0).randbytes(700_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; ``cuts`` are the numbers of bytes after which the next answers break off."""

    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        body = self.server.files.get(self.path)
        if body is None:
            self.send_error(404)
        elif self.server.busy:
            self.send_error(self.server.busy.pop())
        else:
            self.answer(body)

    def answer(self, body):
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if asked and self.server.ranges else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cut = self.server.cuts.pop() if self.server.cuts else None
        self.wfile.write(body[start:][:cut])
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.asked, server.cuts, server.busy, server.ranges = [], [], [], True
        server.files = {"/set.zip": CONTENT}
        server.url = f"http://127.0.0.1:{server.server_port}/set.zip"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def left(folder):
    """Names in a folder, the lock aside."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_file_is_fetched_whole_and_only_once(server, tmp_path):
    target = tmp_path / "raw" / "set.zip"
    assert download.fetch(server.url, target, MD5) == target
    assert target.read_bytes() == CONTENT
    download.fetch(server.url, target, MD5)
    assert server.asked == [None]
    assert left(target.parent) == ["set.zip"]


def test_a_broken_connection_is_resumed(server, tmp_path):
    server.cuts = [12 * CHUNK, 20 * CHUNK]
    download.fetch(server.url, tmp_path / "set.zip", MD5, pause=0)
    assert (tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={20 * CHUNK}-", f"bytes={32 * CHUNK}-"]


def test_an_interrupted_run_is_resumed_by_the_next(server, tmp_path):
    server.cuts = [6 * CHUNK] * download.RETRIES
    with pytest.raises(AicineError, match=r"set.zip: download from .* failed .* 393,216 bytes are kept"):
        download.fetch(server.url, tmp_path / "set.zip", MD5, pause=0)
    assert left(tmp_path) == ["set.zip.part"]
    download.fetch(server.url, tmp_path / "set.zip", MD5, pause=0)
    assert server.asked[-1] == f"bytes={24 * CHUNK}-"
    assert (tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.ranges = False
    (tmp_path / "set.zip.part").write_bytes(b"something else")
    download.fetch(server.url, tmp_path / "set.zip", MD5, pause=0)
    assert (tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_whole_part_is_not_fetched_again_and_a_longer_one_is_dropped(server, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(CONTENT)
    download.fetch(server.url, tmp_path / "set.zip", MD5, pause=0)
    assert server.asked == ["bytes=700000-"]
    (tmp_path / "b.zip.part").write_bytes(CONTENT + b"more")
    download.fetch(server.url, tmp_path / "b.zip", MD5, pause=0)
    assert (tmp_path / "b.zip").read_bytes() == CONTENT


def test_a_corrupted_download_is_refused_and_removed(server, tmp_path):
    server.files["/set.zip"] = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with pytest.raises(AicineError, match=f"not the published {MD5}; the file was removed"):
        download.fetch(server.url, tmp_path / "set.zip", MD5)
    assert left(tmp_path) == []


def test_a_file_that_lies_there_with_another_checksum_is_refused_but_kept(server, tmp_path):
    (tmp_path / "set.zip").write_bytes(b"mine")
    with pytest.raises(AicineError, match="a checksum other than the published"):
        download.fetch(server.url, tmp_path / "set.zip", MD5)
    assert left(tmp_path) == ["set.zip"]


def test_a_busy_server_is_asked_again_a_missing_file_is_not(server, tmp_path):
    server.busy = [503, 500]
    download.fetch(server.url, tmp_path / "set.zip", MD5, pause=0)
    assert len(server.asked) == 3
    with pytest.raises(AicineError, match="Check the network"):
        download.fetch(f"{server.url}x", tmp_path / "x.zip", None, pause=0)
    assert len(server.asked) == 4


def test_no_server_is_an_error_with_a_remedy(server, tmp_path):
    with pytest.raises(AicineError, match=r"unpack a copy of your own to .*/set\."):
        download.fetch("http://127.0.0.1:9/set.zip", tmp_path / "set.zip", MD5, pause=0)


def test_two_downloads_at_once_share_one_transfer(server, tmp_path):
    def fetch():
        download.fetch(server.url, tmp_path / "set.zip", MD5)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == [None]


def test_progress_is_shown_only_when_it_takes_long(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    download.fetch(server.url, tmp_path / "a.zip", MD5)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(download, "PATIENCE", -1)
    download.fetch(server.url, tmp_path / "b.zip", MD5)
    assert "b.zip" in capsys.readouterr().err


@pytest.mark.parametrize("text", [f"MD5 (set.zip) = {MD5}\n", f"{MD5.upper()}  set.zip\n"])
def test_published_checksum(server, text):
    server.files["/set.zip.md5"] = text.encode()
    assert download.published_md5(server.url) == MD5


def test_published_checksum_that_is_none(server):
    server.files["/set.zip.md5"] = b"<html>not here</html>"
    with pytest.raises(AicineError, match="holds no MD5"):
        download.published_md5(server.url)


def test_checksums_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert download.md5_of(tmp_path / "a") == "900150983cd24fb0d6963f7d28e17f72"
    assert download.sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def pack(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return path


def test_a_zip_is_unpacked_into_a_new_or_empty_folder(tmp_path):
    archive = pack(tmp_path / "set.zip", [("set/a.txt", "a"), ("set/b/c.txt", "c")])
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new" / "set", tmp_path / "empty"):
        download.unpack(archive, folder)
        assert (folder / "set" / "b" / "c.txt").read_text() == "c"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


BAD = {
    "absolute": ("/etc/passwd", "x"),
    "drive": ("C:/x", "x"),
    "upwards": ("a/../../x", "x"),
    "backwards": ("..\\x", "x"),
    "link": (link("a"), "/etc/passwd"),
    "bomb": ("zeros", b"\0" * 50_000_000),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_dangerous_zip_is_refused_whole(tmp_path, kind):
    archive = pack(tmp_path / "set.zip", [("good.txt", "x"), BAD[kind]])
    with pytest.raises(AicineError, match=r"set.zip: .*Use another copy"):
        download.unpack(archive, tmp_path / "out" / "set")
    assert list((tmp_path / "out").iterdir()) == []


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MAX_FILES", 1)
    with pytest.raises(AicineError, match="in 2 files"):
        download.unpack(pack(tmp_path / "set.zip", [("a", "x"), ("b", "x")]), tmp_path / "set")


@pytest.mark.parametrize("damage", ["not a zip", "truncated", "flipped"])
def test_a_damaged_zip_leaves_nothing(tmp_path, damage):
    archive = pack(tmp_path / "set.zip", [("a", CONTENT[:50_000])])
    whole = archive.read_bytes()
    flipped = whole[:9000] + bytes([whole[9000] ^ 255]) + whole[9001:]
    archive.write_bytes({"not a zip": b"<html>", "truncated": whole[:20_000], "flipped": flipped}[damage])
    with pytest.raises(AicineError, match="not a sound zip file"):
        download.unpack(archive, tmp_path / "out" / "set")
    assert list((tmp_path / "out").iterdir()) == []
