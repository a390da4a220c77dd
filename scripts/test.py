"""Set everything up and pass the checks and tests: python3 scripts/test.py [pytest options]"""

import sys

from _environment import python_with, run


def main() -> None:
    python = python_with("test")
    run(python, "-m", "ruff", "check", ".")
    run(python, "-m", "ruff", "format", "--check", ".")
    run(python, "-m", "mypy")
    run(python, "-m", "pytest", *sys.argv[1:])


if __name__ == "__main__":
    main()
