"""What the name of a file looks like, and what only looks like one: words, commands, calls, addresses.

Looks alone do not always tell a name in a sentence; where they leave it open, the file that exists decides.
"""

from __future__ import annotations

import re
import unicodedata

from assistant.edits.path import DEVICES

_ADDRESS = re.compile(r"^[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|app|ai|co|edu|gov)(?:[:/]|$)", re.IGNORECASE)
_PLACES = set(
    """bin sbin script scripts src lib libs etc usr opt docs doc test tests spec specs cmd tools tool hooks config conf app apps pkg internal public static
    assets resources include templates examples packages modules crates build ci deploy docker infra terraform ansible roles migrations db data""".split()
)
"""Folders in which files have no extension."""
_CALL = re.compile(r"\w\([^/]*\)$")
_SPOKEN = re.compile(
    r"^(?![ai] \S*[/\\.])(?:the|a|an|this|now|then|next|here|first|finally|also|and|we|i|let)\b(?!\S*/)", re.IGNORECASE
)
"""How a sentence begins but a path does not; in `a b/c.txt` the first letter may be part of a name."""
_ODD = re.compile(
    r"[`<>|*?\"]|\]\(|^[{\u00ab\u300a\u2022!]|[}\u00bb\u300b\u2020]$|\[\d+\]$|^_.*_$|#!|#L\d+$|@HEAD$|^(?:path/to|\.{3}|\u2026)/|^(?:[MADRU]|\?\?|\+\+\+|---|===|>>>?|not) +\S*/|(?:->|\u2192)"
)
_INNER = re.compile(r"[\w.+-]+(?:/[\w.+-]+)+|[\w+-]+\.\w+")
RANGED = re.compile(r"^(.*\S)(?::L?|#L)\d+(?:[-\u2013]L?\d+)?$")
_PROSE = re.compile(
    r"\b(?:of|to|for|from|in|at|with|and|or|run|cat|see|old|contents?|outputs?|results?|changes?|diff)\b", re.IGNORECASE
)
"""Words that stand between others, or before a path they speak of, and are rare in the name of a folder."""
EXTENSION = re.compile(r"[^\s.][^/\\]*\.(?=[\w~+-]*[A-Za-z~+])[\w~+-]{1,24}$")
_BARE = {
    "Makefile", "Dockerfile", "LICENSE", "README", "Rakefile", "Gemfile", "Procfile", "Justfile", "justfile", "CHANGELOG", "NOTICE", "Vagrantfile",
    "Jenkinsfile", "Containerfile", "Brewfile", "CODEOWNERS", "AUTHORS", "BUILD", "WORKSPACE", "Pipfile", "makefile", "dockerfile",
}  # fmt: skip
_WELL_KNOWN = {name.lower() for name in _BARE} | {"copying", "credits", "maintainers", "news", "todo", "version"}
_DOTTED = re.compile(r"^\w[\w+-]*(?:\.\w[\w+-]*)+$")
_LOWER = re.compile(r"^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$")
_HEADINGS = set(
    """usage output outputs example examples before after result results test tests note notes change changes summary explanation code run file
    files now then new old diff patch input command commands terminal console log logs error errors expected actual response answer solution fix
    bash sh shell zsh fish python py javascript js typescript ts json yaml yml toml xml html css sql go rust ruby php java kotlin swift c cpp lua
    text txt plaintext markdown md make makefile dockerfile powershell batch perl r scala haskell elixir""".split()
)
"""Words above a block that are not the name of its file."""
COMMANDS = set(
    """python python2 python3 pytest node npm npx yarn pnpm bun deno go cargo rustc make cmake gcc g++ clang java javac ruby rake bundle php composer
    perl bash sh zsh source cat less head tail ls cd git diff patch rm mv cp touch mkdir chmod vim vi nano code open curl wget docker kubectl pip
    pip3 poetry uv ruff mypy sudo run get post put delete options""".split()
)
"""Programs that are called with files, and HTTP methods."""
ORDERS = COMMANDS | set(
    """running ran test testing try call calling called use used using import importing imported export install save saved load see read write show
    print check verify compare view output outputs result results error errors exception warning log logs trace traceback old new from vs vs. cf cf.
    versus before after original current sample example examples reference usage append insert add added adding create creating update updating edit
    editing modify change changes changing delete remove replace rename move fix fixing with without via in inside into within for to of on at by as
    when if while how what why where there below above instead note ps or but so because since top end bottom contents content put place paste goes
    e.g. i.e. understanding deploying""".split()
)
"""First words of phrases that end in the name of a file and are not names themselves."""
_OF = re.compile(r"\s(?:of|in|from|for|to|into)\s", re.IGNORECASE)
PRODUCTS = set(
    "node.js vue.js next.js nuxt.js express.js react.js three.js d3.js chart.js ember.js backbone.js alpine.js asp.net vb.net socket.io".split()
)
_ENDINGS = set(
    """py pyi pyx pxd pxi ipynb js jsx mjs cjs ts tsx mts cts vue svelte astro json jsonc json5 jsonl ndjson yaml yml toml ini cfg conf config env
    properties xml xsd xsl xslt html htm xhtml css scss sass less styl md mdx markdown rst txt adoc org tex bib csv tsv sql sqlite db prisma graphql gql
    proto thrift avsc go mod sum rs ron java kt kts scala sc sbt groovy gradle clj cljs cljc edn ex exs eex heex leex erl hrl hs lhs cabal ml mli fs fsi
    fsx fsproj cs csx csproj sln vb vbproj xaml razor cshtml c h cc cpp cxx hh hpp hxx ipp inl m mm swift dart rb erb rake gemspec ru haml slim php
    phtml phpt twig blade pl pm t r rmd qmd jl lua nim zig v sv vhd vhdl d pas pp asm s ll wat sh bash zsh fish ksh ps1 psm1 psd1 bat cmd awk sed vim el
    lisp scm rkt tcl cmake mk mak am ac m4 bzl bazel build nix dhall tf tfvars hcl rego dockerfile dockerignore gitignore gitattributes editorconfig
    lock log out err diff patch rej snap golden tmpl tpl j2 jinja jinja2 mustache hbs ejs pug liquid svg po pot strings plist pbxproj storyboard xib
    service socket timer desktop ebuild pem crt pub asc
     wasm glsl vert frag hlsl metal cu cuh cl sol vy move cairo rst rake podspec lint eslintrc prettierrc babelrc npmrc nvmrc
    rspec flake8 pylintrc bashrc zshrc profile vimrc htaccess gitmodules mailmap coveragerc""".split()
)
"""Known file extensions; a name with another one and without a folder may be a call or an address."""
PATCHES = (".patch", ".diff", ".rej")
"""Files that consist of edits to other files."""
DEVICE = re.compile(rf"^(?:{DEVICES})(?:\.\w+)?$", re.IGNORECASE)
"""A device of Windows by itself: it is refused as a name and not skipped as a word."""
GIT = re.compile(r"^(?:\S+[\\/])?\.git[. ]*[\\/]\S*$", re.IGNORECASE)
_OPTION = re.compile(r"\s--?[A-Za-z]")
_CLIMBS = re.compile(r"[/\\]\.{1,2}$")
LONGEST = 300


