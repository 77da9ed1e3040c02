"""Settings of a gateway process, from the environment; one error lists every bad one.

| Variable | Meaning | Default |
|---|---|---|
| FASTTRACK_DATABASE_URL | PostgreSQL 15 or later, as a URL | required |
| FASTTRACK_LISTEN | host:port of the gRPC server; port 0 takes a free one | 127.0.0.1:8443 |
| FASTTRACK_ORIGIN | name of the log, first line of its checkpoints; never changes | required |
| FASTTRACK_TLS_CERT, FASTTRACK_TLS_KEY | TLS certificate and key of the server, PEM files | required |
| FASTTRACK_TLS_CA | CA that client certificates must come from, PEM file | required |
| FASTTRACK_SIGNING_CA | CA that signing certificates must come from, PEM file | required |
| FASTTRACK_SIGNERS_DIR | folder with registered/ and revoked/ certificates: new ones become entries at start | none |
| FASTTRACK_RECEIPT_CERT, FASTTRACK_RECEIPT_KEY | certificate and key that sign receipts, PEM files | required |
| FASTTRACK_PSEUDONYM_KEY_FILE | file of 32 secret bytes | required |
| FASTTRACK_VAULT_URL | PostgreSQL database of the case keys, never the ledger's own, as a URL | required |
| FASTTRACK_MASTER_KEY_FILE | file of 32 secret bytes that wrap the case keys (vault/README.md) | required |
| FASTTRACK_MATERIALS_DIR | folder of the material store | required |
| FASTTRACK_WITNESS_POLICY | TOML file: whose cosignatures seal a receipt (core/log/witness_policy.py) | none sealed |
| FASTTRACK_SCHEMA_VERSIONS | TOML file: agencies with another schema than usual (core/schema_register.py) | none |
| FASTTRACK_FORM_SETTINGS | YAML file: other tolerances of the checks of forms (core/rules/forms.yaml) | none |
| FASTTRACK_RULE_SETTINGS | YAML file: other readings of the rules (core/rules/README.md) | those of the rules |
| FASTTRACK_CLOCK_SETTINGS | YAML file: chosen readings of the clocks (core/rules/README.md) | those of the rules |
| FASTTRACK_HOLIDAYS_DIR | folder of further years of holidays, such as 2027.yaml | none |
| FASTTRACK_WORKERS | processes that serve the port together, 1 to 64 | 1 |
| FASTTRACK_LOG_LEVEL | DEBUG, INFO, WARNING or ERROR | INFO |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "FASTTRACK_"
_LISTEN: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", re.ASCII)
_ORIGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,199}", re.ASCII)
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """Settings that cannot be used.

    Args:
        problems: one line for each bad variable, its name first.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one process; fields are the variables of the module's table."""

    database_url: str
    listen: str
    origin: str
    tls_cert: Path
    tls_key: Path
    tls_ca: Path
    signing_ca: Path
    signers_dir: Path | None
    receipt_cert: Path
    receipt_key: Path
    pseudonym_key_file: Path
    vault_url: str
    master_key_file: Path
    materials_dir: Path
    schema_versions: Path | None
    workers: int
    log_level: str
    witness_policy: Path | None = None
    rule_settings: Path | None = None
    form_settings: Path | None = None
    clock_settings: Path | None = None
    holidays_dir: Path | None = None


_FILES: Final = (
    "tls_cert", "tls_key", "tls_ca", "signing_ca", "receipt_cert", "receipt_key", "pseudonym_key_file",
    "master_key_file",
)  # fmt: skip
_FOLDERS: Final = ("materials_dir",)


def parse_database_url(environ: Mapping[str, str]) -> str:
    """Read FASTTRACK_DATABASE_URL alone, for commands that need nothing else.

    Args:
        environ: of the process.

    Returns:
        the URL.

    Raises:
        SettingsError: it is missing or not a postgresql:// URL.
    """
    problems: list[str] = []
    url = _url(environ, "DATABASE_URL", problems)
    if problems:
        raise SettingsError(problems)
    return url


def parse_vault(environ: Mapping[str, str]) -> tuple[str, Path]:
    """Read FASTTRACK_VAULT_URL and FASTTRACK_MASTER_KEY_FILE alone.

    Args:
        environ: of the process.

    Returns:
        the URL of the vault, and the file of the master key, which exists.

    Raises:
        SettingsError: one of them is missing or cannot be used.
    """
    problems: list[str] = []
    url, path = _url(environ, "VAULT_URL", problems), Path(environ.get(f"{PREFIX}MASTER_KEY_FILE", ""))
    if not path.is_file():
        problems.append(f"{PREFIX}MASTER_KEY_FILE: there is no such file")
    if problems:
        raise SettingsError(problems)
    return url, path


