"""Who we are at a publisher that wants to know: looked up when it is asked, held nowhere, told nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

# The headers that say who asks, by the name the catalogue gives the credentials; none where nothing is known of them.
Secrets = Callable[[str], Mapping[str, str]]


def headers_of(user: str | None, password: str | None) -> dict[str, str]:
    """User and password as GENESIS hosts want them; a token, which is either of them alone, goes in place of the user.

    Empty where there is neither: the host then decides. Blanks around them, as a file's line end, are no part of them.
    """
    user, password = (user or "").strip(), (password or "").strip()
    if user and password:
        return {"username": user, "password": password}
    token = user or password
    return {"username": token, "password": ""} if token else {}


def from_environment(name: str) -> dict[str, str]:
    """The headers of `<name>_USERNAME` and `<name>_PASSWORD`; a token goes into either of them alone."""
    return headers_of(os.environ.get(f"{name}_USERNAME"), os.environ.get(f"{name}_PASSWORD"))
