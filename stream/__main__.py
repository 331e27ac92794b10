"""`python -m stream` is `contact-stream`."""

from stream.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
