"""`python -m assistant` is `wattson`."""

from assistant.cli import main

if __name__ == "__main__":
    main()