def parse_counting(environ: Mapping[str, str]) -> tuple[Path | None, Path | None]:
    """Read FASTTRACK_CLOCK_SETTINGS and FASTTRACK_HOLIDAYS_DIR alone.

    Args:
        environ: of the process.

    Returns:
        file of chosen readings and folder of further years, which exist; None for what is not set.

    Raises:
        SettingsError: there is no such file or folder.
    """
    problems: list[str] = []
    readings, holidays = (environ.get(f"{PREFIX}{name}") for name in ("CLOCK_SETTINGS", "HOLIDAYS_DIR"))
    if readings and not Path(readings).is_file():
        problems.append(f"{PREFIX}CLOCK_SETTINGS: there is no such file")
    if holidays and not Path(holidays).is_dir():
        problems.append(f"{PREFIX}HOLIDAYS_DIR: there is no such folder")
    if problems:
        raise SettingsError(problems)
    return Path(readings) if readings else None, Path(holidays) if holidays else None


def parse_vault_url(environ: Mapping[str, str]) -> str:
    """Read FASTTRACK_VAULT_URL alone; it raises as ``parse_database_url``."""
    problems: list[str] = []
    url = _url(environ, "VAULT_URL", problems)
    if problems:
        raise SettingsError(problems)
    return url


def _url(environ: Mapping[str, str], name: str, problems: list[str]) -> str:
    url = environ.get(f"{PREFIX}{name}", "")
    if not url.startswith(("postgresql://", "postgres://")):
        problems.append(f"{PREFIX}{name}: a URL such as postgresql://user@host/database is needed")
    return url


def parse_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        environ: of the process.

    Returns:
        the settings; every file and folder that they name exists.

    Raises:
        SettingsError: naming every bad variable at once; values are not repeated, they may hold a password.
    """
    problems: list[str] = []

    def text(name: str, default: str = "") -> str:
        return environ.get(f"{PREFIX}{name.upper()}", default)

    def path(name: str, *, is_folder: bool) -> Path:
        value = Path(text(name))
        if not text(name):
            problems.append(f"{PREFIX}{name.upper()}: is required")
        elif not (value.is_dir() if is_folder else value.is_file()):
            problems.append(f"{PREFIX}{name.upper()}: there is no such {'folder' if is_folder else 'file'}")
        return value

    url, vault_url = _url(environ, "DATABASE_URL", problems), _url(environ, "VAULT_URL", problems)
    listen = text("listen", "127.0.0.1:8443")
    match = _LISTEN.fullmatch(listen)
    if match is None or int(match[1]) > 65_535:
        problems.append(f"{PREFIX}LISTEN: host:port is needed")
    origin = text("origin")
    if _ORIGIN.fullmatch(origin) is None:
        problems.append(f"{PREFIX}ORIGIN: a name such as gateway.example/fasttrack is needed")
    workers = text("workers", "1")
    if not (workers.isdecimal() and 1 <= int(workers) <= 64):
        problems.append(f"{PREFIX}WORKERS: a number from 1 to 64 is needed")
    level = text("log_level", "INFO").upper()
    if level not in _LEVELS:
        problems.append(f"{PREFIX}LOG_LEVEL: one of {', '.join(_LEVELS)} is needed")
    policy = path("witness_policy", is_folder=False) if text("witness_policy") else None
    schemas = path("schema_versions", is_folder=False) if text("schema_versions") else None
    forms = path("form_settings", is_folder=False) if text("form_settings") else None
    rules = path("rule_settings", is_folder=False) if text("rule_settings") else None
    clocks = path("clock_settings", is_folder=False) if text("clock_settings") else None
    holidays = path("holidays_dir", is_folder=True) if text("holidays_dir") else None
    signers = path("signers_dir", is_folder=True) if text("signers_dir") else None
    files = {name: path(name, is_folder=False) for name in _FILES}
    folders = {name: path(name, is_folder=True) for name in _FOLDERS}
    if problems:
        raise SettingsError(problems)
    return Settings(
        database_url=url,
        vault_url=vault_url,
        listen=listen,
        origin=origin,
        workers=int(workers),
        log_level=level,
        witness_policy=policy,
        schema_versions=schemas,
        form_settings=forms,
        rule_settings=rules,
        clock_settings=clocks,
        holidays_dir=holidays,
        signers_dir=signers,
        **files,
        **folders,
    )
