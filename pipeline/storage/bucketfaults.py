"""What a bucket says when something fails, in plain words and without any secret.

The library's own text names addresses, headers and answers at length; of it only the HTTP status
and the store's own short code are shown.

Tested in tests/storage/test_bucketfaults.py.
"""

from __future__ import annotations

import re

from pipeline.errors import HostDown, StoreError
from pipeline.storage.places import RUN_AGAIN_LATER

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_TIMES_OUT = re.compile(r"timed out|operation timeout|deadline has elapsed|TimedOut", re.IGNORECASE)
_DENIED, _UNKNOWN_KEY = frozenset({401, 403}), 400
_NOT_THERE = 404
_OUTAGES = frozenset({408, 409, 425, 429})
_SERVERS_FAULT = 500

_VARIABLES = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for another host, "
    "AWS_ENDPOINT_URL",
    "gs": "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
RIGHTS = {
    "write": {
        "s3": "s3:PutObject",
        "gs": "storage.objects.create",
        "az": "the role Storage Blob Data Contributor",
    },
    "read": {
        "s3": "s3:GetObject",
        "gs": "storage.objects.get",
        "az": "the role Storage Blob Data Reader",
    },
    "list": {
        "s3": "s3:ListBucket",
        "gs": "storage.objects.list",
        "az": "the role Storage Blob Data Reader",
    },
}
"""The right that each act takes, by the scheme of the bucket."""


class BucketDown(HostDown):
    """A bucket does not answer, or not in time: an outage to be waited out."""

    what = "the bucket"


def fault_of(error: Exception, address: str, act: str) -> StoreError | BucketDown:
    """Return what a failure of the library means.

    Args:
        error: The failure.
        address: That of the bucket.
        act: What was tried: write, read or list.

    """
    text = str(error).partition("Debug source:")[0]
    status, code = _found(_STATUS, text), _found(_CODE, text)
    said = " ".join(part for part in (f"HTTP {status}" if status else "", code or "") if part) or (
        "it takes too long to answer" if _TIMES_OUT.search(str(error)) else ""
    )
    number = int(status or 0)
    scheme = address.partition("://")[0]
    name = type(error).__name__
    if name in {"PermissionDeniedError", "UnauthenticatedError"} or number in _DENIED:
        return StoreError(
            f"The bucket {address} refuses to {act}: {said or 'access is denied'}.",
            action=f"Give whoever runs this {RIGHTS[act][scheme]} on it, and check the variables "
            f"{_VARIABLES[scheme]}; then run again: nothing paid for is lost.",
        )
    if number == _NOT_THERE or (code or "").startswith("NoSuch") or name == "NotFoundError":
        return StoreError(
            f"There is no bucket for {address}: {said or 'it is not found'}.",
            action="Make the bucket, or correct output.videos; then run again: nothing paid for "
            "is lost.",
        )
    if 300 <= number < _UNKNOWN_KEY or (  # noqa: PLR2004 - of redirects
        number >= _UNKNOWN_KEY and number < _SERVERS_FAULT and number not in _OUTAGES
    ):
        return StoreError(
            f"The bucket {address} cannot {act}: {said}.",
            action=f"Check the variables {_VARIABLES[scheme]}; then run again: nothing paid for is "
            "lost.",
        )
    return BucketDown(f"The bucket {address} does not answer: {said or _cause(error)}.")


def unreadable(error: Exception, address: str, act: str) -> StoreError:
    """Return what a failure means for whoever cannot wait for the bucket; as `fault_of`.

    Args:
        error: The failure.
        address: That of the bucket.
        act: What was tried.

    """
    fault = fault_of(error, address, act)
    if isinstance(fault, StoreError):
        return fault
    return StoreError(fault.message, action=RUN_AGAIN_LATER)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _cause(error: Exception) -> str:
    text = str(error)
    for word, cause in (
        ("ConnectionRefused", "the connection is refused"),
        ("dns error", "its host is not found"),
        ("certificate", "the certificate of its host is not trusted"),
        ("ConnectionReset", "it breaks the connection"),
        ("IncompleteMessage", "it breaks the connection"),
    ):
        if word in text:
            return cause
    return "the connection fails"
