"""Which adapters exist, and the three things they do: read a record, render it for a receiver, map it in one step."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Final

from adapters.court.source import FORMAT as COURT
from adapters.engine.adapter import MOST_BYTES, Adapter
from adapters.engine.scan import Scan
from adapters.justice.source import FORMAT as JUSTICE
from adapters.police.source import FORMAT as POLICE
from adapters.procuratorate.source import FORMAT as PROCURATORATE
from gateway.core.case import Reading, Rendition
from gateway.core.errors import ErrorCode, refuse

MAPPING_VERSION: Final = "1.0"
"""Version of the pages of the agency interfaces that the adapters follow."""


@lru_cache(maxsize=1)
def _adapters() -> dict[str, Adapter]:
    return {made.name: Adapter(made) for made in (POLICE, PROCURATORATE, COURT, JUSTICE)}


class Adapters:
    """All adapters by name: police, procuratorate, court, justice. Cheap to make; plans are made once and shared.

    Args:
        most_bytes: size of a record that is accepted.
    """

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._by_name = _adapters()
        self._most_bytes = most_bytes

    def names(self) -> tuple[str, ...]:
        """Names of the adapters."""
        return tuple(self._by_name)

    def schema_version(self, name: str) -> str:
        """Version of the schema that an adapter reads and writes."""
        return self._get(name).format.schema_version

    def encoding(self, name: str) -> str:
        """Encoding of an agency's files."""
        return self._get(name).format.encoding

    def media_type(self, name: str) -> str:
        """Media type of an agency's files."""
        return self._get(name).format.media_type

    def read(self, data: bytes, *, sender: str, receiver: str) -> Reading:
        """Read a record into the canonical case.

        Args:
            data: the file, byte for byte.
            sender: adapter name of the agency that wrote it.
            receiver: adapter name of the agency that it is for.

        Returns:
            the reading with all findings, whatever the bytes are.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name that is no adapter.
        """
        return self._get(sender).read(data, self._get(receiver).name, most_bytes=self._most_bytes)

    def render(self, reading: Reading, *, receiver: str) -> Rendition:
        """Write a reading in the schema of a receiver.

        Args:
            reading: what ``read`` gave for this receiver.
            receiver: adapter name.

        Returns:
            the rendition, without bytes and report when the reading has errors; the report waits until it is asked for.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name that is no adapter.
        """
        adapter = self._get(receiver)
        made = adapter.format
        scan = reading.trace
        if reading.has_errors or not isinstance(scan, Scan):
            return Rendition(None, made.media_type, made.encoding, MAPPING_VERSION, made.schema_version)
        data, writer = adapter.write(scan.root, scan.root.fields["record.kind"], reading.agency)
        lineage = partial(adapter.report, scan, writer)
        return Rendition(data, made.media_type, made.encoding, MAPPING_VERSION, made.schema_version, lineage)

    def map(self, data: bytes, *, sender: str, receiver: str) -> tuple[Reading, Rendition]:
        """Read a record and render it.

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

    def adapter(self, name: str) -> Adapter:
        """One adapter, for what needs more than a mapping.

        Raises:
            GatewayError: ARGUMENT_INVALID for a name that is no adapter.
        """
        return self._get(name)

    def _get(self, name: str) -> Adapter:
        adapter = self._by_name.get(name)
        if adapter is None:
            raise refuse(ErrorCode.ARGUMENT_INVALID, message="no adapter has this name")
        return adapter
