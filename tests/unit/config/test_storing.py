"""Where files are kept: what alice says of it, and no sentence that shows a part of her secret."""

from collections.abc import Callable
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured

Read = Callable[..., ModuleType]


def test_nothing_is_kept_where_nothing_is_said(read: Read) -> None:
    assert read().STORAGE_URL == ""


@pytest.mark.parametrize(
    ("url", "folder"), [("file:///files", "/files"), ("file:///a%20b", "/a b"), ("file:../x", "../x")]
)
def test_a_folder_is_named_as_a_file(read: Read, url: str, folder: str) -> None:
    found = read(STORAGE_URL=url).STORAGES["default"]
    assert found["BACKEND"].endswith("FileSystemStorage")
    assert found["OPTIONS"]["location"] == folder


def test_a_bucket_is_named_with_its_keys(read: Read) -> None:
    found = read(STORAGE_URL="s3://key:s%2Fcret@s3.example.org/rooms/files?region=eu-west-1").STORAGES["default"]
    told = found["OPTIONS"]
    assert (told["access_key"], told["secret_key"]) == ("key", "s/cret")
    assert (told["bucket_name"], told["location"], told["region_name"]) == ("rooms", "files", "eu-west-1")
    assert told["endpoint_url"] == "https://s3.example.org"
    plain = read(STORAGE_URL="s3+http://key:secret@minio:9000/rooms").STORAGES["default"]["OPTIONS"]
    assert plain["endpoint_url"] == "http://minio:9000"


@pytest.mark.parametrize(
    "url",
    [
        "/files",
        "file://host/files",
        "file:///files?x=1",
        "s3://bucket",
        "s3://key:pass/word@host/bucket",
        "s3://key:password@host/",
        "s3://key:password@host:x/bucket",
        "s3://key:password@host/bucket?acl=public",
        "ftp://key:password@host/bucket",
    ],
)
def test_what_is_no_place_is_refused_without_a_word_of_it(read: Read, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^STORAGE_URL must be") as refused:
        read(STORAGE_URL=url)
    assert "word@" not in str(refused.value)


def test_types_are_types(read: Read) -> None:
    assert read(FILES_TYPES="image/*, Application/PDF").FILES_TYPES == ("image/*", "application/pdf")
    with pytest.raises(ImproperlyConfigured, match=r"^FILES_TYPES must be types"):
        read(FILES_TYPES="pictures")
