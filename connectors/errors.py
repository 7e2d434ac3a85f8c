"""The ways a source can fail; every message says what was expected, what came and what to do."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """Why in a word that programs compare: the code of a finding, and what it is about."""

    code: str
    subject: str


class SourceError(Exception):
    """A source could not be fetched or parsed; its former snapshot stays in force."""

    def __init__(self, message: str, reason: Reason | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class FetchFailed(SourceError):
    """The publisher could not be reached or answered with an error."""


class PayloadRefused(SourceError):
    """The answer is not what the source declares (an error page, another format, a hostile archive)."""


class SnapshotRefused(SourceError):
    """A snapshot cannot be parsed as a whole, or more of it was rejected than its source allows."""


class ParserFault(SourceError):
    """A parser met what its author did not think of: a fault of the parser; the snapshot is not staged."""


class AccountingError(SourceError):
    """Records read are not records staged + rejected + out of scope: a fault of the parser, never of the data."""
