"""Kinds of values that a source's YAML declares, refused when it is loaded."""

from __future__ import annotations

import codecs
import re
from typing import Annotated

from pydantic import AfterValidator, Field


def pattern(value: str) -> str:
    """The regular expression as it is; ValueError where it is none."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def _encoding(value: str) -> str:
    try:
        codecs.lookup(value)
    except LookupError as error:
        raise ValueError(f"is {value!r}, expected an encoding such as utf-8, cp1252 or utf-16") from error
    return value


Pattern = Annotated[str, AfterValidator(pattern)]
Encoding = Annotated[str, AfterValidator(_encoding)]
# Amtlicher Gemeindeschlüssel of a municipality.
Ags = Annotated[str, Field(pattern=r"^\d{8}$")]
