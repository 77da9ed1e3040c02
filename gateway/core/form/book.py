"""The published forms: what there is, how bytes become an annex, and what is wrong with it.

Source: design, section 2 (annex, statement); domain model, section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.form.catalog import published_forms
from gateway.core.form.definition import Form, FormKey, FormKind, Scene, parse_media_type
from gateway.core.form.limit import Limits, published_limits
from gateway.core.form.rule import CheckRule, CheckRules, load_check_rules
from gateway.core.form.schema import CompiledSchema
from gateway.core.form.table import CHECKS
from gateway.core.strict_json import parse_object

MAX_FORM_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 12
MAX_VALUES: Final = 50_000
MAX_FINDINGS: Final = 1_000
"""More findings than this of one form are not told: the form is refused anyway, and the list must fit somewhere."""

_CODES: Final = {
    ErrorCode.MANIFEST_TOO_LARGE: ErrorCode.FORM_TOO_LARGE,
    ErrorCode.MANIFEST_TOO_DEEP: ErrorCode.FORM_TOO_LARGE,
}


class FormBook:
    """All forms with their checks.

    Args:
        forms: as published.
        rules: rows of the checks, with the chosen settings.
        limits: what statutory limits are counted by; None for the readings of the package.
    """

    def __init__(self, forms: Iterable[Form], rules: CheckRules, limits: Limits | None = None) -> None:
        self.forms: Final = {form.key: form for form in forms}
        self.rules: Final = rules
        self.limits: Final = limits or published_limits()
        self._compiled: dict[FormKey, CompiledSchema] = {}
        self._checks: Final = {
            name: tuple(check for check in CHECKS if name in check.forms) for name in {key.name for key in self.forms}
        }

    def find(self, kind: FormKind, name: str, version: int) -> Form:
        """Find a form.

        Args:
            kind: annex or statement.
            name: such as ``recorder-manifest``.
            version: from 1.

        Returns:
            the form.

        Raises:
            GatewayError: FORM_UNKNOWN, FORM_VERSION_UNKNOWN.
        """
        form = self.forms.get(FormKey(kind, name, version))
        if form is not None:
            return form
        if any(key[:2] == (kind, name) for key in self.forms):
            raise GatewayError(
                Finding(ErrorCode.FORM_VERSION_UNKNOWN, "", "the gateway has no such version of the form")
            )
        raise GatewayError(Finding(ErrorCode.FORM_UNKNOWN, "", f"there is no such form of a {kind.value}"))

    def parse(self, form: Form, data: bytes | Mapping[str, Any], path: str = "") -> tuple[Annex | None, list[Finding]]:
        """Read data of a form; only its schema is asked, not its checks.

        Args:
            form: of ``find``.
            data: JSON in UTF-8, at most 1 MiB; or an object that was read strictly already.
            path: of the material, such as ``/materials/3``; "" when it is looked at alone.

        Returns:
            the annex, None when there are findings; the findings, whose paths begin with path and ``#``.
        """
        prefix = to_prefix(path)
        try:
            value = (
                parse_object(data, max_bytes=MAX_FORM_BYTES, max_depth=MAX_DEPTH) if isinstance(data, bytes) else data
            )
        except GatewayError as error:
            return None, [
                replace(finding, code=_CODES.get(finding.code, ErrorCode.FORM_MALFORMED), path=path)
                for finding in error.findings
            ]
        if _has_more_values(value, MAX_VALUES):
            return None, [Finding(ErrorCode.FORM_TOO_LARGE, path, f"at most {MAX_VALUES} values")]
        faults = islice(self._compile(form).find_faults(value), MAX_FINDINGS)
        findings = [replace(fault, path=prefix + fault.path) for fault in faults]
        if findings:
            return None, findings
        return Annex(name=form.key.name, version=form.key.version, path=path, data=value), []

    def find_material(self, media_type: str) -> Form:
        """Find the form of an annex by its media type.

        Raises:
            GatewayError: FORM_UNKNOWN, FORM_VERSION_UNKNOWN.
        """
        named = parse_media_type(media_type)
        if named is None:
            raise GatewayError(
                Finding(ErrorCode.FORM_UNKNOWN, "", "not written as application/vnd.fasttrack.<name>.v1+json")
            )
        return self.find(FormKind.ANNEX, *named)

    def check(self, annexes: Iterable[Annex], scene: Scene) -> list[Finding]:
        """Run every check on annexes that were read: each alone, against each other, against the record.

        Args:
            annexes: those to judge; the checks see ``scene.annexes``.
            scene: what the checks may look at; its settings are those of the rules.

        Returns:
            the findings, in the order of the annexes; of a check that finds a thousand faults, the first thousand.
        """
        in_force = self.rules.on(scene.on)
        return [
            in_force[check.code].to_finding(to_prefix(annex.path) + pointer)
            for annex in annexes
            for check in self._checks.get(annex.name, ())
            if check.code in in_force
            for pointer in islice(check.find(annex, scene), MAX_FINDINGS)
        ]

    def check_statement(self, annex: Annex, scene: Scene) -> list[Finding]:
        """Run every check on the body of a statement.

        Args:
            annex: of ``parse``.
            scene: what the checks may look at besides.

        Returns:
            the findings.
        """
        return self.check([annex], replace(scene, annexes=(annex,)))

    def rows_of(self, form: Form) -> list[CheckRule]:
        """The rows of the checks that a form of this name goes through, in the order of the checks."""
        rows = {row.code: row for row in self.rules.rows}
        return [rows[check.code] for check in self._checks[form.key.name]]

    @property
    def common_codes(self) -> frozenset[ErrorCode]:
        """Codes of the checks that every form goes through."""
        return frozenset(check.code for check in CHECKS if {key.name for key in self.forms} <= set(check.forms))

    def _compile(self, form: Form) -> CompiledSchema:
        compiled = self._compiled.get(form.key)
        if compiled is None:
            compiled = self._compiled[form.key] = CompiledSchema(form.schema)
        return compiled


def to_prefix(path: str) -> str:
    """What stands before the JSON Pointer of a finding: the path of the material and ``#``."""
    return f"{path}#" if path else ""


def _has_more_values(value: Any, most: int) -> bool:
    level: list[Any] = [value]
    count = 0
    while level:
        count += len(level)
        if count > most:
            return True
        level = [
            inner
            for outer in level
            if type(outer) is dict or type(outer) is list
            for inner in (outer.values() if type(outer) is dict else outer)
        ]
    return False


def load_form_book(settings: Mapping[str, Any] | None = None, limits: Limits | None = None) -> FormBook:
    """The forms that come with the package.

    Args:
        settings: of an operator, some or all of those in ``rules/forms.yaml``; None for the defaults.
        limits: what statutory limits are counted by; None for the readings of the package.

    Returns:
        the forms with their checks.

    Raises:
        RuleFileError: a setting is not as it must be.
    """
    return FormBook(published_forms(), load_check_rules(settings), limits)
