"""Large files from the network: resumed, checked, unpacked with care."""

import hashlib
import re
import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aicine_utils.errors import AicineError

RETRIES = 4
PAUSE = 1.0  # seconds before the second try, doubled each time
TIMEOUT = (10, 60)  # seconds to connect, seconds without a byte
CHUNK = 1 << 14  # bytes; what a broken connection loses at most
PATIENCE = 2.0  # seconds without a progress bar
MAX_BYTES = 8 << 30  # unpacked: MovieLens 32M has about 1 GB
MAX_RATIO = 200  # unpacked to packed; text packs about 5 to 1
MAX_FILES = 10_000


def fetch(url: str, target: Path, md5: str | None, pause: float = PAUSE) -> Path:
    """Download ``url`` to ``target``: resumed from ``target.part``, checked against ``md5``, renamed when whole.

    Returns ``target``. Raises AicineError when the network fails for good or the checksum differs; what was
    downloaded is removed then, so that the next try starts afresh.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with _alone(part):
        if target.exists():
            _verify_own(target, md5)
        else:
            _with_retries(url, part, pause)
            _verify(part, md5, url)
            part.replace(target)
    return target


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """One process at a time appends to ``part``; the others wait, then find the file there."""
    try:
        import fcntl
    except ImportError:  # Windows: two downloads at once would fail the checksum and be refused
        yield
        return
    with part.with_name(f".{part.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _with_retries(url: str, part: Path, pause: float) -> None:
    import requests  # here: only needed when something is downloaded

    for attempt in range(RETRIES):
        try:
            return _download(url, part)
        except requests.RequestException as error:
            response = getattr(error, "response", None)
            final = response is not None and 400 <= response.status_code < 500
            if final or attempt == RETRIES - 1:
                raise AicineError(_failed(url, part, error)) from error
            time.sleep(pause * 2**attempt)


def _failed(url: str, part: Path, error: Exception) -> str:
    name = part.name.removesuffix(".part")
    kept = f" {part.stat().st_size:,} bytes are kept and resumed from." if part.exists() else ""
    return (
        f"{name}: download from {url} failed ({type(error).__name__}).{kept} "
        f"Check the network and run again, or unpack a copy of your own to {part.parent / Path(name).stem}."
    )


def _download(url: str, part: Path) -> None:
    """One try: ask for what is missing, append it. A server that knows no ranges starts over."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"} if have else {"Accept-Encoding": "identity"}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:  # nothing is missing, or the file on the server is another one
            if response.headers.get("Content-Range", "").rpartition("/")[2] == str(have):
                return
            part.unlink()
            raise requests.ConnectionError("the file on the server has changed")
        response.raise_for_status()
        have = have if response.status_code == 206 else 0
        total = have + int(response.headers.get("Content-Length", 0))
        with part.open("ab" if have else "wb") as file, _progress(part.name, have, total) as advance:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                advance(len(chunk))
    if total and part.stat().st_size < total:
        raise requests.ConnectionError("the connection ended early")


@contextmanager
def _progress(name: str, done: int, total: int) -> Iterator:
    """On a terminal, a bar with the time left, once the download has taken more than two seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(name.removesuffix(".part"), total=total or None, completed=done)
    begun = time.monotonic()

    def advance(size: int) -> None:
        bar.advance(task, size)
        if console.is_terminal and not bar.live.is_started and time.monotonic() - begun > PATIENCE:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()


def md5_of(path: Path) -> str:
    """MD5 of a file, the checksum that GroupLens publishes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verify(part: Path, md5: str | None, url: str) -> None:
    if md5 is None or md5_of(part) == md5:
        return
    part.unlink()
    name = part.name.removesuffix(".part")
    raise AicineError(
        f"{name}: the checksum of the download from {url} is not the published {md5}; the file was removed. Run again."
    )


def _verify_own(target: Path, md5: str | None) -> None:
    if md5 is not None and md5_of(target) != md5:
        raise AicineError(f"{target.name}: lies there with a checksum other than the published {md5}. Remove it.")


def published_md5(url: str, pause: float = PAUSE) -> str:
    """The checksum in ``url``.md5; AicineError when it can't be had or read."""
    with tempfile.TemporaryDirectory() as folder:
        text = fetch(f"{url}.md5", Path(folder) / "checksum.md5", None, pause).read_text(encoding="utf-8")
    found = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    if not found:
        raise AicineError(f"{url}.md5 holds no MD5 checksum. Run again later, or use a copy of your own.")
    return found[0].lower()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip into the new or empty ``folder``, all of it or nothing.

    Refuses, as AicineError, absolute paths, "..", links, and sizes that only a zip bomb has.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with zipfile.ZipFile(archive) as content:
            _check_sizes(archive, content.infolist())
            for member in content.infolist():
                _check_name(archive, member)
            content.extractall(made)
        made.chmod(0o755)  # mkdtemp makes it private
        made.rename(folder)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise AicineError(
            f"{archive.name}: not a sound zip file ({error}). Remove it and download it again."
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _check_name(archive: Path, member: zipfile.ZipInfo) -> None:
    """``orig_filename`` is the name before zipfile mends it, so nothing slips through unseen."""
    name = member.orig_filename.replace("\\", "/")
    outside = name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/")
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise AicineError(
            f"{archive.name}: {name!r} is a link or leads out of the folder; not unpacked. Use another copy."
        )


def _check_sizes(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """zipfile never writes more than the size that a member declares, so the declared sizes are what counts."""
    size, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if size > MAX_BYTES or len(members) > MAX_FILES or size > MAX_RATIO * max(packed, 1 << 14):
        raise AicineError(
            f"{archive.name}: would unpack to {size:,} bytes in {len(members):,} files from {packed:,}; "
            "this looks like a zip bomb, not unpacked. Use another copy."
        )