def looks(name: str) -> bool:
    """Say whether a string can be meant as a path."""
    if not name or name in {"//", "-", "*"}:
        return False
    if len(name) > LONGEST:
        return overlong(name)
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in name):
        return True  # control characters: not words, so it counts as a name, and is refused as one
    if _CALL.search(name):
        return False
    if GIT.match(name):
        return True  # with any decoration, so that it is refused as a name and not skipped as words
    if name in _BARE or DEVICE.match(name) or name.lower().startswith("file:"):
        return True
    if name.startswith(("/", "~", "..", "\\")):
        return " " not in name or "/" in name[1:]
    if re.match(r"^[A-Za-z]:[\\/]", name):
        return True
    if _CLIMBS.search(name):
        return True  # it ends in a folder, and is refused as a file name
    if name.endswith((".", ",", "!", "?", ";")) or "://" in name or _ADDRESS.match(name):
        return False
    last = re.split(r"[/\\]", name.rstrip("/"))[-1]
    if " " in name and _SPOKEN.match(name):
        return False
    return "/" in name or "\\" in name or bool(re.match(r"^\.\w", last)) or bool(EXTENSION.match(last))


def overlong(name: str) -> bool:
    """Say whether a string too long for a name still looks like one, so that it is refused and not skipped as words."""
    return not re.search(r"\s", name) and ("/" in name or bool(re.search(r"\.\w{1,24}$", name)))


