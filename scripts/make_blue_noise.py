"""Make the blue-noise mask that `--dither blue-noise` uses: python scripts/make_blue_noise.py

Void and cluster: R. Ulichney, "The void-and-cluster method for dither array generation", 1993. Seeded, so that the
file is the same every time; it is shipped as data.
"""

from pathlib import Path

import numpy as np

SIDE = 64
SIGMA = 1.5  # of the Gaussian that finds clusters and voids, in pixels
FIRST_SHARE = 0.1  # of pixels that the prototype sets
OUTPUT = Path(__file__).resolve().parent.parent / "streamvq" / "quantize" / "dither" / "blue_noise.npy"


def main() -> None:
    ranks = void_and_cluster(SIDE, np.random.default_rng(0))
    np.save(OUTPUT, ranks.astype(np.uint16))
    print(f"{OUTPUT.name}: {SIDE}x{SIDE}")


def void_and_cluster(side: int, random: np.random.Generator) -> np.ndarray:
    """The ranks 0 to side^2 - 1: the pixels of rank below n are spread evenly, for every n."""
    offsets = np.minimum(np.arange(side), side - np.arange(side))  # around the edges
    gaussian = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * SIGMA**2))

    def energy_of(pattern: np.ndarray) -> np.ndarray:
        return np.real(np.fft.ifft2(np.fft.fft2(pattern) * np.fft.fft2(gaussian)))

    def cluster(pattern: np.ndarray, energy: np.ndarray) -> int:
        return int(np.where(pattern.ravel(), energy.ravel(), -np.inf).argmax())

    def void(pattern: np.ndarray, energy: np.ndarray) -> int:
        return int(np.where(pattern.ravel(), np.inf, energy.ravel()).argmin())

    def moved(energy: np.ndarray, at: int, sign: int) -> np.ndarray:
        return energy + sign * np.roll(gaussian, divmod(at, side), (0, 1))

    pattern = np.zeros((side, side), bool)
    pattern.ravel()[random.permutation(side * side)[: int(FIRST_SHARE * side * side)]] = True
    energy = energy_of(pattern)
    while True:  # until the tightest cluster fills the largest void
        full = cluster(pattern, energy)
        pattern.ravel()[full] = False
        energy = moved(energy, full, -1)
        empty = void(pattern, energy)
        pattern.ravel()[empty] = True
        energy = moved(energy, empty, 1)
        if empty == full:
            break
    ranks = np.zeros(side * side, np.int64)
    ones = int(pattern.sum())
    left, left_energy = pattern.copy(), energy.copy()
    for rank in range(ones - 1, -1, -1):
        at = cluster(left, left_energy)
        left.ravel()[at] = False
        left_energy = moved(left_energy, at, -1)
        ranks[at] = rank
    for rank in range(ones, side * side):
        at = void(pattern, energy)
        pattern.ravel()[at] = True
        energy = moved(energy, at, 1)
        ranks[at] = rank
    return ranks.reshape(side, side)


if __name__ == "__main__":
    main()
