"""The command line: flags in, a Session built, a face started."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from assistant import __version__

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from pathlib import Path

    from assistant.session import Session


def main() -> None:
    """Run `wattson` with the arguments of the process; ends with the exit codes of the README."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"wattson {__version__}\n")
        return
    sys.exit(_run(sys.argv[1:]))


def _run(argv: list[str]) -> int:
    import os
    from pathlib import Path

    from assistant.errors import AssistantError

    options = _parse(argv)
    root = Path(getattr(options, "root", None) or getattr(options, "folder", None) or Path.cwd())
    try:
        if options.command == "demo":
            from assistant import demo

            root = demo.prepare(Path(options.folder) if options.folder else None)
        session = _session(root, dict(os.environ))
        if options.command in {"tui", "demo"}:
            from assistant.tui.app import start

            return start(
                session,
                options.model or ("scripted/lesson" if options.command == "demo" else ""),
                resume=options.resume,
            )
        from assistant import headless

        return headless.run(session, options)
    except AssistantError as error:
        sys.stderr.write(f"wattson: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _session(root: Path, env: Mapping[str, str]) -> Session:
    from assistant import config
    from assistant.session import Session

    places = config.places(env)
    return Session(root, places=places, config=config.load(places, root), env=env)


def _parse(argv: list[str]) -> Namespace:
    import argparse

    commands = {"demo", "ask", "context", "apply", "undo", "redo", "models", "plans", "usage", "doctor", "tui"}
    parser = argparse.ArgumentParser(
        prog="wattson", description="A pair programmer for the terminal that watches the meter."
    )
    parser.add_argument("-V", "--version", action="version", version=f"wattson {__version__}")
    parser.set_defaults(model="", resume=False, json=False, folder=None)
    parts = parser.add_subparsers(dest="command", metavar="COMMAND")

    def part(name: str, words: str) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = parts.add_parser(name, help=words, description=words)
        if name not in {"tui", "demo"}:
            one.add_argument("--json", action="store_true", help="print JSON for scripts")
            one.add_argument("--root", help="the folder of the project (default: where you stand)")
        return one

    tui = part("tui", "pair-program in DIR (this is what `wattson DIR` does)")
    tui.add_argument("folder", nargs="?", metavar="DIR")
    tui.add_argument("-m", "--model", default="", metavar="PROVIDER/MODEL")
    tui.add_argument("-c", "--continue", dest="resume", action="store_true", help="take up the last conversation here")
    demo = part("demo", "a practice session: scripted model, scratch repository, no key, no network")
    demo.add_argument(
        "folder", nargs="?", metavar="DIR", help="where to put the scratch repository (default: a temporary folder)"
    )
    ask = part("ask", "one turn; the answer on standard output")
    ask.add_argument("text", help="what to ask; - reads it from standard input")
    ask.add_argument("-m", "--model", default="", metavar="PROVIDER/MODEL[:EFFORT]")
    how = ask.add_mutually_exclusive_group()
    how.add_argument("--diff", action="store_true", help="print the proposed patch instead of the answer")
    how.add_argument("--apply", action="store_true", help="write the proposed patch, all or nothing")
    context = part("context", "what would be shown to the model; nothing is sent")
    context.add_argument("text", help="the question; - reads it from standard input")
    context.add_argument("--budget", type=int, metavar="N", help="o200k tokens")
    apply = part("apply", "apply the edits of a model's reply on standard input, all or nothing")
    apply.add_argument("--check", action="store_true", help="say what would happen, write nothing")
    part("undo", "take back what was written last")
    part("redo", "write again what was taken back last")
    part("models", "the catalogue, with prices now").add_argument("filter", nargs="?", default="")
    plans = part("plans", "what is left of your plans")
    plans.add_argument("action", nargs="?", choices=["show"], default="show")
    part("usage", "what was burnt, by day, model and project")
    doctor = part("doctor", "what is set up, who would pay, what is wrong and how to mend it")
    doctor.add_argument("--offline", action="store_true", help="do not look for local model servers")
    if not argv or (argv[0] not in commands and argv[0] not in {"-h", "--help"}):
        argv = ["tui", *argv]
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
