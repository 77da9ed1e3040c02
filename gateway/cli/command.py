"""A command that talks to the gateway: the connection options and ``--json`` are the same for all and added here."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer

from gateway.cli.connection import ConnectionSettings, open_client
from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import run

if TYPE_CHECKING:
    from gateway.rpc.client import GatewayClient

_PANEL: Final = "Connection (see gateway/cli/README.md)"


def _option(name: str, variable: str, text: str) -> Any:
    return typer.Option(
        f"--{name}", envvar=f"FASTTRACK_{variable}", help=text, rich_help_panel=_PANEL, show_default=False
    )


_OPTIONS: Final[dict[str, Any]] = {
    "target": Annotated[str | None, _option("target", "TARGET", "host:port of the gateway.")],
    "profile": Annotated[
        Path | None, _option("profile", "PROFILE", "Agency folder of a development PKI; names all files below.")
    ],
    "ca": Annotated[Path | None, _option("ca", "CA", "CA of the gateway's TLS certificate.")],
    "cert": Annotated[Path | None, _option("cert", "CERT", "Your TLS certificate.")],
    "key": Annotated[Path | None, _option("key", "KEY", "Its private key.")],
    "signing_ca": Annotated[Path | None, _option("signing-ca", "SIGNING_CA", "CA of the gateway's receipts.")],
    "sign_cert": Annotated[Path | None, _option("sign-cert", "SIGN_CERT", "Certificate of your signing key.")],
    "sign_key": Annotated[Path | None, _option("sign-key", "SIGN_KEY", "Your signing key.")],
    "witness_policy": Annotated[
        Path | None, _option("witness-policy", "WITNESS_POLICY", "Whose cosignatures seal a receipt, TOML.")
    ],
}
JSON_OPTION: Final = typer.Option("--json", help="Print JSON for programs.")


@dataclass(frozen=True, slots=True)
class Session:
    """What a command is given.

    Args:
        settings: how to reach the gateway.
        is_json: print JSON.
    """

    settings: ConnectionSettings
    is_json: bool

    def client(self) -> GatewayClient:
        """Open a client.

        Returns:
            the client, for ``async with``.

        Raises:
            SettingsError: settings are missing or wrong.
        """
        from gateway.rpc.client_call import RetryPolicy  # noqa: PLC0415 - loads grpc

        # A person waits: half a second of attempts tells a restart from a gateway that is not there.
        return open_client(self.settings, retry=RetryPolicy(attempts=4))


Handler = Callable[..., Awaitable[ExitCode | None]]


def gateway_command(app: typer.Typer, name: str) -> Callable[[Handler], Handler]:
    """Register an async function as a command.

    Args:
        app: the group.
        name: of the command.

    Returns:
        a decorator; the function takes a ``Session`` first and then its own options. Its docstring is the help.
    """

    def register(handler: Handler) -> Handler:
        hints = get_type_hints(handler, include_extras=True)
        own = list(inspect.signature(handler).parameters.values())[1:]
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [item.replace(annotation=hints[item.name], kind=keyword) for item in own]
        parameters += [
            inspect.Parameter(option, keyword, default=None, annotation=annotation)
            for option, annotation in _OPTIONS.items()
        ]
        parameters.append(inspect.Parameter("is_json", keyword, default=False, annotation=Annotated[bool, JSON_OPTION]))

        def command(**values: Any) -> None:
            connection = {option: values.pop(option) for option in _OPTIONS}
            profile, is_json = connection.pop("profile"), values.pop("is_json")
            session = Session(ConnectionSettings(**connection).with_profile(profile), is_json)
            run(_awaited(handler(session, **values)), is_json=is_json)

        # A line break of the source is none on the terminal.
        paragraphs = inspect.cleandoc(handler.__doc__ or "").split("\n\n")
        command.__doc__ = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {item.name: item.annotation for item in parameters}
        app.command(name)(command)
        return handler

    return register


async def _awaited(work: Awaitable[ExitCode | None]) -> ExitCode | None:
    return await work
