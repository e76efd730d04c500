"""What a bucket's answers mean, and that no secret comes with them."""

from __future__ import annotations

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError, UnauthenticatedError

from pipeline.errors import ConfigError, ExitCode, StoreError
from pipeline.storage.bucketfaults import BucketDown, allows_http, fault_of, unreadable

SHOP = "s3://videos/shop"
TAIL = "\n\nDebug source: Authorization: AKIDEXAMPLE secret-of-mine https://x?X-Amz-Signature=1"


def said(status: int, code: str = "") -> str:
    body = f"<Error><Code>{code}</Code></Error>" if code else ""
    return f"Error performing PUT http://h/x - Server returned status code: {status}: {body}{TAIL}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionDeniedError(said(403, "AccessDenied")), "refuses to write: HTTP 403 AccessD"),
        (UnauthenticatedError(said(401)), "refuses to write: HTTP 401."),
        (GenericError(said(403, "InvalidAccessKeyId")), "HTTP 403 InvalidAccessKeyId"),
        (FileNotFoundError(said(404, "NoSuchBucket")), "There is no bucket for s3://videos/shop"),
        (GenericError(said(301, "PermanentRedirect")), "cannot write: HTTP 301 PermanentRedirect"),
        (GenericError(said(400, "AuthorizationHeaderMalformed")), "HTTP 400 AuthorizationHeader"),
        (GenericError("PUT - Received redirect without LOCATION, this"), "in another region"),
        (GenericError("PUT http://169.254.169.254/latest: status code: 403"), "no key is set"),
        (GenericError("Account must be specified"), "no account is set"),
        (GenericError("Invalid Access Key: Invalid symbol 32"), "no such key"),
        (GenericError("Unable to open service account file from x"), "cannot be read"),
    ],
)
def test_what_a_person_must_settle(error: Exception, words: str) -> None:
    """It ends the run with 5: the next one goes on where it stopped."""
    fault = fault_of(error, SHOP, "write")
    assert isinstance(fault, StoreError)
    assert fault.exit_code is ExitCode.UNFINISHED
    assert words in fault.message
    assert "secret" not in f"{fault}{fault.action}"
    assert "Signature" not in f"{fault}{fault.action}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (GenericError(said(503, "SlowDown")), "HTTP 503 SlowDown"),
        (GenericError(said(429)), "HTTP 429"),
        (GenericError("HTTP error: error sending request\n\nDebug source: TimedOut"), "too long"),
        (GenericError("error sending request\n\nDebug source: ConnectionRefused"), "is refused"),
        (GenericError("error sending request\n\nDebug source: dns error"), "host is not found"),
        (GenericError("whatever"), "the connection fails"),
    ],
)
def test_what_passes(error: Exception, words: str) -> None:
    """It is waited for where something can wait, and ends with 5 elsewhere."""
    fault = fault_of(error, SHOP, "write")
    assert isinstance(fault, BucketDown)
    assert words in fault.message
    assert fault.what == "the bucket"
    ended = unreadable(error, SHOP, "list")
    assert ended.exit_code is ExitCode.UNFINISHED
    assert words in ended.message


@pytest.mark.parametrize("address", ["127.0.0.1:9000", "minio", "://x", "http://minio:9000"])
def test_another_host_that_can_never_be_reached(address: str) -> None:
    """The library would panic, or say that the connection fails."""
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL"):
        allows_http("s3", {"AWS_ENDPOINT_URL": address})
    assert not allows_http("s3", {"AWS_ENDPOINT_URL": "https://s3.example.com"})
    assert not allows_http("az", {"AWS_ENDPOINT_URL": address})
    assert allows_http("s3", {"AWS_ENDPOINT_URL": "http://minio:9000", "AWS_ALLOW_HTTP": "true"})


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_each_service_has_its_rights_and_variables(scheme: str) -> None:
    """A person pastes them into the console of that service."""
    fault = fault_of(PermissionDeniedError(said(403)), f"{scheme}://videos/shop", "read")
    other = {"s3": "AWS_REGION", "gs": "GOOGLE_SERVICE_ACCOUNT", "az": "AZURE_STORAGE_ACCOUNT_NAME"}
    assert other[scheme] in (fault.action or "")
