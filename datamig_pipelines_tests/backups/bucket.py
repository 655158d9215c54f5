"""An S3 that is none: moto's HTTP server, a stand-in that speaks enough of it."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BUCKET = "kept-here"


class Bucket:
    """A bucket on a private server, and what a test wants to do to it."""

    def __init__(self, url: str, client: Any) -> None:
        self.url = url
        self.client = client

    def names(self) -> list[str]:
        """Return the keys of all objects."""
        found = self.client.list_objects_v2(Bucket=BUCKET)
        return [one["Key"] for one in found.get("Contents", [])]

    def head(self, name: str) -> dict[str, Any]:
        """Return what the server says about an object."""
        facts: dict[str, Any] = self.client.head_object(Bucket=BUCKET, Key=name)
        return facts

    def flip(self, name: str) -> None:
        """Change one byte in the middle of an object."""
        data = bytearray(self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read())
        data[len(data) // 2] ^= 1
        self.client.put_object(Bucket=BUCKET, Key=name, Body=bytes(data))

    def ask_for_credentials(self) -> None:
        """From now on the server refuses keys that it has not issued, and it has issued none."""
        self.tell("reset-auth", b"0")

    def tell(self, what: str, data: bytes) -> None:
        """Send moto a command of its own."""
        headers = {"Content-Type": "application/octet-stream"}
        url = f"{self.url}/moto-api/{what}"
        request = urllib.request.Request(url, data, headers)  # noqa: S310 (our own server)
        urllib.request.urlopen(request).close()  # noqa: S310 (as above)


@contextmanager
def serving() -> Iterator[Bucket]:
    """Start the server, make the bucket, set the environment; all is gone afterwards."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "test-key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret-of-the-bucket")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        made = Bucket(url, client)
        try:
            yield made
        finally:  # its memory is the process's
            made.tell("reset-auth", b"inf")
            made.tell("reset", b"")
            server.stop()
