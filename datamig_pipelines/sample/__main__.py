"""Command line: ``python -m datamig_pipelines.sample PATH [--scale 1.0] [--seed 7] [--force]``."""

import argparse
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from datamig_pipelines.sample.shop import make_shop


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m datamig_pipelines.sample",
        description='Write the SQLite sample database "shop".',
    )
    parser.add_argument("path", type=Path, metavar="PATH", help="file to write")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="1.0 is about 400,000 rows (default: 1.0)"
    )
    parser.add_argument("--seed", type=int, default=7, help="same seed, same rows (default: 7)")
    parser.add_argument("--force", action="store_true", help="replace PATH if it exists")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the database and print one line about it.

    Returns:
        0 when the file was written, 1 when it was not.
    """
    args = parse(argv)
    started = time.perf_counter()
    try:
        counts = make_shop(args.path, args.scale, args.seed, force=args.force)
    except FileExistsError as error:
        print(f"error: {error}; use --force to replace it", file=sys.stderr)
        return 1
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    seconds = time.perf_counter() - started
    size = args.path.stat().st_size / 1_000_000
    print(
        f"{args.path}: {len(counts)} tables, {sum(counts.values()):,} rows, "
        f"{seconds:.1f} s, {size:.1f} MB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
