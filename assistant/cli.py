"""The command line: reads the flags, builds a Session, starts a face."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from assistant import __version__

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from pathlib import Path

    from assistant.report_session import ReportSession
    from assistant.session import Session
    from assistant.sight import ContextPreview


def main() -> None:
    """Run `wattson` with the arguments of the process; exits with the codes that the README lists."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"wattson {__version__}\n")
        return
    if sys.argv[1:] == ["usage", "--line"]:  # a shell runs this at each prompt, so nothing else is loaded
        import os

        from assistant.quota import line

        text = line.show(sys.argv[1:], os.environ, sys.platform)
        if text is not None:
            sys.stdout.write(f"{text}\n")
            return
    sys.exit(_run(sys.argv[1:]))


def _run(argv: list[str]) -> int:
    import gc
    import os
    from pathlib import Path

    gc.disable()  # what is loaded at start is never freed, so collecting among it only costs time
    from assistant.errors import AssistantError, ConfigError

    options = _parse(argv)
    root = Path(getattr(options, "root", None) or getattr(options, "folder", None) or Path.cwd())
    try:
        if options.command == "tui" and options.folder and not root.is_dir():
            sys.stderr.write(
                f"wattson: {options.folder!r} is neither a command nor a folder. `wattson --help` lists the commands.\n"
            )
            return 2
        if options.command in {"tui", "demo"} and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise ConfigError("The screen needs a terminal.", 'Without one, `wattson ask "..."` does a turn.')
        if options.command in {"tui", "demo"} and os.environ.get("TERM") == "dumb":
            raise ConfigError(
                "This terminal draws no screen (TERM is dumb).", '`wattson ask "..."` does a turn without one.'
            )
        if options.command == "demo":
            from assistant import demo

            root = demo.prepare(Path(options.folder) if options.folder else None)
        if not root.is_dir():
            raise ConfigError(f"{root} is not a folder.", "Name the folder of your project, or stand in it.")
        if options.command in {"tui", "demo"}:
            session = _session(root, dict(os.environ))
            from assistant.tui.app import start

            return start(
                session,
                options.model or ("scripted/lesson" if options.command == "demo" else ""),
                resume=options.resume,
            )
        from assistant import headless

        needs = headless.sitting(options)
        if needs == "preview":  # the process ends after one question
            code = headless.run(_preview(root, dict(os.environ)), options)
            # all is printed and closed; taking the objects apart would add a tenth to the time of a question
            os._exit(code)
        if needs == "report":
            return headless.run(_report(root, dict(os.environ)), options)
        gc.enable()
        return headless.run(_session(root, dict(os.environ)), options)
    except AssistantError as error:
        from assistant.headless.output import advise

        advise(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head`: drop the rest of the buffer, so that Python does not complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _session(root: Path, env: Mapping[str, str]) -> Session:
    from assistant import config
    from assistant.session import Session

    places = config.places(env)
    return Session(root, places=places, config=config.load(places, root), env=env)


def _preview(root: Path, env: Mapping[str, str]) -> ContextPreview:
    from assistant import config
    from assistant.sight import ContextPreview

    places = config.places(env)
    return ContextPreview(root, places=places, config=config.load(places, root), env=env)


def _report(root: Path, env: Mapping[str, str]) -> ReportSession:
    from assistant import config
    from assistant.report_session import ReportSession

    places = config.places(env)
    return ReportSession(root, places=places, config=config.load(places, root), env=env)


def _columns() -> int:
    """Return the width of help, as shutil does; argparse would call shutil each time, which loads all compressors."""
    import os

    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        try:
            return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns or 80
        except (OSError, ValueError):
            return 80


class _Plain:
    """The options of a command whose only argument is one word, collected in place of an argument parser.

    Loading and setting up argparse takes a tenth of the time of a question.
    """

    def __init__(self, command: str, word: str) -> None:
        self.command = command
        self.json = False
        self.root = None
        self._word = word

    def add_argument(self, name: str, *, default: Any = None, **_: Any) -> None:
        setattr(self, name.lstrip("-"), default if name.startswith("-") else self._word)


def _parse(argv: list[str]) -> Namespace:
    if argv[:1] == ["context"] and len(argv) == 2 and not argv[1].startswith("-"):
        from assistant import headless

        plain = _Plain(*argv)
        headless.load(plain.command).arguments(plain)  # type: ignore[arg-type] # all that is asked of a parser
        return plain  # type: ignore[return-value] # all that is asked of options
    import argparse

    def formatter(prog: str) -> argparse.HelpFormatter:
        return argparse.HelpFormatter(prog, width=_columns() - 2)

    parser = argparse.ArgumentParser(
        prog="wattson", description="A pair programmer for the terminal that watches the meter.", allow_abbrev=False,
        formatter_class=formatter,
    )  # fmt: skip
    parser.add_argument("-V", "--version", action="version", version=f"wattson {__version__}")
    parser.set_defaults(model="", resume="", json=False, folder=None)
    parts = parser.add_subparsers(dest="command", metavar="COMMAND")

    def part(name: str, words: str) -> argparse.ArgumentParser:
        return parts.add_parser(name, help=words, description=words, allow_abbrev=False, formatter_class=formatter)

    tui = part("tui", "pair-program in DIR (this is what `wattson DIR` does)")
    tui.add_argument("folder", nargs="?", metavar="DIR")
    tui.add_argument("-m", "--model", default="", metavar="PROVIDER/MODEL")
    tui.add_argument(
        "-c",
        "--continue",
        dest="resume",
        action="store_const",
        const="last",
        default="",
        help="take up the last conversation here",
    )
    tui.add_argument(
        "-r", "--resume", action="store_const", const="choose", default="", help="choose the conversation to take up"
    )
    demo = part("demo", "a practice session: scripted model, scratch repository, no key, no network")
    demo.add_argument(
        "folder", nargs="?", metavar="DIR", help="where to put the scratch repository (default: a temporary folder)"
    )
    screen = ("-m", "--model", "-c", "--continue", "-r", "--resume")
    if argv and not argv[0].startswith(screen) and argv[0] not in {"tui", "demo"}:
        from assistant import headless  # the face on a screen starts without the other commands

        known = headless.names()
        for name in argv[:1] if argv[0] in known else known:  # the others are loaded for --help only
            command = headless.load(name)
            one = part(name, (command.__doc__ or "").partition("\n")[0])
            one.add_argument("--json", action="store_true", help="print JSON for scripts")
            one.add_argument("--root", help="the folder of the project (default: where you stand)")
            command.arguments(one)
    if not argv or argv[0] not in {*parts.choices, "-h", "--help"}:
        argv = ["tui", *argv]
    options, rest = parser.parse_known_args(argv)
    if rest:
        one = parts.choices[options.command]
        hint = "" if rest[0].startswith("-") else '; words with blanks between them are one in quotes: "..."'
        one.error(f"not understood: {' '.join(rest)}{hint}")
    return options


if __name__ == "__main__":
    main()
