"""What may change in a mart under which version: a breaking change needs a new major one (semver)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from publishing.record import ReleasedMart


class BreakingChange(ValueError):
    """A mart breaks what its readers rely on without a new major version; nothing is promoted."""


@dataclass(frozen=True)
class Compatibility:
    """What comparing the candidate's marts with the current release's found, each a sentence.

    breaking: stops the release. notices: worth a look, stops nothing.
    """

    breaking: tuple[str, ...]
    notices: tuple[str, ...]


def compare_contracts(
    former: Mapping[str, ReleasedMart], marts: Mapping[str, ReleasedMart], withdrawn: Mapping[str, str]
) -> Compatibility:
    """What the `marts` of a candidate change of the `former` release's contracts; pure.

    Breaking without a new major version: a column removed, renamed or of another type, another primary key, a mart that
    is gone (`withdrawn` holds the version of each that is withdrawn on purpose). A version never goes backwards. A new
    column without a new minor version, and a new mart, stop nothing; the former is a notice.
    """
    breaking: list[str] = []
    notices: list[str] = []
    for name, before in former.items():
        if name not in marts:
            breaking += _gone(name, before, withdrawn.get(name))
            continue
        after = marts[name]
        old, new = _number(before.version), _number(after.version)
        if new < old:
            breaking.append(
                f"{name}: version {after.version} goes back behind {before.version}; raise `version` in the model's "
                "meta, or roll the release back as well (`muensterland releases rollback`)"
            )
        elif new[0] == old[0]:
            breaking += [
                f"{name}: {change}, but version {after.version} has the same major as {before.version}; "
                f"keep the column, or set `version: {old[0] + 1}.0.0` in the model's meta"
                for change in _changes(before, after)
            ]
            added = sorted(_types(after).keys() - _types(before).keys())
            if added and new[:2] == old[:2]:
                notices.append(
                    f"{name}: new column {', '.join(added)}, version {before.version} -> {after.version}; "
                    f"set `version: {old[0]}.{old[1] + 1}.0` in the model's meta"
                )
    return Compatibility(tuple(breaking), tuple(notices))


def _gone(name: str, before: ReleasedMart, withdrawn: str | None) -> list[str]:
    wanted = f"{_number(before.version)[0] + 1}.0.0"
    if withdrawn is not None and _number(withdrawn)[0] > _number(before.version)[0]:
        return []
    how = f"withdrawn with version {withdrawn}" if withdrawn else "gone without being withdrawn"
    return [
        f"{name}: the mart (version {before.version}) is {how}; keep it, or leave it in the model's YAML for one "
        f"release with `enabled: false` and `version: {wanted}`"
    ]


def _changes(before: ReleasedMart, after: ReleasedMart) -> list[str]:
    old, new = _types(before), _types(after)
    found = []
    for column in old.keys() - new.keys():
        twins = sorted(name for name in new.keys() - old.keys() if new[name] == old[column])
        hint = f" (renamed to {' or '.join(twins)}?)" if twins else ""
        found.append(f"column {column} is gone{hint}")
    found += [
        f"column {name} was {old[name]}, is {new[name]}" for name in old.keys() & new.keys() if old[name] != new[name]
    ]
    if before.primary_key != after.primary_key:
        found.append(f"the primary key was ({', '.join(before.primary_key)}), is ({', '.join(after.primary_key)})")
    return sorted(found)


def _types(mart: ReleasedMart) -> dict[str, str]:
    return {column.name: column.type for column in mart.columns}


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
