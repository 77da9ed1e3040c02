"""What a police file of schema 3.3 is: one of 3.2 with the changes of ``schema/changes.csv``.

Source: police interface, schema 3.3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.engine.format import Format
from adapters.police.source import FORMAT as PUBLISHED

FORMAT: Final[Format] = replace(PUBLISHED, schema_version="3.3", package="adapters.police.v3_3", mapping_version="1.1")
