"""Publish the kept results anew, after a change of how they are shown: `python -m bench.report`."""

from bench.report.publishing import publish
from bench.results import FOLDER, load

__all__ = ["main"]


def main() -> None:
    """Publish every form that was run."""
    for file in sorted(FOLDER.glob("*.json")):
        publish(load(file.stem))


if __name__ == "__main__":
    main()
