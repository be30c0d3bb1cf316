"""Follows a topic and sends to it, by hand or from a script.

Each line of the input is sent: as JSON where it is some, else as text. It ends with the input; without any
(</dev/null) it follows until Ctrl-C.
"""

import argparse
import asyncio
import contextlib
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from topics.client.dialing import address_of
from topics.client.errors import ClientError, Refused
from topics.client.joined import JoinedTopic
from topics.client.login import PAGE, log_in
from topics.client.socket import Socket, connect
from topics.client.terminal import Terminal, data_of

ECHO_SECONDS: Final = 2  # for one's own last event to be shown, before it ends with the input


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m topics.client", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("url", help="the site or its socket, such as ws://localhost:8000 or wss://example.org/ws/")
    found.add_argument("topic", help="such as votes/lunch")
    found.add_argument("--since", type=number, metavar="SEQ", help="show what came after this number; 0 for everything")
    found.add_argument("--epoch", help="the log in which that number counts; the one that is there unless given")
    found.add_argument("--json", action="store_true", help="print a JSON object a line, and nothing else")
    who = found.add_argument_group("who you are", "A guest unless said otherwise.")
    who.add_argument("--login", metavar="NAME", help="log in by the site's form; asks for the password")
    who.add_argument("--login-page", metavar="PATH", default=PAGE, help="where that form is (%(default)s)")
    who.add_argument(
        "--cookie", metavar="NAME=VALUE", action="append", type=pair, default=[], help="such as sessionid=…"
    )
    who.add_argument("--token-file", metavar="FILE", type=Path, help="a file that holds a token (- for the terminal)")
    return found


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 41")
    return int(text)


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 where something was refused, or could not be reached."""
    asked = parser().parse_args(arguments)
    terminal = Terminal(as_json=asked.json)
    try:
        url = address_of(asked.url)
        cookies, token = dict(asked.cookie), token_in(asked.token_file)
        if asked.login:
            cookies |= log_in(url, asked.login, getpass.getpass(f"Password of {asked.login}: "), asked.login_page)
        with terminal.as_it_was():
            return asyncio.run(run(terminal, url, asked, cookies, token))
    except (ClientError, ValueError, OSError) as error:
        terminal.complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 0


def token_in(file: Path | None) -> str | None:
    """Not an argument itself: the arguments of a process are for everybody to see."""
    if file is None:
        return None
    return getpass.getpass("Token: ") if str(file) == "-" else file.read_text().strip()


async def run(
    terminal: Terminal, url: str, asked: argparse.Namespace, cookies: dict[str, str], token: str | None
) -> int:
    def tell(state: str) -> None:
        if state == "offline":
            terminal.remark("The connection is lost, and dialled anew.")

    async with connect(url, token=token, cookies=cookies, on_state=tell) as socket:
        topic = await joined(socket, asked)
        terminal.remark(f"You are {socket.you.name}, one of {topic.member_count} in {topic.name}.")
        showing = asyncio.create_task(show(topic, terminal))
        sending = asyncio.create_task(send(topic, terminal))
        await asyncio.wait([showing, sending], return_when=asyncio.FIRST_COMPLETED)
        if showing.done():
            showing.result()
        return sending.result() if sending.done() else 1


async def joined(socket: Socket, asked: argparse.Namespace) -> JoinedTopic:
    """A number without an epoch counts in the log that is there."""
    if asked.since is None:
        return await socket.join(asked.topic)
    epoch = asked.epoch
    if epoch is None:
        found = await socket.join(asked.topic)
        epoch = found.epoch
        await found.leave()
    return await socket.join(asked.topic, since=asked.since, epoch=epoch)


async def show(topic: JoinedTopic, terminal: Terminal) -> None:
    async for news in topic.everything():
        terminal.show(news)


async def send(topic: JoinedTopic, terminal: Terminal) -> int:
    """Until the input ends; 1 where something was refused. No input at all is none that ends."""
    lines, status, sent, last = terminal.lines(), 0, False, 0
    while (line := await lines.get()) is not None:
        if not line.strip():
            continue
        sent = True
        try:
            acked = await topic.send(data_of(line))
        except (Refused, ValueError) as error:
            status = 1
            terminal.complain(f"Refused: {error}")
        else:
            last = acked.seq or last
            if acked.seq is None:
                terminal.remark("The topic took it, and appended nothing.")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ECHO_SECONDS):
            while topic.position.since < last:
                await asyncio.sleep(0.01)
    if not sent and not sys.stdin.isatty():
        await asyncio.Event().wait()
    return status


if __name__ == "__main__":
    sys.exit(main())
