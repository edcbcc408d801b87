"""A key that never prints itself.

The only door is `reveal()`, which is called where a key leaves the program (`gemini/`) or is put away (`secrets/`);
a test greps for any other caller.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import NoReturn

_SHORTEST_WITH_TAIL = 12


class Secret:
    """An API key or passphrase. Printing or formatting it shows at most four characters; it can't be copied."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The plain text."""
        return self.__value

    @property
    def tail(self) -> str:
        """The last four characters, or nothing for secrets too short for that to be harmless."""
        return self.__value[-4:] if len(self.__value) >= _SHORTEST_WITH_TAIL else ""

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __repr__(self) -> str:
        return f"Secret(…{self.tail})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __rich_repr__(self) -> Iterator[str]:
        yield f"…{self.tail}"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied")

    def __copy__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied")
