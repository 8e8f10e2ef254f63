"""A browser tab's end of a socket, spoken to over ASGI.

Channels brings one of its own, but it cannot be imported without a server that we do not use.
"""

from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

from config.asgi import application


class BrowserTab(ApplicationCommunicator):
    def __init__(self, path: str, *, host: str) -> None:
        path, _, query = path.partition("?")
        super().__init__(
            application,
            {
                "type": "websocket",
                "path": path,
                "query_string": query.encode(),
                "headers": [(b"host", host.encode())],
                "subprotocols": [],
            },
        )

    async def connect(self) -> int | None:
        """None when the socket is open, else the code it was refused with."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout=10)
        return None if answer["type"] == "websocket.accept" else int(answer.get("code", 1000))

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; heartbeats come in between."""
        for _ in range(20):
            answer = await self.receive_output(timeout=10)
            assert answer["type"] == "websocket.send", answer
            message: dict[str, Any] = json.loads(answer["text"])
            if message["type"] == kind:
                return message
        raise AssertionError(f"no {kind} came")

    async def hears_nothing(self) -> bool:
        return bool(await self.receive_nothing(timeout=0.1))

    async def closing_code(self) -> int:
        for _ in range(20):
            answer = await self.receive_output(timeout=10)
            if answer["type"] == "websocket.close":
                return int(answer["code"])
        raise AssertionError("it stayed open")

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)
