"""Run one verb of one contender: `python -m bench.contenders NAME VERB URL COUNT`; prints JSON."""

import importlib
import json
import sys


def main() -> None:
    """Call the verb; its result goes to standard output as one line."""
    name, verb, url, count = sys.argv[1:5]
    module = importlib.import_module(f"bench.contenders.{name}")
    print(json.dumps(getattr(module, verb)(url, int(count))), flush=True)


if __name__ == "__main__":
    main()
