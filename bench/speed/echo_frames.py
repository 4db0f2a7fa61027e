"""The ceiling of WebSocket frames: a bare picows server that sends back what comes."""

import argparse
import asyncio

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server


class Echo(WSListener):
    """Nothing but the wire."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """The same back."""
        if frame.msg_type == WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())


async def serve(port: int) -> None:
    """Until killed."""
    await ws_create_server(lambda _: Echo(), "127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))
