"""A stand-in for a server of ours, where only what nginx does is of interest."""

import json

from servers.answering import Answering, Quiet


class Stub(Answering):
    """Answers each request with its own headers as JSON, and keeps what it was asked. By status 0 it hangs up."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[str] = []
        stub = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.asked.append(f"{self.command} {self.path}")
                if not stub.status:
                    self.close_connection = True
                    return
                body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
                self.send_response(stub.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

        super().__init__(Handler)
