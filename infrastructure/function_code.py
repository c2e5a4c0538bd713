"""The code of the functions as Lambda takes it: an archive whose key names its content."""

import hashlib
import io
import zipfile

from infrastructure.template import FOLDER

FUNCTIONS = FOLDER / "functions"
FILES = ("act.py", "collect_window.py")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that an archive can name


def archive() -> bytes:
    """The files of the functions; the same bytes for the same files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in FILES:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, (FUNCTIONS / name).read_bytes())
    return stream.getvalue()


def archive_key(project: str) -> str:
    """Where the archive lies in the bucket."""
    content = b"".join((FUNCTIONS / name).read_bytes() for name in FILES)
    return f"{project}/functions/{hashlib.sha256(content).hexdigest()[:32]}.zip"
