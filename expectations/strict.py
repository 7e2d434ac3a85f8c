"""Rules as they are written in YAML: strict, so that a slip of the pen fails at load and names file and key."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Mart = Annotated[str, StringConstraints(pattern=r"^(dim|fct|mart)_[a-z0-9_]+$")]


class SuiteRefused(ValueError):
    """A file of rules (suite, owners, quarantine, row counts) does not say what it must say."""


class Strict(BaseModel):
    """A shape that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Shape = TypeVar("Shape", bound=Strict)


def read(path: Path, shape: type[Shape]) -> Shape:
    """The content of a YAML file as `shape`; raises SuiteRefused naming the file and the key that does not fit."""
    try:
        text = path.read_text(encoding="utf-8")
        return shape.model_validate(yaml.load(text, Loader=_NoKeyTwice))  # noqa: S506  a safe loader, only stricter
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SuiteRefused(f"{path}: expected YAML: {error}") from error
    except ValidationError as error:
        keys = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise SuiteRefused(f"{path}: {keys}") from error


class _NoKeyTwice(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"keys given twice: {sorted(twice)}", node.start_mark)
        return super().construct_mapping(node, deep)
