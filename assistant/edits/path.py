"""Names that a patch may touch: which are refused by name alone, and which files run by themselves once written."""

from __future__ import annotations

import os
import re
import unicodedata

from assistant.errors import OutsideRoot, Unwritable

_HINT = "Only files inside the repository, and never .git, are written."
DEVICES = r"con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]"
"""Names of devices that Windows knows in every folder, with any ending."""
_DEVICE = re.compile(rf"^(?:{DEVICES})(?:\.|$)", re.IGNORECASE)
_ADDRESS = re.compile(r"^(?:[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:/|(?:file|data|javascript|mailto):)", re.IGNORECASE)
_HOME = re.compile(r"^(?:~[^/]*/|~$|(?:\$[A-Z_][A-Z0-9_]*|\$\{\w+\}|%\w+%)(?:/|$))")
"""A home folder, or a variable that a shell would replace: the model meant a place outside the root, or none at all."""
_QUOTES = "\"'`"
_SHORT_GIT = re.compile(r"^git~\d+$", re.IGNORECASE)
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LONGEST_PART = 255
_LONGEST = 4_000


def parts(path: str) -> tuple[str, ...]:
    """Cut a path at its slashes; raises OutsideRoot for one that may not be touched, Unwritable for one too long.

    Refused are absolute paths, `..`, `~/`, `$HOME/` and the like, addresses, backslashes, drive letters and streams, control characters and
    signs that turn the reading direction, names of nothing but quotes, and `.git` as any file system may spell it: git's own
    rules (core.protectHFS and core.protectNTFS), whatever this machine has.
    """
    if not path or path in {".", "./"}:
        raise OutsideRoot("The edit names no file.", _HINT, path=path)
    for sign in path:
        kind = unicodedata.category(sign)
        foreign = kind == "Cs" and "\udc80" <= sign <= "\udcff"  # a byte that is not UTF-8, as os.fsdecode gives it
        if (kind in {"Cc", "Zl", "Zp", "Cs"} and not foreign) or sign in _TURNING:
            raise OutsideRoot(f"{path!r} has control characters in its name.", _HINT, path=path)
    if path.startswith(("/", "\\")) or _HOME.match(path) or _ADDRESS.match(path) or "\\" in path:
        raise OutsideRoot(f"{path!r} does not lie below the root.", _HINT, path=path)
    found = tuple(path.split("/"))
    for part in found:
        plain = fold(part)
        if not part.strip(_QUOTES):
            raise OutsideRoot(f"{path!r} is not the name of a file.", _HINT, path=path)
        if part in {".", ".."} or plain in {"", ".", ".."}:
            raise OutsideRoot(f"{path!r} climbs out of its folder.", _HINT, path=path)
        plain = plain.partition(":")[0].rstrip(". ")
        if plain == ".git" or _SHORT_GIT.match(plain) or "::" in part:
            raise OutsideRoot(f"{path!r} is not a place for edits.", _HINT, path=path)
    if len(path) > _LONGEST or any(len(os.fsencode(part)) > _LONGEST_PART for part in found):
        raise Unwritable(f"{path[:60]}... is too long a name.", "Choose a shorter one.", path=path)
    return found


def unportable(path: str) -> str:
    """Say why some systems cannot have this name, empty if all can; such a file may be edited, but is never created."""
    if ":" in path:
        return "Windows has no colons in names"
    return "Windows has a device of this name" if any(_DEVICE.match(fold(part)) for part in path.split("/")) else ""


def fold(part: str) -> str:
    """Fold what file systems fold: case, width, ignorable characters, trailing dots and spaces."""
    folded = unicodedata.normalize("NFKC", part)
    folded = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return folded.rstrip(". ").casefold() if folded.strip(".") else folded


