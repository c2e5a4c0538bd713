"""python -m studio: the pages of a local server, or of an AWS account."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from studio.account.account import connect
from studio.errors import StudioError
from studio.place import PORT
from studio.serve import serve


def build_parser() -> argparse.ArgumentParser:
    """The arguments."""
    parser = argparse.ArgumentParser(prog="python -m studio", description=__doc__)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--endpoint-url", metavar="URL", help="a local server, such as http://127.0.0.1:5599")
    place.add_argument("--profile", metavar="NAME", help="an AWS account, by a profile of the AWS configuration")
    parser.add_argument("--region", metavar="NAME", help="the region, if neither the profile nor AWS_REGION sets it")
    parser.add_argument("--allow-changes", action="store_true", help="allow changes to an AWS account")
    parser.add_argument("--port", type=int, default=PORT, help=f"the port on 127.0.0.1 ({PORT}; 0 takes a free one)")
    parser.add_argument("--lessons", type=Path, metavar="FOLDER", help="show the Markdown files of a folder as lessons")
    parser.add_argument("--no-open", action="store_true", help="print the address and open no browser")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; 0, or 1 with one sentence on what is wrong."""
    options = build_parser().parse_args(arguments)
    try:
        account = connect(options.endpoint_url, options.profile, options.region, options.allow_changes)
        serve(account, options.port, not options.no_open, lambda text: print(text, flush=True), options.lessons)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
