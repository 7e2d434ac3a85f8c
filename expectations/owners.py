"""Who looks after what the gate finds, as written in `owners.yml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from expectations.strict import Strict, SuiteRefused, Text, read


class Owner(Strict):
    """A role or team as people read it."""

    title_de: Text
    title_en: Text


class Owners(Strict):
    """The owners there are by their short name; `gate` is the one who looks after the gate itself."""

    gate: Text
    owners: Annotated[dict[Text, Owner], Field(min_length=1)]

    def require(self, path: Path, key: str, owner: str) -> None:
        """Raise SuiteRefused naming `path` and `key` where `owner` is none of them."""
        if owner not in self.owners:
            raise SuiteRefused(f"{path}: {key}: {owner!r} is no owner, expected one of {', '.join(self.owners)}")


def load_owners(path: Path) -> Owners:
    """The owners of `owners.yml`; raises SuiteRefused naming file and key."""
    owners = read(path, Owners)
    owners.require(path, "gate", owners.gate)
    return owners
