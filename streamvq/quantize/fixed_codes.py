"""Codes that are given and not learned, each with its row, and the table that they and learned ones make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FixedCodes:
    """Codes uint8 [m, d] that training cannot move; code i is to be row `rows[i]`, and `names[i]` is its name. Where
    any of them is not opaque, `alpha` is theirs, uint8 [m]."""

    codes: NDArray[np.uint8]
    rows: tuple[int, ...]
    names: tuple[str, ...]
    alpha: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def reserved(self) -> tuple[int, ...]:
        """The rows, ascending."""
        return tuple(sorted(self.rows))

    def stand_in(self, codes: NDArray[np.uint8]) -> bool:
        """Whether a table of codes [k, d] has each in its row."""
        fits = codes.shape[1] == self.codes.shape[1] and max(self.rows) < len(codes)
        return fits and bool((codes[list(self.rows)] == self.codes).all())

    def with_learned(self, learned: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The table of all codes: the fixed ones in their rows, the `learned` [n, d] in the rest, in their order.

        Where so few were learned that rows below a fixed one stay free, they repeat the first other code: of equal
        codes only the first is ever chosen, so nothing takes these rows.
        """
        table = np.empty((max(len(self) + len(learned), max(self.rows) + 1), self.codes.shape[1]), np.uint8)
        free = np.setdiff1d(np.arange(len(table)), self.rows)
        if len(learned) < len(free):
            filler = learned[:1] if len(learned) else self._unlike()
            learned = np.concatenate([learned, np.repeat(filler, len(free) - len(learned), axis=0)])
        table[list(self.rows)] = self.codes
        table[free] = learned
        return table

    def all_names(self, n_codes: int) -> tuple[str, ...]:
        """A name for each of `n_codes` rows, empty for those learned; none at all where no fixed code has one."""
        if not any(self.names):
            return ()
        names = [""] * n_codes
        for row, name in zip(self.rows, self.names, strict=True):
            names[row] = name
        return tuple(names)

    def _unlike(self) -> NDArray[np.uint8]:
        """A code [1, d] that is none of these: the darkest gray that is free."""
        for level in range(256):
            code = np.full((1, self.codes.shape[1]), level, np.uint8)
            if not (self.codes == code).all(axis=1).any():
                break
        return code
