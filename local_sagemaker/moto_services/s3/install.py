"""Our S3 put in the place of moto's: its bytes lie in files, and it tells what each request has touched.

moto makes its buckets, objects and uploads by the names in its module; `install` puts ours there.
"""

from typing import Any

from moto.core.common_models import BaseModel
from moto.moto_server import utilities, werkzeug_app
from moto.s3 import models as moto_s3
from moto.s3 import responses as moto_responses
from moto.s3.models import s3_backends

from local_sagemaker.moto_services.patches import put
from local_sagemaker.moto_services.s3 import listings
from local_sagemaker.moto_services.s3.backend import Backend, Bucket
from local_sagemaker.moto_services.s3.blobs import BlobFolder
from local_sagemaker.moto_services.s3.checksums import compute_checksum
from local_sagemaker.moto_services.s3.stored import StoredKey, Upload, restored
from local_sagemaker.moto_services.s3.view import Store
from local_sagemaker.state.database import Database

BODY = "local_sagemaker.body"  # in the WSGI environment: the Blob that holds the body of the request


class AnyCharacter(utilities.RegexConverter):
    """A part of a path in which moto's `.` stands for any character, a line break too."""

    def __init__(self, url_map: Any, *items: Any) -> None:
        super().__init__(url_map, *items)
        self.regex = f"(?s:{self.regex})"


def install(folder: BlobFolder, database: Database) -> Store:
    """Make moto use these classes; to be called before it has made anything."""
    StoredKey.store = Store(folder, database, restored)
    for name, stored in (
        ("FakeKey", StoredKey),
        ("FakeMultipart", Upload),
        ("FakeBucket", Bucket),
        ("compute_checksum", compute_checksum),
    ):
        put(moto_s3, name, stored)
    put(moto_responses, "compute_checksum", compute_checksum)
    put(s3_backends, "backend", Backend, "moto.s3.models.s3_backends")
    listings.install(database.reader)
    _take_bodies_from_files()
    put(werkzeug_app, "RegexConverter", AnyCharacter)
    # moto remembers every object that was ever made, for a page that shows them: memory that only grows.
    put(BaseModel, "__new__", staticmethod(lambda cls, *_arguments, **_options: object.__new__(cls)))
    return StoredKey.store


def _take_bodies_from_files() -> None:
    original = moto_responses.S3Response.setup_class

    def setup_class(self: Any, request: Any, *arguments: Any, **options: Any) -> None:
        original(self, request, *arguments, **options)
        self.body = request.environ.get(BODY, self.body)

    put(moto_responses.S3Response, "setup_class", setup_class)
