"""`python -m streamvq`, and the `streamvq` command."""

from streamvq.cli.app import main

if __name__ == "__main__":
    main()
