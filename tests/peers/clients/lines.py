"""How a client talks to the test that drives it: one JSON value a line, as in lines.mjs."""

import json
import sys
import traceback


def hear():
    line = sys.stdin.readline()
    if not line:
        raise EOFError("the test went away")
    return json.loads(line)


def say(value):
    print(json.dumps(value), flush=True)


def visit(url):
    """Opens an address in the test's browser; where that came to rest."""
    say({"open": url})
    return hear()["at"]


def run(client):
    """Runs a client to its end: its answer, or its error, is the last line."""
    try:
        say({"done": client(hear())})
    except Exception as error:
        say({"failed": {"name": type(error).__name__, "message": str(error), "cause": traceback.format_exc()}})
        sys.exit(1)
