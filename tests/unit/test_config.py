"""Settings from the environment: all of them documented, all that is wrong told at once, no value repeated."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import gateway.config
from gateway.app import load_forms
from gateway.config import PREFIX, Settings, SettingsError, parse_counting, parse_database_url, parse_settings

SECRET = "correct-horse"
FILES = (
    "TLS_CERT",
    "TLS_KEY",
    "TLS_CA",
    "SIGNING_CA",
    "RECEIPT_CERT",
    "RECEIPT_KEY",
    "PSEUDONYM_KEY_FILE",
    "MASTER_KEY_FILE",
)
FOLDERS = ("MATERIALS_DIR",)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The least environment that a gateway needs."""
    values = {
        "DATABASE_URL": f"postgresql://gateway:{SECRET}@db/ledger",
        "VAULT_URL": f"postgresql://vault:{SECRET}@db/vault",
        "ORIGIN": "gateway.example/fasttrack",
        **{name: str(tmp_path / name) for name in (*FILES, *FOLDERS)},
    }
    for name in FILES:
        (tmp_path / name).touch()
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    return {f"{PREFIX}{name}": value for name, value in values.items()}


def _problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_settings(environ)
    return caught.value.problems


def test_least_settings_are_read_with_their_defaults(environ: dict[str, str], tmp_path: Path) -> None:
    """What is not set has the default that the table names."""
    settings = parse_settings(environ)
    assert (settings.listen, settings.workers, settings.log_level) == ("127.0.0.1:8443", 1, "INFO")
    assert settings.tls_key == tmp_path / "TLS_KEY"
    assert settings.database_url == environ[f"{PREFIX}DATABASE_URL"]


def test_every_setting_stands_in_the_documented_table() -> None:
    """An operator finds every variable, and none that does not exist."""
    table = gateway.config.__doc__ or ""
    documented = {
        word.strip(", ")
        for line in table.splitlines()
        if line.startswith(f"| {PREFIX}")
        for word in line.split("|")[1].split()
    }
    assert documented == {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}


def test_empty_environment_names_every_required_setting_at_once() -> None:
    """Whoever sets up a gateway repairs its settings once."""
    named = {problem.split(":")[0] for problem in _problems({})}
    assert named == {f"{PREFIX}{name}" for name in ("DATABASE_URL", "VAULT_URL", "ORIGIN", *FILES, *FOLDERS)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://db"),
        ("DATABASE_URL", ""),
        ("VAULT_URL", "mysql://db"),
        ("LISTEN", "8443"),
        ("LISTEN", "host:99999"),
        ("LISTEN", "host:8443/x"),
        ("LISTEN", "host:٨٤٤٣"),
        ("ORIGIN", ""),
        ("ORIGIN", "two words"),
        ("ORIGIN", "line\nbreak"),
        ("WORKERS", "0"),
        ("WORKERS", "65"),
        ("WORKERS", "-1"),
        ("WORKERS", "two"),
        ("LOG_LEVEL", "LOUD"),
        ("TLS_KEY", "/nowhere/tls.key"),
        ("TLS_KEY", "/"),
        ("MATERIALS_DIR", "/nowhere"),
    ],
)
def test_bad_setting_is_named_and_its_value_is_not_repeated(name: str, value: str, environ: dict[str, str]) -> None:
    """The message names the variable; values may hold passwords, so none is shown."""
    (problem,) = _problems({**environ, f"{PREFIX}{name}": value})
    assert problem.startswith(f"{PREFIX}{name}:")
    assert len(value) < 3 or value not in problem.removeprefix(f"{PREFIX}{name}")


def test_several_bad_settings_are_told_together_without_the_password(environ: dict[str, str]) -> None:
    """All at once, and a password in a bad URL stays out of the message."""
    bad: dict[str, Any] = {"DATABASE_URL": f"oracle://gateway:{SECRET}@db", "WORKERS": "many", "LISTEN": "x"}
    problems = _problems({**environ, **{f"{PREFIX}{name}": value for name, value in bad.items()}})
    assert {problem.split(":")[0] for problem in problems} == {f"{PREFIX}{name}" for name in bad}
    assert SECRET not in "\n".join(problems)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:8443", "gateway.example:65535", "0.0.0.0:1"])
def test_listen_address_in_every_usual_form_is_read(listen: str, environ: dict[str, str]) -> None:
    """Names, IPv4 and IPv6 in brackets, with a port."""
    assert parse_settings({**environ, f"{PREFIX}LISTEN": listen}).listen == listen


def test_log_level_is_read_in_either_case(environ: dict[str, str]) -> None:
    """Operators write levels as they like."""
    assert parse_settings({**environ, f"{PREFIX}LOG_LEVEL": "debug"}).log_level == "DEBUG"


def test_database_url_alone_is_enough_for_commands_that_need_no_more(environ: dict[str, str]) -> None:
    """Migrating needs no certificates."""
    name = f"{PREFIX}DATABASE_URL"
    assert parse_database_url({name: environ[name]}) == environ[name]
    with pytest.raises(SettingsError) as caught:
        parse_database_url({})
    assert caught.value.problems[0].startswith(name)


def test_form_settings_when_named_are_a_file_that_exists(environ: dict[str, str], tmp_path: Path) -> None:
    """A profile that is not there must not silently become the default one."""
    assert parse_settings(environ).form_settings is None
    assert _problems({**environ, "FASTTRACK_FORM_SETTINGS": str(tmp_path / "none.yaml")}) == [
        "FASTTRACK_FORM_SETTINGS: there is no such file"
    ]
    file = tmp_path / "forms.yaml"
    file.write_text("clock_drift_seconds: 5\n", "utf-8")
    assert parse_settings({**environ, "FASTTRACK_FORM_SETTINGS": str(file)}).form_settings == file
    assert load_forms(file).rules.settings.clock_drift_seconds == 5
    assert load_forms(None).rules.settings.clock_drift_seconds == 60


def test_counting_settings_are_the_same_for_gateway_and_scheduler(environ: dict[str, str], tmp_path: Path) -> None:
    """Both read the same two variables, and both refuse what is not there rather than count by the defaults."""
    readings, folder = tmp_path / "readings.yaml", tmp_path / "years"
    named = {**environ, "FASTTRACK_CLOCK_SETTINGS": str(readings), "FASTTRACK_HOLIDAYS_DIR": str(folder)}
    told = ["FASTTRACK_CLOCK_SETTINGS: there is no such file", "FASTTRACK_HOLIDAYS_DIR: there is no such folder"]
    assert _problems(named) == told
    with pytest.raises(SettingsError) as caught:
        parse_counting(named)
    assert caught.value.problems == told
    readings.touch()
    folder.mkdir()
    settings = parse_settings(named)
    assert (settings.clock_settings, settings.holidays_dir) == parse_counting(named) == (readings, folder)
    assert parse_counting(environ) == (None, None)
