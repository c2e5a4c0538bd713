"""S3: the buckets, what lies at a prefix, one object."""

from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempt
from studio.previews.objects import list_folder, split_uri
from studio.previews.preview import preview


def objects_page(account: Account, uri: str | None, token: str | None) -> dict[str, Any]:
    """The buckets, or one page of a folder, or the preview of an object: what does not end in / may be either."""
    if not uri:
        return {"uri": None, "buckets": attempt(lambda: account.client("s3").list_buckets().get("Buckets", []))}
    bucket, key = split_uri(uri)
    if not key or key.endswith("/"):
        return _folder(account, uri if key else f"s3://{bucket}/", token)
    shown = attempt(lambda: preview(account, uri))
    if shown.ok:
        return {"uri": uri, "crumbs": crumbs(uri), "preview": shown}
    listed = _folder(account, f"{uri}/", token)
    empty = listed["folder"].ok and not listed["folders"] and not listed["files"]
    return {"uri": uri, "crumbs": crumbs(uri), "preview": shown} if empty else listed


def crumbs(uri: str) -> list[tuple[str, str]]:
    """The folders on the way to a location, as name and URI."""
    bucket, key = split_uri(uri)
    found = [(bucket, f"s3://{bucket}/")]
    parts = [part for part in key.split("/") if part]
    for index, part in enumerate(parts):
        end = "/" if index < len(parts) - 1 or key.endswith("/") else ""
        found.append((part, f"s3://{bucket}/{'/'.join(parts[: index + 1])}{end}"))
    return found


def _folder(account: Account, uri: str, token: str | None) -> dict[str, Any]:
    answer = attempt(lambda: list_folder(account, uri, token))
    found, (bucket, prefix) = answer.value or {}, split_uri(uri)
    base = f"s3://{bucket}/"
    folders = [(entry["Prefix"][len(prefix) :], base + entry["Prefix"]) for entry in found.get("CommonPrefixes", [])]
    files = [
        (entry["Key"][len(prefix) :] or entry["Key"], base + entry["Key"], entry["Size"], entry["LastModified"])
        for entry in found.get("Contents", [])
    ]
    return {"uri": uri, "crumbs": crumbs(uri), "folder": answer, "folders": folders, "files": files,
            "next": found.get("NextContinuationToken")}  # fmt: skip
