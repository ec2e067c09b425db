"""``python -m aicine_utils``: the command line."""

from aicine_utils.cli import main

if __name__ == "__main__":
    main()
