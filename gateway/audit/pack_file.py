"""Step 9 of ``verify``: texts, renditions and materials are those whose digests were recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from gateway.audit.finding import AuditFinding, Severity
from gateway.audit.pack import Pack

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileCheck:
    """Checks what lies beside the entries of a pack.

    Args:
        pack: with its bundles read.
    """

    pack: Pack

    def run(self, index: dict[str, Any]) -> None:
        """Check every file that an entry or a manifest names by its digest.

        Args:
            index: ``case.json``.
        """
        self._check_texts()
        self._check_renditions()
        self._check_materials(index)

    def _check_texts(self) -> None:
        for number, entry in self.pack.entries.items():
            name = f"details/{number}.json"
            data = self.pack.take(name)
            is_gone = data is None and self.pack.destroyed is not None
            if not is_gone and (sha256(data).hexdigest() if data is not None else "") != entry.detail_sha256:
                self.pack.wrong("detail", name, "not the text whose digest is in the ledger", number)
            name = f"facts/{number}.json"
            data = self.pack.take(name)
            if (sha256(data).hexdigest() if data is not None else "") != entry.facts_sha256:
                self.pack.wrong("facts", name, "not the facts whose digest is in the ledger", number)

    def _check_renditions(self) -> None:
        for number, entry in self.pack.entries.items():
            folder = f"renditions/{number}"
            data, report = self.pack.take(f"{folder}/rendition.bin"), self.pack.take(f"{folder}/report.json")
            if not entry.rendition_sha256 or (data is None and report is None):
                if data is not None or report is not None:
                    self.pack.wrong("rendition-stray", folder, "nothing was rendered at this entry", number)
                elif entry.rendition_sha256 and self.pack.destroyed is None:
                    reason = f"not in the pack; it was made by {entry.mapping_version}"
                    self.pack.report(AuditFinding("rendition-missing", folder, "", reason, number, Severity.UNKNOWN))
                continue
            for name, found, wanted in (
                ("rendition.bin", data, entry.rendition_sha256),
                ("report.json", report, entry.report_sha256),
            ):
                if found is None or sha256(found).hexdigest() != wanted:
                    self.pack.wrong(
                        "rendition", f"{folder}/{name}", "not the one whose digest is in the ledger", number
                    )

    def _check_materials(self, index: dict[str, Any]) -> None:
        listed = index.get("materials")
        items = [item for item in (listed if isinstance(listed, list) else []) if isinstance(item, dict)]
        named = {str(item.get("sha256")) for item in items}
        if named != self.pack.expected:
            self.pack.wrong("index-materials", "case.json", "does not name the materials of the manifests")
        included = {str(item.get("sha256")) for item in items if item.get("is_included")}
        for name in self.pack.bag.names("materials/"):
            self.pack.used.add(name)
            digest = name.removeprefix("materials/")
            if digest not in self.pack.expected or self.pack.bag.digests[name] != digest:
                self.pack.wrong("material", name, "not a material of the case with this digest")
            included.discard(digest)
        for digest in sorted(included):
            self.pack.wrong(
                "material-missing", f"materials/{digest}" if _DIGEST.fullmatch(digest) else "case.json", "is missing"
            )
