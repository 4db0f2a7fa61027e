"""The ceiling of a read: a bare grpc.aio server that answers GetSession with a constant."""

import argparse
import asyncio

import grpc.aio
import uvloop
from parley.session.v1 import session_pb2, session_service_pb2


async def echo(request: session_service_pb2.GetSessionRequest, _: grpc.ServicerContext) -> session_pb2.Session:
    """The same every time."""
    return session_pb2.Session(name=request.name, bot="bots/bench", user="visitors/x", locale="en", last_seq=1)


async def serve(port: int) -> None:
    """Until killed."""
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        echo, session_service_pb2.GetSessionRequest.FromString, session_pb2.Session.SerializeToString
    )
    generic = grpc.method_handlers_generic_handler("parley.session.v1.SessionService", {"GetSession": handler})
    server.add_generic_rpc_handlers((generic,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))
