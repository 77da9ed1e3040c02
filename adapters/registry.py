"""Which adapters exist, and the three things they do: read a record, render it for a receiver, map it in one step.

An agency system has one adapter for each version of its schema. The first is the published one: it counts wherever
nobody names a version.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Final

from adapters.court.source import FORMAT as COURT
from adapters.definition import Definition, define
from adapters.engine.adapter import MOST_BYTES, Adapter
from adapters.engine.format import PUBLISHED_MAPPING, Format
from adapters.engine.scan import Scan
from adapters.justice.source import FORMAT as JUSTICE
from adapters.locate import locate
from adapters.plugin import BrokenPlugin, load_format, load_plugins, load_samples
from adapters.police.source import FORMAT as POLICE
from adapters.police.v3_3.source import FORMAT as POLICE_3_3
from adapters.procuratorate.source import FORMAT as PROCURATORATE
from gateway.core.case.case import Reading, Rendition
from gateway.core.errors import ErrorCode, refuse
from gateway.core.identity import SYSTEM_OF_ROLE, parse_agency
from gateway.core.schema_register import Schema

if TYPE_CHECKING:
    from importlib.abc import Traversable

    from adapters.contract import Kept
    from adapters.explain import Explained
    from adapters.matrix import Matrix

BUILT_IN: Final = (POLICE, POLICE_3_3, PROCURATORATE, COURT, JUSTICE)
"""Versions of one name stand in their order, the published one first."""


@lru_cache(maxsize=1)
def _built_in() -> tuple[Adapter, ...]:
    return tuple(map(Adapter, BUILT_IN))


def _published() -> tuple[Adapter, ...]:
    return tuple(adapter for adapter in _built_in() if adapter.format.mapping_version == PUBLISHED_MAPPING)


def mapping_version(sender: Format, receiver: Format) -> str:
    """Version of the rules of one pair of schema versions.

    Args:
        sender: schema that is read.
        receiver: schema that is written.

    Returns:
        "1.0" for the published pairs; else the versions of those of the two that are not published, joined with "+".
    """
    own = dict.fromkeys((sender.mapping_version, receiver.mapping_version))
    own.pop(PUBLISHED_MAPPING, None)
    return "+".join(own) or PUBLISHED_MAPPING


class Adapters:
    """All adapters by name: police, procuratorate, court, justice and plug-ins. Plans are made once and shared.

    Args:
        most_bytes: size of a record that is accepted.
        registered: schema by agency, in short form, for those that do not use the published one of their system.
        formats: schemas of other adapters; None for those that are installed as plug-ins.

    Raises:
        ValueError: a registered schema does not exist or belongs to agencies of another role; all are named.
    """

    def __init__(
        self,
        *,
        most_bytes: int = MOST_BYTES,
        registered: Mapping[str, Schema] | None = None,
        formats: tuple[Format, ...] | None = None,
    ) -> None:
        self.broken: tuple[BrokenPlugin, ...] = ()
        if formats is None:
            formats, self.broken = load_plugins(BUILT_IN)
        self._most_bytes = most_bytes
        self._by_schema: dict[tuple[str, str], Adapter] = {}
        for adapter in (*_built_in(), *map(Adapter, formats)):
            self._by_schema[adapter.name, adapter.format.schema_version] = adapter
            self._by_schema.setdefault((adapter.name, ""), adapter)
        self._published = {system: self._schema(system) for system in SYSTEM_OF_ROLE.values()}
        self._registered = dict(registered or {})
        self._check_registered()

    def _check_registered(self) -> None:
        bad = []
        for agency, schema in self._registered.items():
            adapter = self._by_schema.get(schema)
            if adapter is None or adapter.format.system != parse_agency(agency).system:
                bad.append(f"{agency}: no schema {schema.name} {schema.version} for an agency of this role")
        if bad:
            raise ValueError("; ".join(bad))

    def _schema(self, name: str) -> Schema:
        return Schema(name, self._get(name).format.schema_version)

    def names(self) -> tuple[str, ...]:
        """Names of the adapters."""
        return tuple(dict.fromkeys(name for name, _ in self._by_schema))

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of the schema that an adapter reads and writes, the published one first; none for another name."""
        return tuple(version for known, version in self._by_schema if known == name and version)

    def is_plugin(self, name: str) -> bool:
        """Whether an adapter is a plug-in."""
        return all(name != made.name for made in BUILT_IN)

    def schema_of(self, agency: str) -> Schema:
        """The schema that an agency is registered with, else the published one of its system.

        Args:
            agency: short form, e.g. ``ps:110108``.

        Raises:
            GatewayError: ARGUMENT_INVALID for what is no agency or exchanges no records.
        """
        schema = self._registered.get(agency) or self._published.get(parse_agency(agency).system)
        if schema is None:
            raise refuse(ErrorCode.ARGUMENT_INVALID, message="this agency exchanges no records")
        return schema

    def schema_version(self, name: str) -> str:
        """Published version of the schema that an adapter reads and writes."""
        return self._get(name).format.schema_version

    def encoding(self, name: str) -> str:
        """Encoding of an agency's files."""
        return self._get(name).format.encoding

    def media_type(self, name: str) -> str:
        """Media type of an agency's files."""
        return self._get(name).format.media_type

    def read(self, data: bytes, *, sender: str, receiver: str, version: str = "") -> Reading:
        """Read a record into the canonical case.

        Args:
            data: the file, byte for byte.
            sender: adapter name of the agency that wrote it.
            receiver: adapter name of the agency that it is for.
            version: of the sender's schema; "" for the published one. A record of another version has UNKNOWN_VERSION.

        Returns:
            the reading with all findings, whatever the bytes are.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name or version that no adapter has.
        """
        return self._get(sender, version).read(data, self._get(receiver).format, most_bytes=self._most_bytes)

    def read_any(self, data: bytes, *, sender: str, receiver: str) -> Reading:
        """Read a record by the version of the sender's schema that it names itself, if there is such a version.

        Args:
            data: the file, byte for byte.
            sender: adapter name of the agency that wrote it.
            receiver: adapter name of the agency that it is for.

        Returns:
            the reading; that by the published version when the record names none that is known.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name that no adapter has.
        """
        first = self.read(data, sender=sender, receiver=receiver)
        if not _is_other_version(first):
            return first
        others = (self.read(data, sender=sender, receiver=receiver, version=v) for v in self.versions(sender)[1:])
        return next((reading for reading in others if not _is_other_version(reading)), first)

    def render(self, reading: Reading, *, receiver: str, version: str = "") -> Rendition:
        """Write a reading in the schema of a receiver.

        Args:
            reading: what ``read`` gave for this receiver.
            receiver: adapter name.
            version: of the receiver's schema; "" for the published one.

        Returns:
            the rendition, without bytes and report when the reading has errors; the report waits until it is asked for.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name or version that no adapter has.
        """
        adapter = self._get(receiver, version)
        made = adapter.format
        scan = reading.trace
        version_read = reading.header.version if reading.header is not None else ""
        source = self._by_schema.get((reading.agency, version_read)) or self._get(reading.agency)
        rules = mapping_version(source.format, made)
        if reading.has_errors or not isinstance(scan, Scan):
            return Rendition(None, made.media_type, made.encoding, rules, made.schema_version)
        data, writer = adapter.write(scan.root, scan.root.fields["record.kind"], reading.agency)
        lineage = partial(adapter.report, scan, writer)
        return Rendition(data, made.media_type, made.encoding, rules, made.schema_version, lineage)

    @staticmethod
    def locate(reading: Reading, field: str) -> str:
        """Path in the sender's own file of a canonical field.

        Args:
            reading: what ``read`` gave.
            field: such as ``person[1].plea.guilty``, items counted from 1.

        Returns:
            the path of its leaf, present or not; of the item around it where that cannot be said; "" for the file.
        """
        return locate(reading.trace, field) if isinstance(reading.trace, Scan) else ""

    def map(self, data: bytes, *, sender: str, receiver: str) -> tuple[Reading, Rendition]:
        """Read a record and render it, both by the published version.

        Args:
            data: the file, byte for byte.
            sender: adapter name of the agency that wrote it.
            receiver: adapter name of the agency that it is for.

        Returns:
            the reading and the rendition.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name that is no adapter.
        """
        reading = self.read(data, sender=sender, receiver=receiver)
        return reading, self.render(reading, receiver=receiver)

    def check(self, plugin: str, samples: Traversable | None = None) -> tuple[Kept, ...]:
        """Run the contract that every adapter keeps.

        Args:
            plugin: name of an adapter, or ``module:ATTRIBUTE`` of one that is not installed.
            samples: folder of its samples; None for ``samples`` in its package.

        Returns:
            one line for each promise.

        Raises:
            ValueError: it cannot be loaded, or there is no adapter of this name.
        """
        from adapters.contract import Subject, check_adapter  # noqa: PLC0415 - only for who writes an adapter

        if ":" in plugin:
            adapter = Adapter(load_format(plugin))
        elif plugin in self.names():
            adapter = self._get(plugin)
        else:
            problems = [known.problem for known in self.broken if known.name == plugin]
            raise ValueError(problems[0] if problems else f"there are {', '.join(self.names())}")
        folder = samples if samples is not None else resources.files(adapter.format.folder).joinpath("samples")
        others = tuple(other for other in _published() if other.name != adapter.name)
        return check_adapter(Subject(adapter, load_samples(folder), others))

    def explain(self, field: str, *, agency: str, version: str = "") -> tuple[Explained, ...]:
        """Say where a field of an agency goes in every other agency.

        Args:
            field: path, tag, attribute or member, or canonical field.
            agency: adapter name.
            version: of its schema; "" for the published one.

        Returns:
            one for each leaf that is meant.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name or version that no adapter has, and when no leaf is meant; the
                message names fields that are written alike.
        """
        from adapters.explain import explain  # noqa: PLC0415 - not needed for a mapping

        return explain(self._every(), self._get(agency, version), field)

    def definitions(self) -> tuple[Definition, ...]:
        """What defines each version of each adapter, for the ledger."""
        return tuple(define(adapter.format) for adapter in self._every())

    def matrix(self) -> Matrix:
        """The table of all canonical fields and the leaves that hold them."""
        from adapters.matrix import make_matrix  # noqa: PLC0415 - as above

        return make_matrix(self._every())

    def matrix_document(self) -> str:
        """The same table as the Markdown document ``MATRIX.md``."""
        from adapters.matrix import to_markdown  # noqa: PLC0415 - as above

        return to_markdown(self.matrix())

    def schemas_for(self, rules: str, *, sender: Schema, receiver: str) -> tuple[Schema, ...]:
        """Schemas in which a mapping version renders the records of a sender.

        Args:
            rules: mapping version, as a ledger entry names it.
            sender: schema of the record.
            receiver: agency system that the record is for.

        Returns:
            the receiver's schemas; none when there is no such mapping version here.

        Raises:
            GatewayError: ARGUMENT_INVALID when there is no such schema of a sender.
        """
        source = self._get(*sender).format
        formats = [adapter.format for adapter in self._every()]
        return tuple(
            Schema(made.name, made.schema_version)
            for made in formats
            if made.system == receiver and mapping_version(source, made) == rules
        )

    def _every(self) -> tuple[Adapter, ...]:
        return tuple(adapter for (_, version), adapter in self._by_schema.items() if version)

    def adapter(self, name: str, version: str = "") -> Adapter:
        """One adapter, for what needs more than a mapping.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name or version that no adapter has.
        """
        return self._get(name, version)

    def _get(self, name: str, version: str = "") -> Adapter:
        adapter = self._by_schema.get((name, version))
        if adapter is None:
            raise refuse(ErrorCode.ARGUMENT_INVALID, message="no adapter has this name and version")
        return adapter


def _is_other_version(reading: Reading) -> bool:
    return any(finding.code is ErrorCode.UNKNOWN_VERSION for finding in reading.findings)