def may_be_words(name: str, *, whole: bool) -> bool:
    """Say whether what ends like a file name may be words, a command or a call; `whole`: it is marked as a name."""
    first, *more = name.split(" ")
    last = re.split(r"[/\\]", name)[-1]
    if not more and re.match(r"^[^\s/.]+/[^\s/.]+$", name):  # "Input/Output" is words, "bin/run" a path
        return name.partition("/")[0] not in _PLACES
    if not more and name.startswith(".") and "/" not in name:  # a CSS class, a method call or a hidden file
        return not is_name(name) and not re.search(r"rc$|ignore$|version|-", name)
    if not more:
        ending = last.rpartition(".")[2].lower()
        bare = "/" not in name and "\\" not in name
        return bare and (name.lower() in PRODUCTS or (bool(EXTENSION.match(name)) and ending not in _ENDINGS))
    if first.lower() in COMMANDS or first in {"$", ">", "%", "#"} or _OPTION.search(name):
        return True
    if not EXTENSION.match(last) or more[-1].lower() in PRODUCTS:
        return True
    if whole:
        return bool(_OF.search(name)) and first.lower() in ORDERS
    if first.lower().rstrip(":,") in ORDERS or len(more) > 4 or _SPOKEN.match(name):
        return True
    inside = "/" in name and "/" not in more[-1]  # a space after the last slash, which is rare in a sentence
    return not inside and _PROSE.search(" ".join([first, *more[:-1]])) is not None


def lone(line: str) -> str:
    """Return the only word of a line if it may name a file to be created; else empty."""
    word = line.strip(" \t")  # only spaces and tabs: characters that no name has are not removed
    plain = word[1:-1] if len(word) > 2 and word[0] == word[-1] == "`" else word
    fits = re.match(r"^[\w@$%~+.-]+$", plain) and plain.lower() not in _HEADINGS and plain.lower() not in PRODUCTS
    return plain if fits and re.search(r"\w", plain) else ""


def is_dressed(name: str) -> bool:
    """Say whether a new file's name has something that no name has: decoration, odd characters, a second name."""
    if _ODD.search(name) or any(unicodedata.category(sign) in {"Cf", "Zs"} and sign != " " for sign in name):
        return True
    pieces = name.split(",")
    return len(pieces) > 1 and all(map(is_name, pieces))


def within(name: str) -> list[str]:
    """Return the names that a decorated name, or a name with a folder too many, may stand for."""
    parts = name.split("/")
    return list(dict.fromkeys([*("/".join(parts[at:]) for at in range(1, len(parts))), *_INNER.findall(name)]))


def without_range(name: str) -> str:
    """Return a path without the line range after it (`a.py:10-20`, `a.py#L10`); empty if it has none."""
    ranged = RANGED.match(name)
    return ranged[1] if ranged else ""


def is_name(name: str) -> bool:
    """Say whether a path-like string is surely a path: it has a folder, a known extension or a well-known name."""
    last = re.split(r"[/\\]", name)[-1]
    if name in _BARE or (last.startswith(".") and ("." in last[1:] or last[1:].lower() in _ENDINGS)):
        return True
    return bool(EXTENSION.match(last)) and ("/" in name or last.rpartition(".")[2].lower() in _ENDINGS)


def named_by(info: str) -> str:
    """Return the path that the info string of a fence names: `python:src/a.py`, `src/a.py`, `py title="src/a.py"`."""
    for word in info.split():
        name = word.rpartition("=")[2].strip("\"'{}")
        language, _, rest = name.partition(":")
        name = rest if rest and language.isalpha() else name
        last = re.split(r"[/\\]", name)[-1]
        hidden = bool(re.match(r"^\.\w", last)) and (name != word or "/" in name)  # `{.python}` is a class
        if ":" not in name and "{" not in word and (EXTENSION.match(last) or last in _BARE or hidden):
            return name
    return ""


def may_be_new(word: str) -> bool:
    """Say whether the only words above a block may name a new file, and are no heading, language or command."""
    if " " not in word:
        known = word.lower() in _HEADINGS or word.lower() in PRODUCTS
        return not known and bool(_LOWER.match(word) or _DOTTED.match(word) or word.lower() in _WELL_KNOWN)
    return not may_be_words(word, whole=False) and looks(word)
