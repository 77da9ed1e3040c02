"""``fasttrack adapters remap``: the proof that a mapping version gives the same bytes and the same report again.

The entry of a fetch commits to the digests of rendition and report. The signed original is mapped once more on this
machine, with the adapters that are installed here, and the digests are compared.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.connection import SettingsError, SigningCaVerifier
from gateway.cli.exit_code import ExitCode
from gateway.cli.fetch import read_manifest
from gateway.cli.handoff import DEFAULT_CONSUMER, Consumer
from gateway.cli.output import console, print_json
from gateway.core.entry import Entry, EntryKind, HandoffState, from_leaf

if TYPE_CHECKING:
    from gateway.core.schema_register import Schema
    from gateway.rpc.client import GatewayClient

_HINT: Final = "give the index of a fetched entry, the id of a handoff, or --folder DIR that `fasttrack fetch` wrote"


@dataclass(frozen=True, slots=True)
class Original:
    """What is mapped again.

    Args:
        record: the sender's file.
        schema: of the record; None for the one that the record itself names.
        entries: fetches whose digests are compared.
    """

    record: bytes
    schema: Schema | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Remapped:
    """One entry beside what is made of the original here.

    Args:
        entry_index: in the ledger.
        handoff: its id.
        mapping_version: by which the rendition was made, then and now.
        schema: of the receiver in which it was made now, name and version.
        rendition_sha256: of what is made now, 64 hexadecimal digits.
        report_sha256: as above, of its report.
        is_rendition_equal: to the digest in the entry.
        is_report_equal: as above.
    """

    entry_index: int
    handoff: str
    mapping_version: str
    schema: str
    rendition_sha256: str
    report_sha256: str
    is_rendition_equal: bool
    is_report_equal: bool


def add_remap(app: typer.Typer) -> None:
    """Add the command to a group."""
    gateway_command(app, "remap")(_remap)


async def _remap(
    session: Session,
    entry: Annotated[str, typer.Argument(help="Index of the entry of a fetch, or id of a handoff.")] = "",
    folder: Annotated[
        Path | None, typer.Option("--folder", help="What `fasttrack fetch` wrote; no call is made.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Your own original, when you are the sender of the handoff.")
    ] = None,
    consumer: Consumer = DEFAULT_CONSUMER,
) -> ExitCode:
    """Map a fetched record once more and compare with the ledger entry: same mapping version, same bytes, same report.

    With --folder it works without the gateway; give --signing-ca or --profile, and the receipt is verified too. Exit
    status 0 equal, 4 not equal, 1 when this installation lacks the mapping version or cannot read the record.
    """
    if folder is not None:
        original = _from_folder(session, folder, entry)
    elif entry:
        original = await _from_gateway(session, entry, record, consumer)
    else:
        raise SettingsError("what is to be mapped again?", _HINT)
    found = [_map_again(original, item) for item in original.entries]
    lacking = [item.index for item, made in zip(original.entries, found, strict=True) if made is None]
    made = [item for item in found if item is not None]
    is_equal = not lacking and all(item.is_rendition_equal and item.is_report_equal for item in made)
    if session.is_json:
        print_json({"is_equal": is_equal, "entries": [asdict(item) for item in made], "not_mapped": lacking})
    else:
        _show(made, lacking)
    if lacking:
        return ExitCode.REFUSED
    return ExitCode.OK if is_equal else ExitCode.EVIDENCE


def _show(made: list[Remapped], lacking: list[int]) -> None:
    terminal = console()
    for item in made:
        terminal.print(f"entry {item.entry_index}, mapping {item.mapping_version} into {item.schema}", markup=False)
        for what, is_equal, digest in (
            ("rendition", item.is_rendition_equal, item.rendition_sha256),
            ("report   ", item.is_report_equal, item.report_sha256),
        ):
            terminal.print(f"  {what} {'equal' if is_equal else 'NOT EQUAL'}  {digest}", markup=False)
    for index in lacking:
        terminal.print(f"entry {index}: its mapping version is not here, or the record cannot be read by it")


def _map_again(original: Original, entry: Entry) -> Remapped | None:
    """None when the mapping version is not here or the record cannot be read."""
    from hashlib import sha256  # noqa: PLC0415 - loads only what the call needs

    from gateway.app import adapters  # noqa: PLC0415 - as above
    from gateway.core.identity import parse_agency  # noqa: PLC0415 - as above
    from gateway.core.lineage import report_sha256  # noqa: PLC0415 - as above
    from gateway.core.schema_register import Schema  # noqa: PLC0415 - as above

    known = adapters()
    receiver = parse_agency(entry.receiver).system
    if original.schema is None:
        sender = parse_agency(entry.sender).system
        reading = known.read_any(original.record, sender=sender, receiver=receiver)
        schema = Schema(sender, reading.header.version if reading.header is not None else "")
    else:
        schema = original.schema
        if schema.version not in known.versions(schema.name):
            return None
        reading = known.read(original.record, sender=schema.name, receiver=receiver, version=schema.version)
    if reading.has_errors:
        return None
    best: Remapped | None = None
    for target in known.schemas_for(entry.mapping_version, sender=schema, receiver=receiver):
        rendition = known.render(reading, receiver=target.name, version=target.version)
        if rendition.data is None:
            continue
        digests = sha256(rendition.data).hexdigest(), report_sha256(rendition.report)
        is_equal = digests[0] == entry.rendition_sha256, digests[1] == entry.report_sha256
        remapped = Remapped(
            entry.index,
            entry.handoff,
            rendition.mapping_version,
            f"{target.name} {target.version}",
            *digests,
            *is_equal,
        )
        if best is None or is_equal == (True, True):
            best = remapped
    return best


def _from_folder(session: Session, folder: Path, wanted: str) -> Original:
    from gateway.cli.evidence import read_receipt  # noqa: PLC0415 - as above
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.rpc.client_error import EvidenceRejected  # noqa: PLC0415 - as above

    records = sorted(folder.glob("record.*"))
    manifest_path = folder / "manifest.jws"
    if len(records) != 1 or not manifest_path.is_file():
        raise SettingsError(f"{folder} has no manifest.jws with one record beside it", _HINT)
    jws, leaf = read_receipt(folder / "receipt.json")
    if session.settings.signing_ca is not None:
        try:
            _verifier(session.settings.signing_ca).verify_receipt(jws, leaf=leaf, is_fresh=False)
        except GatewayError as error:
            raise EvidenceRejected(f"the receipt does not verify: {error}") from error
    entry = from_leaf(leaf)
    if entry.kind is not EntryKind.FETCHED or wanted not in ("", str(entry.index), entry.handoff):
        raise SettingsError(f"the receipt in {folder} is that of another entry", _HINT)
    return _signed(manifest_path.read_text("ascii"), records[0].read_bytes(), (entry,))


def _verifier(path: Path) -> SigningCaVerifier:
    from cryptography import x509  # noqa: PLC0415 - as above

    return SigningCaVerifier(x509.load_pem_x509_certificate(path.read_bytes()))


def _signed(manifest_jws: str, record: bytes, entries: tuple[Entry, ...]) -> Original:
    """An original whose record is the one that the manifest names."""
    from gateway.core.digest import sha256_hex  # noqa: PLC0415 - as above
    from gateway.core.schema_register import Schema  # noqa: PLC0415 - as above
    from gateway.rpc.client_error import EvidenceRejected  # noqa: PLC0415 - as above

    native = read_manifest(manifest_jws, UUID(entries[0].handoff)).native_record
    if sha256_hex(record) != native.sha256:
        raise EvidenceRejected("the record is not the one that the sender signed")
    return Original(record, Schema(native.schema, native.version), entries)


async def _from_gateway(session: Session, wanted: str, record: Path | None, consumer: str) -> Original:
    async with session.client() as client:
        handoff = await _handoff_of(client, int(wanted)) if wanted.isascii() and wanted.isdecimal() else _uuid(wanted)
        status = await client.get_receipt(handoff)
        fetches = tuple(item.entry for item in status.receipts if item.entry.kind is EntryKind.FETCHED)
        entries = tuple(item for item in fetches if wanted in (str(item.index), item.handoff))
        if not entries:
            raise SettingsError("nobody has fetched this handoff", _HINT)
        if record is not None:
            return _own(record, entries)
        if entries[0].receiver != str(session.settings.agency):
            raise SettingsError(
                "only its receiver gets the original from the gateway", "name your own file: --record FILE"
            )
        # The same act again is answered with the first receipt: nothing is added to the ledger.
        fetched = await client.fetch(handoff, consumer, act_id=UUID(entries[0].act_id))
        if fetched.is_original_withheld:
            raise SettingsError(
                "the original says more than you may see, so the gateway does not give it to you",
                "its sender can map it again: --record FILE",
            )
        data = fetched.record or await _download(client, fetched.manifest_jws, handoff)
    return _signed(fetched.manifest_jws, data, entries)


def _own(record: Path, entries: tuple[Entry, ...]) -> Original:
    """The sender's own file: that its digests are those of the entry proves that it is the original."""
    return Original(record.read_bytes(), None, entries)


async def _handoff_of(client: GatewayClient, index: int) -> UUID:
    """The handoff of the caller's inbox that an entry belongs to, looked for from the latest that is older."""
    rows = [row async for row in client.list_inbox(tuple(HandoffState)) if row.index < index]
    for row in reversed(rows):
        status = await client.get_receipt(row.handoff)
        if any(item.entry_index == index for item in status.receipts):
            return row.handoff
    raise SettingsError(f"entry {index} is no act on a handoff to you", "give the id of the handoff")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise SettingsError(f"{text} is neither an index nor an id", _HINT) from error


async def _download(client: GatewayClient, manifest_jws: str, handoff: UUID) -> bytes:
    """A record too large for the call, which travels as a material."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "record"
        await client.download(read_manifest(manifest_jws, handoff).native_record.sha256, target)
        return target.read_bytes()
