"""The baseline of a submit: a grpc.aio server with mutual TLS whose one call inserts the request as a row.

Run as a process: ``python -m tests.bench.bare_server PKI_DIR DSN``; it prints its port.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import uvloop

from gateway.trust.tls import server_credentials
from gateway.v1 import exchange_pb2

METHOD = "gateway.bench.Bare/Insert"


async def main(pki: Path, dsn: str) -> None:
    """Serve until killed."""
    async with asyncpg.create_pool(dsn, min_size=8, max_size=8) as pool:
        await pool.execute("CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, body bytea NOT NULL)")

        async def insert(request: exchange_pb2.SubmitRequest, _: Any) -> exchange_pb2.SubmitResponse:
            await pool.execute("INSERT INTO bare (body) VALUES ($1)", request.record)
            return exchange_pb2.SubmitResponse(pair_number=1)

        service, name = METHOD.split("/")
        handler = grpc.unary_unary_rpc_method_handler(
            insert,
            request_deserializer=exchange_pb2.SubmitRequest.FromString,
            response_serializer=exchange_pb2.SubmitResponse.SerializeToString,
        )
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
        gateway = pki / "gateway"
        credentials = server_credentials(gateway / "tls.crt", gateway / "tls.key", pki / "tls-ca.crt")
        port = server.add_secure_port("127.0.0.1:0", credentials)
        await server.start()
        print(port, flush=True)
        await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), sys.argv[2]))
