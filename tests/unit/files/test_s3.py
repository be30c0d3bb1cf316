"""The same with a bucket of S3, at a server that speaks as S3 does."""

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.test import Client
from moto.server import ThreadedMotoServer

from config.storing import storage
from files import keeping
from files.checks import storage_takes_files

from .test_pictures import photo
from .test_taking import PATH, TEAHOUSE, says, sends, who

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, settings: Any, kept: None, cheap_pages: None) -> Any:
    options = storage(f"s3+http://key:secret@{s3}/rooms/files")
    settings.STORAGES = settings.STORAGES | {"default": options}
    how = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    found = boto3.resource("s3", endpoint_url=f"http://{s3}", **how).Bucket("rooms")
    found.create()
    yield found
    found.objects.all().delete()


def test_a_picture_comes_in_pieces_into_a_bucket_and_goes_with_its_message(
    bucket: Any, django_capture_on_commit_callbacks: Any
) -> None:
    alice = Client()
    alice.get("/")
    content = photo((3_000, 2_000), kind="PNG", compress_level=0).getvalue()[:700_000]
    id, other = sends(alice, photo().getvalue(), name="a.jpg", kind="image/jpeg"), sends(alice, content, kind="a/b")
    seq = says(alice, id, other)
    names = [object.key for object in bucket.objects.all()]
    assert len(names) == 3, names
    assert all(name.startswith("files/") for name in names)
    assert b"".join(alice.get(f"{PATH}files/{other}/")) == content
    assert b"".join(alice.get(f"{PATH}files/{id}/preview/")).startswith(b"\xff\xd8")
    with django_capture_on_commit_callbacks(execute=True):
        TEAHOUSE.remove(seq, who(alice))
    assert [object.key for object in bucket.objects.all()] == []


def test_who_looks_after_the_site_is_told_where_the_bucket_is_not_there(bucket: Any, settings: Any, s3: str) -> None:
    assert storage_takes_files() == []
    settings.STORAGES = settings.STORAGES | {"default": storage(f"s3+http://key:secret@{s3}/elsewhere")}
    [told] = storage_takes_files()
    assert "secret" not in told.msg
    assert told.id == "files.E001"
    keeping.sweep()
