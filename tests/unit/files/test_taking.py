"""Alice sends files to a room, in pieces and by a form; bob reads there; what nobody says is swept."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from files import keeping, taking
from files.models import File
from rooms import making
from rooms.models import Member, Role, Room
from rooms.topics import RoomTopic
from topics import Person, Refused
from topics.people import guest_of, of_user

from .test_pictures import bomb, photo

pytestmark = pytest.mark.django_db

PATH = "/room/teahouse/"
TEAHOUSE = RoomTopic(room="teahouse")
OCTETS = "application/offset+octet-stream"


@pytest.fixture(autouse=True)
def cheap(cheap_pages: None) -> None:
    pass


@pytest.fixture
def alice() -> Client:
    somebody = Client()
    somebody.get("/")
    return somebody


def who(client: Client) -> Person:
    return guest_of(client.cookies["guest"].value)


def begins(client: Client, length: int, name: str = "tea.txt", kind: str = "text/plain", room: str = PATH) -> Any:
    named = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in (("filename", name), ("filetype", kind))
    )
    return client.post(f"{room}files/", headers={"Upload-Length": str(length), "Upload-Metadata": named})


def adds(client: Client, id: str, offset: int, piece: bytes) -> Any:
    return client.patch(f"{PATH}files/{id}/", piece, OCTETS, headers={"Upload-Offset": str(offset)})


def sends(client: Client, content: bytes = b"green or black?", **named: Any) -> str:
    id = str(begins(client, len(content), **named).json()["id"])
    for offset in range(0, len(content), taking.PIECE):
        answer = adds(client, id, offset, content[offset : offset + taking.PIECE])
        assert answer.status_code == 200
    return id


def says(client: Client, *ids: str, body: str = "") -> int:
    data = TEAHOUSE.said({"body": body, "files": list(ids)}, who(client))
    return TEAHOUSE.append(data, by=who(client)).seq


def stored() -> list[str]:
    return sorted(name for folder in default_storage.listdir("")[0] for name in default_storage.listdir(folder)[1])


# --- In pieces -------------------------------------------------------------------------------------------


def test_a_file_comes_in_pieces_and_is_given_as_a_download_to_whoever_reads_the_room(alice: Client) -> None:
    content = bytes(range(256)) * 1_000
    id = sends(alice, content, name="../../x.html", kind="text/html")
    says(alice, id)
    [event] = TEAHOUSE.events()
    assert event.data == {
        "body": "",
        "files": [{"id": id, "name": "x.html", "type": "text/html", "size": len(content)}],
    }
    answer = Client().get(f"{PATH}files/{id}/")
    assert b"".join(answer) == content
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''x.html"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"].startswith("private")
    assert Client().get(f"{PATH}files/{id}/preview/").status_code == 404
    assert Client().get(f"/room/parlour/files/{id}/").status_code == 404
    assert len(stored()) == 1, "of its pieces nothing is left"


def test_after_a_cut_line_alice_asks_how_much_is_there_and_goes_on(alice: Client) -> None:
    id = begins(alice, 10).json()["id"]
    assert adds(alice, id, 0, b"12345")["Upload-Offset"] == "5"
    wrong = adds(alice, id, 0, b"12345")
    assert (wrong.status_code, wrong["Upload-Offset"]) == (409, "5")
    assert adds(alice, id, 5, b"678901").status_code == 409
    there = alice.head(f"{PATH}files/{id}/", headers={"Tus-Resumable": "1.0.0"})
    assert (there["Upload-Offset"], there["Upload-Length"]) == ("5", "10")
    assert adds(alice, id, 5, b"67890").json()["id"] == id
    assert adds(alice, id, 10, b"").json()["id"] == id, "whose answer was lost"
    assert b"".join(alice.get(f"{PATH}files/{id}/")) == b"1234567890"


def test_nobody_goes_on_with_somebody_elses_and_nobody_says_it(alice: Client) -> None:
    bob = Client()
    bob.get("/")
    id = begins(alice, 4).json()["id"]
    assert adds(bob, id, 0, b"evil").status_code == 404
    assert bob.delete(f"{PATH}files/{id}/").status_code == 404
    adds(alice, id, 0, b"mine")
    with pytest.raises(Refused, match="attach it again"):
        says(bob, id)
    with pytest.raises(Refused, match="attach it again"):
        RoomTopic(room="parlour").said({"files": [id]}, who(alice))


def test_what_is_not_whole_is_not_said(alice: Client) -> None:
    id = begins(alice, 4).json()["id"]
    with pytest.raises(Refused):
        says(alice, id)
    assert alice.get(f"{PATH}files/{id}/").status_code == 404


@pytest.mark.parametrize("files", [[], ["x"], "0" * 32, [f"{n:032}" for n in range(11)], [None], {}])
def test_what_are_no_files_is_refused(alice: Client, files: Any) -> None:
    with pytest.raises(Refused):
        TEAHOUSE.said({"body": "", "files": files}, who(alice))


# --- Limits ----------------------------------------------------------------------------------------------


def test_large_empty_and_unwanted_files_are_refused_with_a_sentence(alice: Client, settings: Any) -> None:
    settings.FILES_TYPES = ("image/*",)
    answers = [begins(alice, 1_000_001), begins(alice, 0), begins(alice, 5), begins(alice, 5, kind="image/png")]
    assert [answer.status_code for answer in answers] == [413, 422, 415, 201]
    assert answers[0].json()["detail"] == "tea.txt is too large: a file has at most 976 KB."


def test_nothing_is_taken_where_it_is_off(alice: Client, settings: Any) -> None:
    settings.FILES_MAX_BYTES = 0
    assert begins(alice, 5).status_code == 404
    assert 'type="file"' not in alice.get(PATH).content.decode()


def test_nobody_sends_more_an_hour_than_her_share(alice: Client, settings: Any) -> None:
    settings.FILES_BYTES_PER_HOUR = 100
    assert begins(alice, 60).status_code == 201
    answer = begins(alice, 60)
    assert (answer.status_code, answer.get("Retry-After")) == (429, None)
    File.objects.update(at=timezone.now() - timedelta(hours=2))
    assert begins(alice, 60).status_code == 201


def test_guests_of_one_address_share_a_multiple_of_it(alice: Client, settings: Any) -> None:
    settings.FILES_BYTES_PER_HOUR = 10
    for _ in range(taking.PER_ADDRESS):
        somebody = Client()
        somebody.get("/")
        assert begins(somebody, 10).status_code == 201
    assert begins(alice, 10).status_code == 429


def test_whoever_keeps_no_cookie_sends_nothing() -> None:
    assert begins(Client(), 5).status_code == 403


def test_guests_neither_send_nor_read_where_only_members_talk(alice: Client, settings: Any) -> None:
    id = sends(alice)
    says(alice, id)
    settings.ALLOW_GUESTS = False
    assert begins(alice, 5).status_code == 404
    assert alice.get(f"{PATH}files/{id}/").status_code == 404
    member = Client()
    member.force_login(User.objects.create_user("carol"))
    assert member.get(f"{PATH}files/{id}/").status_code == 200


def test_in_a_closed_room_members_send_and_read_and_nobody_else_once_bob_is_out(alice: Client) -> None:
    owner, bob = User.objects.create_user("owner"), User.objects.create_user("bob")
    room = making.make_closed("Kitchen", of_user(owner))
    member = Member.objects.create(room=Room.objects.get(name=room), user=bob, role=Role.MEMBER)
    browser = Client()
    browser.force_login(bob)
    answer = begins(browser, 4, room=f"/room/{room}/")
    path = f"/room/{room}/files/{answer.json()['id']}/"
    piece: dict[str, Any] = {"content_type": OCTETS, "headers": {"Upload-Offset": "0"}}
    assert browser.patch(path, b"mine", **piece).status_code == 200
    assert browser.get(path).status_code == 200
    member.delete()
    for somebody in (browser, alice):
        assert begins(somebody, 4, room=f"/room/{room}/").status_code == 404
        assert somebody.get(path).status_code == 404
        assert somebody.head(path, headers={"Tus-Resumable": "1.0.0"}).status_code == 404
        assert somebody.patch(path, b"mine", **piece).status_code == 404
        assert somebody.delete(path).status_code == 404


@pytest.mark.parametrize("length", ["", "-1", "x", "9" * 20])
def test_a_length_that_is_none_is_refused(alice: Client, length: str) -> None:
    assert alice.post(f"{PATH}files/", headers={"Upload-Length": length}).status_code == 400


def test_metadata_that_cannot_be_read_are_refused(alice: Client) -> None:
    headers = {"Upload-Length": "5", "Upload-Metadata": "filename ***"}
    assert alice.post(f"{PATH}files/", headers=headers).status_code == 400


# --- Pictures --------------------------------------------------------------------------------------------


def test_a_picture_is_shown_with_its_size_before_it_is_there(alice: Client) -> None:
    id = sends(alice, photo().getvalue(), name="garden.jpeg", kind="image/jpeg")
    says(alice, id, body="look")
    [event] = TEAHOUSE.events()
    [file] = event.data["files"]
    assert (file["name"], file["type"], file["width"], file["height"]) == ("garden.jpg", "image/jpeg", 1_200, 800)
    page = alice.get(PATH).content.decode()
    assert f'<img src="files/{id}/preview/" alt="garden.jpg" width="320" height="213"' in page
    for path in ("", "preview/"):
        answer = alice.get(f"{PATH}files/{id}/{path}")
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("content", [bomb(50_000, 50_000), b"<svg onload=alert(1)>"])
def test_what_only_claims_to_be_a_picture_is_a_download(alice: Client, content: bytes) -> None:
    id = sends(alice, content, name="x.svg", kind="image/svg+xml")
    answer = alice.get(f"{PATH}files/{id}/")
    assert (answer["Content-Type"], answer["Content-Disposition"][:10]) == ("application/octet-stream", "attachment")


# --- By a form -------------------------------------------------------------------------------------------


def test_without_javascript_alice_says_files_by_the_form(alice: Client) -> None:
    assert 'enctype="multipart/form-data"' in alice.get(PATH).content.decode()
    files = [
        SimpleUploadedFile("tea.txt", b"green", "text/plain"),
        SimpleUploadedFile("p.png", bomb(9, 0), "image/png"),
    ]
    form = {"body": "", "id": "mine", "files": files}
    assert alice.post(PATH, form).status_code == 303
    [event] = TEAHOUSE.events()
    assert [file["name"] for file in event.data["files"]] == ["tea.txt", "p.png"]
    again = {"body": "", "id": "mine", "files": [SimpleUploadedFile("tea.txt", b"green", "text/plain")]}
    assert alice.post(PATH, again).status_code == 303, "the same form, sent twice"
    assert len(TEAHOUSE.events()) == 1
    assert "tea.txt" in alice.get(PATH).content.decode()


def test_a_form_with_a_file_that_is_not_taken_says_why_and_keeps_the_words(alice: Client, settings: Any) -> None:
    settings.FILES_MAX_BYTES = 3
    page = alice.post(PATH, {"body": "look", "files": SimpleUploadedFile("tea.txt", b"green", "text/plain")})
    assert page.status_code == 413
    assert "tea.txt is too large" in page.content.decode()
    assert ">\nlook</textarea>" in page.content.decode()


# --- The end ---------------------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_who_removes_the_message_removes_its_files_from_the_storage(alice: Client, at_once: Any) -> None:
    id, other = sends(alice, photo().getvalue(), name="a.jpg", kind="image/jpeg"), sends(alice)
    seq, kept = says(alice, id), says(alice, other)
    assert len(stored()) == 3
    TEAHOUSE.edit(kept, "other words", who(alice))
    with at_once():
        TEAHOUSE.remove(seq, who(alice))
    assert len(stored()) == 1
    assert alice.get(f"{PATH}files/{id}/").status_code == 404
    assert b"".join(alice.get(f"{PATH}files/{other}/")) == b"green or black?"
    assert not File.objects.filter(pk=id).exists()


def test_what_the_storage_does_not_delete_now_it_deletes_later(
    alice: Client, at_once: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seq = says(alice, sends(alice))
    with monkeypatch.context() as broken, at_once():
        broken.setattr(keeping.default_storage, "delete", lambda name: (_ for _ in ()).throw(OSError("away")))
        TEAHOUSE.remove(seq, who(alice))
    assert len(stored()) == 1
    keeping.sweep()
    assert stored() == []


def test_a_file_that_is_never_said_is_swept_after_a_day(alice: Client) -> None:
    sends(alice)
    begun = begins(alice, 10).json()["id"]
    adds(alice, begun, 0, b"12345")
    said = sends(alice)
    says(alice, said)
    keeping.sweep()
    assert File.objects.count() == 3
    File.objects.update(at=timezone.now() - timedelta(days=1, minutes=1))
    keeping.sweep()
    assert [file.pk for file in File.objects.all()] == [said]
    assert len(stored()) == 1


def test_whoever_thinks_better_of_it_takes_a_file_back(alice: Client, at_once: Any) -> None:
    id = sends(alice)
    with at_once():
        assert alice.delete(f"{PATH}files/{id}/").status_code == 204
    assert stored() == []


def test_files_go_with_their_room_and_move_with_it(alice: Client, at_once: Any) -> None:
    id = sends(alice)
    says(alice, id)
    room = Room.objects.get(name="teahouse")
    room.name = "coffeehouse"
    room.save()
    assert alice.get(f"/room/coffeehouse/files/{id}/").status_code == 200
    with at_once():
        room.delete()
    assert stored() == []
    assert not File.objects.exists()


def test_the_same_message_sent_again_is_the_same(alice: Client) -> None:
    id = sends(alice)
    first = json.dumps(TEAHOUSE.said({"files": [id]}, who(alice)))
    assert json.dumps(TEAHOUSE.said({"files": [id]}, who(alice))) == first
