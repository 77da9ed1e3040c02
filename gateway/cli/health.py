"""`fasttrack health`: ask a gateway whether it serves; the probe of containers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail

EXIT_NOT_SERVING = 1


def command(
    target: Annotated[str, typer.Option(help="host:port; default is the port of FASTTRACK_LISTEN on localhost")] = "",
    timeout_seconds: Annotated[float, typer.Option(help="how long to wait")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="print {status}")] = False,
) -> None:
    """Ask grpc.health.v1 with the gateway's own certificate (FASTTRACK_TLS_CERT, FASTTRACK_TLS_KEY, FASTTRACK_TLS_CA).

    Exit codes: 0 serving, 1 not serving, 2 bad settings, 3 no answer.
    """
    # Imported here so that --help does not load gRPC.
    import grpc  # noqa: PLC0415
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415

    names = ("FASTTRACK_TLS_CA", "FASTTRACK_TLS_CERT", "FASTTRACK_TLS_KEY")
    missing = [name for name in names if not Path(os.environ.get(name, "")).is_file()]
    if missing:
        problem = f"these settings must name files: {', '.join(missing)}"
        fail(ExitCode.USAGE, problem, "set them as for `fasttrack serve`", is_json=as_json)
    ca, certificate, key = (Path(os.environ[name]).read_bytes() for name in names)
    address = target or "localhost:" + os.environ.get("FASTTRACK_LISTEN", "127.0.0.1:8443").rsplit(":", 1)[1]
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    try:
        with grpc.secure_channel(address, credentials) as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=timeout_seconds, wait_for_ready=True
            )
    except grpc.RpcError as error:
        hint = "is the gateway running, and is --target its address?"
        fail(ExitCode.UNREACHABLE, f"no answer from {address}: {error.code().name}", hint, is_json=as_json)
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    print(json.dumps({"status": status}) if as_json else status)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise typer.Exit(EXIT_NOT_SERVING)
