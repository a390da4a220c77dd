"""Set everything up and pass the checks and tests: python3 scripts/test.py [pytest options]"""

import sys

from _environment import python_with, run

OURS = ("streamvq", "tests", "scripts")


def main() -> None:
    python = python_with("test")
    run(python, "-m", "ruff", "check", *OURS)
    run(python, "-m", "ruff", "format", "--check", *OURS)
    run(python, "-m", "mypy")
    run(python, "-m", "pytest", *sys.argv[1:])


if __name__ == "__main__":
    main()
