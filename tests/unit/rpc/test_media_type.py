"""Media types that a client of ours gives to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.rpc.client_bundle import to_media_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("recorder-manifest.v1.json", "application/vnd.fasttrack.recorder-manifest.v1+json"),
        ("A110.2024.recorder-manifest.v1.json", "application/vnd.fasttrack.recorder-manifest.v1+json"),
        ("recorder-manifest.v2.json", "application/json"),
        ("notes.v1.json", "application/json"),
        ("page.pdf", "application/pdf"),
    ],
)
def test_media_type_of_a_file_named_like_a_published_form_is_that_of_the_annex(name: str, media_type: str) -> None:
    """The name decides; a file that only looks like a form stays what it is."""
    assert to_media_type(Path(name)) == media_type
