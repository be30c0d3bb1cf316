"""Alice reads English and 小芳 reads Chinese, in one room, from one process."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from rooms import likeness
from rooms.called import called
from rooms.topics import RoomTopic
from topics.models import Entry, Log
from topics.people import FORMER, of_user
from topics.who.language import language_of

pytestmark = pytest.mark.django_db

CHINESE = {"HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9,en;q=0.8"}


@pytest.fixture
def xiaofang() -> Client:
    return Client(**CHINESE)


def seen(somebody: Client, path: str) -> str:
    return str(somebody.get(path).content.decode())


def test_each_reads_the_same_page_in_her_language(alice: Client, bob: Client, xiaofang: Client) -> None:
    bob.post("/room/茶馆/", {"body": "Good morning"})
    for _ in range(2):  # what is kept of a page is kept for each language
        english, chinese = seen(alice, "/room/茶馆/"), seen(xiaofang, "/room/茶馆/")
        assert '<html lang="en" dir="ltr">' in english
        assert '<html lang="zh-hans" dir="ltr">' in chinese
        assert ">Reply</a>" in english
        assert ">回复</a>" in chinese
        assert "Reply" not in chinese
        assert "1 message<" in english
        assert "1 条消息<" in chinese
        assert "words/zh-hans" in chinese
        assert "/words/" not in english
        assert re.search(r"\d{4}年\d+月\d+日 星期.", chinese)
    assert "1 message<" in seen(alice, "/")
    lobby = seen(xiaofang, "/")
    assert "1 条消息" in lobby
    assert re.search(r"现在|秒|分钟", lobby.partition("datetime=")[2])


def test_she_may_choose_another_than_her_browsers(xiaofang: Client) -> None:
    page = seen(xiaofang, "/?after=1-x")
    assert re.findall(r'name="language" value="([\w-]+)"', page) == ["en", "zh-hans"]
    assert 'lang="en">English</button>' in page
    assert 'aria-current="true">简体中文</button>' in page
    back = re.search(r'name="next" value="([^"]*)"', page.partition("languages")[2])
    assert back
    answer = xiaofang.post("/language/", {"language": "en", "next": back[1]})
    assert (answer.status_code, answer["Location"]) == (302, "/?after=1-x")
    assert answer.cookies["django_language"]["max-age"] > 30 * 24 * 3600
    assert '<html lang="en"' in seen(xiaofang, "/")
    assert xiaofang.post("/language/", {"language": "xx", "next": "https://elsewhere.example/"})["Location"] == "/"
    assert '<html lang="en"' in seen(xiaofang, "/")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("zh-TW", "zh-hans"),
        ("zh", "zh-hans"),
        ("de, zh-CN;q=0.5", "zh-hans"),
        ("de", "en"),
        ("", "en"),
        (";,q=x", "en"),
    ],
)
def test_a_browser_gets_what_is_nearest(wanted: str, language: str) -> None:
    assert f'<html lang="{language}"' in seen(Client(HTTP_ACCEPT_LANGUAGE=wanted), "/")
    assert language_of({"headers": [(b"accept-language", wanted.encode())]}) == language


def test_a_socket_knows_what_she_has_chosen() -> None:
    headers = [(b"accept-language", b"zh-CN"), (b"cookie", b"guest=1; django_language=en")]
    assert language_of({"headers": headers}) == "en"
    assert language_of({"headers": [(b"cookie", b"django_language=../xx"), (b"accept-language", b"\xff")]}) == "en"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere/", "这里什么也没有"),
        ("/room/a b/", "这里什么也没有"),
        ("/accounts/login/", "登录"),
        ("/search/?q=", "请输入"),
    ],
)
def test_what_goes_wrong_is_said_in_chinese(xiaofang: Client, path: str, words: str) -> None:
    page = seen(xiaofang, path)
    assert '<html lang="zh-hans"' in page
    assert words in page


def test_a_form_that_cannot_be_read_is_refused_in_chinese(xiaofang: Client) -> None:
    answer = xiaofang.post("/", "x", content_type="multipart/form-data; boundary=")
    assert (answer.status_code, answer["Content-Language"]) == (400, "zh-hans")
    assert "服务器无法理解这个请求" in answer.content.decode()


def test_what_is_refused_is_said_in_chinese(xiaofang: Client, settings: Any) -> None:
    settings.ROOMS_PER_PERSON = settings.ROOMS_PER_ADDRESS = 1
    xiaofang.get("/")
    assert xiaofang.post("/room/茶馆/", {"body": "早"}).status_code == 303
    assert "新建的房间太多" in xiaofang.post("/room/二/", {"body": "早"}).content.decode()
    assert "1 到 32 个字符" in xiaofang.post("/name/", {"name": "长" * 33}).content.decode()
    assert "最多 4000 个" in xiaofang.post("/room/茶馆/", {"body": "长" * 4_001}).content.decode()


def test_who_has_left_is_called_so_in_each_language(alice: Client, xiaofang: Client) -> None:
    carol = User.objects.create_user("carol")
    RoomTopic(room="茶馆").append({"body": "bye"}, by=of_user(carol))
    RoomTopic(room="茶馆").append({"body": "who?", "reply": 1}, by=None)
    Entry.objects.filter(user=carol).update(user=None, name=FORMER)  # as topics.retiring does
    assert seen(alice, "/room/茶馆/").count(">Former member<") == 2
    assert seen(xiaofang, "/room/茶馆/").count(">已注销用户<") == 2
    assert called("Former members") == "Former members"


def test_nobody_is_called_what_the_site_says_of_people_in_either_language() -> None:
    for name in ("Former member", "已注销用户", "消息已删除", "访 客", "管理员", "Moderator"):
        assert likeness.is_reserved(name), name
    assert not likeness.is_reserved("小芳")


def test_numbers_for_the_page_are_not_written_as_a_country_writes_them(
    alice: Client, xiaofang: Client, settings: Any
) -> None:
    """A browser reads `1,234` as no number."""
    settings.USE_THOUSAND_SEPARATOR = True
    RoomTopic(room="茶馆").append({"body": "one"}, by=None)
    Log.objects.update(seq=12_344)
    RoomTopic(room="茶馆").append({"body": "two", "reply": 1}, by=None)
    for somebody in (alice, xiaofang):
        for path in ("/room/茶馆/", "/room/茶馆/?reply=12345", "/", "/search/?q=two"):
            held = re.findall(r'(?:data-[\w-]+|href|id|value)="([^"]*)"', seen(somebody, path))
            assert [text for text in held if re.search(r"\d[,.\s\u00a0]\d", text)] == []
    assert "12,345 messages" in seen(alice, "/")


def test_a_language_says_from_where_its_lines_begin() -> None:
    for language, direction in (("ar", "rtl"), ("en", "ltr")):
        with translation.override(language):
            assert f'<html lang="{language}" dir="{direction}">' in render_to_string("404.html")
