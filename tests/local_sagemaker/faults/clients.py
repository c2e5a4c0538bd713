"""Clients that write while the server is killed, and keep a journal of what was acknowledged."""

import hashlib
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

BUCKET, GROUP = "faults", "faults"
PAUSE_SECONDS = 0.02  # between two writes of a client: more would only make more to check
KEYS = 4  # that are overwritten again and again


class Journal:
    """What the server has acknowledged, and what was under way when it died and may or may not have happened."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}  # key to the hash of the body
        self.possible: dict[str, set[str]] = {}  # key to the hashes that a kill has left open
        self.packages: dict[str, str] = {}  # ARN to description
        self.uploads: dict[str, list[str]] = {}  # id to the ETags of the parts

    def may_hold(self, key: str) -> set[str]:
        """The hashes that the object of a key may have."""
        known = {self.objects[key]} if key in self.objects else set()
        return known | self.possible.get(key, set())


class Writers:
    """Threads that write until the server is gone."""

    def __init__(self, server: Any, journal: Journal, round_number: int) -> None:
        self._s3 = server.client("s3")
        self._sagemaker = server.client("sagemaker")
        self._journal = journal
        self._round = round_number
        self._over = threading.Event()
        self._faults: list[Exception] = []
        work = (self._overwrite, self._register, self._upload)
        self._threads = [threading.Thread(target=self._until_over, args=(one,), daemon=True) for one in work]

    def start(self) -> None:
        """Begin to write."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait until each has seen the end of its last request; raise what was wrong with one that was answered."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._faults:
            raise self._faults[0]

    def _until_over(self, write: Any) -> None:
        number = 0
        while not self._over.wait(PAUSE_SECONDS):
            try:
                write(number)
            except BotoCoreError:  # the connection broke: the server is dead
                return
            except (ClientError, LookupError) as error:
                self._faults.append(error)
                return
            number += 1

    def _overwrite(self, number: int) -> None:
        key = f"overwritten-{number % KEYS}"
        body = f"{self._round}/{number}".encode() * 200
        digest = hashlib.sha256(body).hexdigest()
        self._journal.possible.setdefault(key, set()).add(digest)
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self._journal.objects[key] = digest
        self._journal.possible[key] = set()

    def _register(self, number: int) -> None:
        text = f"round {self._round}, package {number}"
        answer = self._sagemaker.create_model_package(ModelPackageGroupName=GROUP, ModelPackageDescription=text)
        if "ModelPackageArn" in answer:  # else the kill came between the head and the body of the answer
            self._journal.packages[answer["ModelPackageArn"]] = text

    def _upload(self, number: int) -> None:
        if number % 5 == 0:
            answer = self._s3.create_multipart_upload(Bucket=BUCKET, Key=f"upload-{self._round}")
            if "UploadId" not in answer:  # see above
                raise ConnectionClosedError(endpoint_url="")
            self._current: str = answer["UploadId"]
            self._journal.uploads[self._current] = []
        else:
            sent = self._s3.upload_part(
                Bucket=BUCKET,
                Key=f"upload-{self._round}",
                UploadId=self._current,
                PartNumber=number % 5,
                Body=b"part" * 1000 * number,
            )
            self._journal.uploads[self._current].append(sent["ETag"])
