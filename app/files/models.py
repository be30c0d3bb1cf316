"""What is known of a file. What is in it is in the storage, under the row's key."""

import secrets
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

MAX_NAME = 120  # characters


def new_key() -> str:
    return secrets.token_hex(16)


class File(models.Model):
    """`owner` is the key of who sends it, `place` the name of the topic that it is for.

    Of `length` bytes `received` have come so far, and `pieces` names them in the storage. `size` is how many there are
    in the end: a picture is made anew. `stored` is its name in the storage once it is whole, `preview` that of a small
    picture of it, and one that is `inline` may be looked at there. One that is `said` is part of an event; `gone`: its
    event is removed, and what is in the storage follows.
    """

    id = models.CharField(max_length=32, primary_key=True, default=new_key)
    place = models.CharField(max_length=200, db_index=True)
    owner = models.CharField(max_length=150)
    address = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=MAX_NAME)
    type = models.CharField(max_length=100)
    length = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField(default=0)
    received = models.PositiveBigIntegerField(default=0)
    pieces = models.JSONField(default=list)
    stored = models.CharField(max_length=100, blank=True)
    preview = models.CharField(max_length=100, blank=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    inline = models.BooleanField(default=False)
    said = models.BooleanField(default=False)
    gone = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["owner", "at"], name="files_of_an_owner"),
            models.Index(fields=["address", "at"], name="files_from_an_address"),
            models.Index(fields=["at"], condition=models.Q(said=False) | models.Q(gone=True), name="files_to_sweep"),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.place}"

    @property
    def as_data(self) -> dict[str, Any]:
        """As an event has it."""
        said: dict[str, Any] = {"id": self.id, "name": self.name, "type": self.type, "size": self.size}
        return said | ({"width": self.width, "height": self.height} if self.preview else {})
