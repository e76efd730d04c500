"""What a bucket says when something fails, in plain words and without any secret.

The library's own text names addresses, headers and answers at length; of it only the HTTP status
and the store's own short code are shown.

Tested in tests/storage/test_bucketfaults.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.errors import ConfigError, HostDown, StoreError
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
_ALLOW_HTTP = {"s3": "AWS_ALLOW_HTTP", "gs": "GOOGLE_ALLOW_HTTP", "az": "AZURE_ALLOW_HTTP"}
_TRUE = frozenset({"1", "true", "on", "yes", "y"})
_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": (),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_WEB_ADDRESS = re.compile(r"https?://[^/\s]+\S*")
_SET_WRONGLY = (
    ("Received redirect without", "it is in another region"),
    ("169.254.169.254", "no key is set, and this machine has no role"),
    ("metadata.google.internal", "no key is set, and this machine has no role"),
    ("Account must be specified", "no account is set"),
    ("Invalid Access Key", "the key of its account is no such key"),
    ("service account file", "the file with its key cannot be read"),
)
"""What the library says where a variable is missing or wrong, and what that means."""
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
    serves_all = True


def fault_of(
    error: Exception, address: str, act: str, waited_s: float = 0.0
) -> StoreError | BucketDown:
    """Return what a failure of the library means.

    Args:
        error: The failure.
        address: That of the bucket.
        act: What was tried: write, read or list.
        waited_s: How long that took.

    """
    text = str(error).partition("Debug source:")[0]
    status, code = _found(_STATUS, text), _found(_CODE, text)
    said = " ".join(part for part in (f"HTTP {status}" if status else "", code or "") if part)
    if not said and (isinstance(error, TimeoutError) or _TIMES_OUT.search(str(error))):
        waited = f" (it was given {waited_s:,.0f} s)" if waited_s >= 1 else ""
        said = f"it takes too long to answer{waited}"
    number = int(status or 0)
    scheme = address.partition("://")[0]
    if (wrong := next((why for words, why in _SET_WRONGLY if words in text), None)) is not None:
        return StoreError(
            f"The bucket {address} cannot be used: {wrong}.",
            action=f"Check the variables {_VARIABLES[scheme]}; then run again: nothing paid for is "
            "lost.",
        )
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


def unreadable(error: Exception, address: str, act: str, waited_s: float = 0.0) -> StoreError:
    """Return what a failure means for whoever cannot wait for the bucket; as `fault_of`.

    Args:
        error: The failure.
        address: That of the bucket.
        act: What was tried.
        waited_s: How long that took.

    """
    fault = fault_of(error, address, act, waited_s)
    if isinstance(fault, StoreError):
        return fault
    return StoreError(fault.message, action=RUN_AGAIN_LATER)


def allows_http(scheme: str, environment: Mapping[str, str]) -> bool:
    """Return whether a bucket may be reached without encryption.

    Raises ConfigError where another host is named that can never be reached.
    """
    allow = _ALLOW_HTTP[scheme]
    allowed = environment.get(allow, "").strip().lower() in _TRUE
    for name in _ENDPOINTS[scheme]:
        if not (address := environment.get(name, "").strip()):
            continue
        if not _WEB_ADDRESS.fullmatch(address):
            raise ConfigError(
                f"The environment variable {name} is no web address.",
                action="Write for example https://s3.example.com into it, or unset it.",
            )
        if address.startswith("http://") and not allowed:
            raise ConfigError(
                f"The environment variable {name} names a host without encryption.",
                action=f"Write https:// there, or set {allow}=true if it has none.",
            )
    return allowed


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