# What runs without being called: by folder, by name, by ending. The words are shown to the user.
_BUILD = "runs on the build server"
_EDITOR = "an editor runs what it says when the folder is opened"
_AGENT = "coding agents take their commands and permissions from it"
_MAKE = "its commands run when the project is built or tested"
_IMPORT = "Python or its tools run it without being asked"
_INSTALL = "its commands run when the project is installed"
_SHELL = "a shell or debugger runs it when it starts here"
_HOOK = "its commands run as git hooks"
_GIT = "git takes programs or addresses from it"
_OURS = "Wattson takes its settings from it"
_FOLDERS = {
    ".github/workflows": _BUILD, ".github/actions": _BUILD, ".gitlab": _BUILD, ".circleci": _BUILD, ".buildkite": _BUILD,
    ".woodpecker": _BUILD, ".forgejo": _BUILD, ".gitea": _BUILD, ".azure-pipelines": _BUILD,
    ".vscode": _EDITOR, ".idea": _EDITOR, ".fleet": _EDITOR, ".zed": _EDITOR, ".devcontainer": _EDITOR, ".nvim": _EDITOR,
    ".claude": _AGENT, ".cursor": _AGENT, ".codex": _AGENT, ".agents": _AGENT, ".gemini": _AGENT, ".opencode": _AGENT,
    ".continue": _AGENT, ".windsurf": _AGENT, ".roo": _AGENT, ".qwen": _AGENT, ".kiro": _AGENT, ".aider": _AGENT,
    ".husky": _HOOK, ".githooks": _HOOK, ".cargo": _MAKE, ".mvn": _MAKE, ".bundle": _MAKE, ".yarn": _INSTALL,
    ".ssh": _SHELL, ".wattson": _OURS,
}  # fmt: skip
_NAMES = {
    "makefile": _MAKE, "gnumakefile": _MAKE, "bsdmakefile": _MAKE, "justfile": _MAKE, ".justfile": _MAKE, "taskfile.yml": _MAKE,
    "taskfile.yaml": _MAKE, "rakefile": _MAKE, "gemfile": _MAKE, "cmakelists.txt": _MAKE, "configure": _MAKE,
    "configure.ac": _MAKE, "meson.build": _MAKE, "build.rs": _MAKE, "build.zig": _MAKE, "build.gradle": _MAKE,
    "build.gradle.kts": _MAKE, "settings.gradle": _MAKE, "settings.gradle.kts": _MAKE, "gradlew": _MAKE, "gradlew.bat": _MAKE,
    "gradle-wrapper.properties": _MAKE, "pom.xml": _MAKE, "build.xml": _MAKE, "dockerfile": _MAKE, "containerfile": _MAKE,
    "docker-compose.yml": _MAKE, "docker-compose.yaml": _MAKE, "compose.yml": _MAKE, "compose.yaml": _MAKE, "vagrantfile": _MAKE,
    "noxfile.py": _MAKE, "fabfile.py": _MAKE, "dodo.py": _MAKE, "wscript": _MAKE, "sconstruct": _MAKE, "tox.ini": _MAKE,
    "flake.nix": _MAKE, "shell.nix": _MAKE, "default.nix": _MAKE, "dangerfile": _MAKE, "procfile": _MAKE,
    "conftest.py": _IMPORT, "sitecustomize.py": _IMPORT, "usercustomize.py": _IMPORT,
    "setup.py": _INSTALL, "setup.cfg": _INSTALL, "package.json": _INSTALL, "binding.gyp": _INSTALL, ".npmrc": _INSTALL,
    ".yarnrc": _INSTALL, ".yarnrc.yml": _INSTALL, ".pnpmfile.cjs": _INSTALL, "composer.json": _INSTALL,
    ".envrc": _SHELL, ".env": _SHELL, ".bashrc": _SHELL, ".bash_profile": _SHELL, ".bash_login": _SHELL, ".profile": _SHELL,
    ".zshrc": _SHELL, ".zshenv": _SHELL, ".zprofile": _SHELL, ".kshrc": _SHELL, ".inputrc": _SHELL, ".gdbinit": _SHELL,
    ".lldbinit": _SHELL, ".pdbrc": _SHELL, ".irbrc": _SHELL, ".pryrc": _SHELL, ".pythonrc": _SHELL, ".tool-versions": _SHELL,
    "mise.toml": _SHELL, ".mise.toml": _SHELL, ".autoenv": _SHELL, "crontab": _SHELL,
    ".vimrc": _EDITOR, ".exrc": _EDITOR, ".nvimrc": _EDITOR, ".nvim.lua": _EDITOR, ".dir-locals.el": _EDITOR,
    ".eslintrc.js": _EDITOR, ".eslintrc.cjs": _EDITOR, "eslint.config.js": _EDITOR, "eslint.config.mjs": _EDITOR,
    "eslint.config.cjs": _EDITOR, "eslint.config.ts": _EDITOR, ".prettierrc.js": _EDITOR, ".prettierrc.cjs": _EDITOR,
    ".mcp.json": _AGENT, "mcp.json": _AGENT, ".cursorrules": _AGENT, ".aider.conf.yml": _AGENT, "opencode.json": _AGENT,
    ".gitlab-ci.yml": _BUILD, ".travis.yml": _BUILD, "azure-pipelines.yml": _BUILD, "appveyor.yml": _BUILD,
    ".appveyor.yml": _BUILD, "bitbucket-pipelines.yml": _BUILD, "jenkinsfile": _BUILD, "cloudbuild.yaml": _BUILD,
    ".drone.yml": _BUILD, ".cirrus.yml": _BUILD,
    ".pre-commit-config.yaml": _HOOK, ".pre-commit-hooks.yaml": _HOOK, "lefthook.yml": _HOOK, ".lefthook.yml": _HOOK,
    ".huskyrc": _HOOK, ".gitmodules": _GIT, ".gitattributes": _GIT, ".gitconfig": _GIT, ".wattson.toml": _OURS,
}  # fmt: skip
_ENDINGS = {
    ".mk": _MAKE, ".gemspec": _INSTALL, ".pth": _IMPORT, ".code-workspace": _EDITOR, ".vbproj": _MAKE, ".csproj": _MAKE,
    ".fsproj": _MAKE, ".vcxproj": _MAKE, ".targets": _MAKE, ".desktop": _SHELL,
}  # fmt: skip


def risky(path: str) -> str:
    """Say why a change to this file needs a confirmation of its own; empty for an ordinary file.

    These files run, or grant rights, without anybody calling them. Case and the like are folded, and a folder counts at
    any depth. Rule B6: no setting that accepts hunks automatically covers them.
    """
    folded = [fold(part) for part in path.split("/")]
    name = folded[-1]
    if name in _NAMES:
        return _NAMES[name]
    for index, part in enumerate(folded[:-1]):
        why = _FOLDERS.get(part) or _FOLDERS.get("/".join(folded[index : index + 2]))
        if why:
            return why
    return next((why for ending, why in _ENDINGS.items() if name.endswith(ending)), "")
