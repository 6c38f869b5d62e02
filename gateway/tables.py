"""CSV files as other machines write them."""

from __future__ import annotations

from gateway.errors import InputFault


def decoded(raw: bytes, name: str) -> str:
    """The text of a file: UTF-8 or GB 18030. Raises InputFault."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputFault(f"{name}: is neither UTF-8 nor GB 18030 text")
