"""Run a verb of a contender: `python -m bench.contenders NAME VERB ORDER`; its last line is the result."""

import importlib
import sys

import msgspec

from bench.contenders.contract import Contender, Order, say

__all__ = ["main"]


def main() -> None:
    """Find the contender by the name of its module, and call the verb."""
    name, verb, order = sys.argv[1:4]
    contender: Contender = importlib.import_module(f"bench.contenders.{name}").contender
    result = getattr(contender, verb)(msgspec.json.decode(order, type=Order))
    if result is not None:
        say(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
