"""Names that are odd but good, and names that lead out."""

from tests.edits.mutations.case import FAMILIES
from tests.edits.mutations.notation import ap, block, fenced, said, whole

ODD_NAMES = [
    "with space.py", "two  spaces.txt", "\u00fcml\u00e4ut.py", "\u65e5\u672c\u8a9e.md", "it's.py", 'quo"te.py', "-rf.txt", "--help.py", "#hash.md", "[id].tsx", "app/[slug]/page.tsx", "(group)/page.tsx",
    "$money.sh", "@scope/pkg.json", "percent%20.txt", "star*.txt", "semi;colon.py", "and&more.py", "comma,name.py", "UPPER.PY", "many.dots.in.name.txt", ".hidden", ".config/.deep", "no_extension", "emoji\U0001f600.txt",
    "tilde~.txt", "a=b.cfg", "plus+plus.cpp", "caret^.txt", "{brace}.j2", "back`tick.md", "excl!.txt", "pipe|.txt", "q?.txt", "dir with space/file name.js", "e\u0301.txt", "1. numbered.md", "- dash.md", "new file.txt", "README", "x.y/z",
]  # fmt: skip


def odd(write):
    def make(desk):
        name = desk.rng.choice(ODD_NAMES)
        before = "alpha = 1\nbeta = 2\ngamma = 3\n"
        return (
            {name: before, "plain.py": "x\n"},
            write(desk, name),
            {name: before.replace("beta = 2", "beta = 20"), "plain.py": "x\n"},
        )

    return make


FAMILIES["paths/odd-names"] = (
    "apply",
    odd(lambda d, name: said([block(name, ["alpha = 1", "beta = 2"], ["alpha = 1", "beta = 20"])])),
)
FAMILIES["paths/odd-names-ap"] = (
    "apply",
    odd(lambda d, name: ap(f"*** Update File: {name}\n@@\n alpha = 1\n-beta = 2\n+beta = 20\n")),
)
ODD_TARGETS = [
    "/etc/passwd", "../outside.txt", "a/../../outside.txt", "~/.bashrc", "~root/x", "C:\\Windows\\x.ini", "C:/x.txt", "\\\\server\\share\\x", ".git/config", ".GIT/config", ".Git/hooks/pre-commit", "sub/.git/config", ".git",
    "git~1/config", ".git./config", ".g\u200cit/config", "a\x00b.txt", "a\x1b[31m.txt", "bell\x07.py", "x\x7f.py", "x\x85.py", "tail\x1f", "file:///etc/passwd", "..", ".", "./", "sub/", "link_out/x.txt", "link_file", "aux.txt", "CON", "sub\\..\\..\\x",
    "x\u2028y.txt", "link_out/deep/x.txt", "/", "..\\x.txt", ".git ", "./.git/config", "./../x.txt", "a/./../../x", "\x0bx.txt", "x.txt\x0c", "nul",
]  # fmt: skip


def target(write, names=ODD_TARGETS):
    def make(desk):
        name = desk.rng.choice(names)
        before = {"real.py": "x = 1\ny = 2\n", "sub/other.py": "z = 3\n"}
        return (
            before,
            write(desk, name),
            None,
            {
                "links": {
                    "link_out": "../outside",
                    "link_file": "../outside/secret.txt",
                    "inner": "sub",
                    "inner_file.py": "real.py",
                }
            },
        )

    return make


OUT = [
    "../outside/new.txt",
    "/tmp/wattson-out/new.txt",
    "link_out/new.txt",
    "link_file",
    ".git/hooks/pre-commit",
    ".git/config",
    "sub/../../outside/new.txt",
    "link_out/../x",
]
EDIT_OUT = ["../outside/secret.txt", "link_out/secret.txt", "link_file", ".git/config", "sub/../../outside/secret.txt"]


def sr_new(d, name):
    return said([block(name, [], ["owned"])])


def ud_new(d, name):
    return fenced(f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+owned\n")


def ap_new(d, name):
    return ap(f"*** Add File: {name}\n+owned\n")


def whole_new(d, name):
    return said([whole(name, "owned\n")])


def ap_edit(d, name):
    return ap(f"*** Update File: {name}\n@@\n-secret\n+owned\n")


for _name, _write in (("sr", sr_new), ("udiff", ud_new), ("apply_patch", ap_new), ("whole", whole_new)):
    FAMILIES[f"paths/odd-target-{_name}"] = ("refuse", target(_write))
    FAMILIES[f"paths/write-{_name}"] = ("refuse", target(_write, OUT))
FAMILIES["paths/edit-outside-sr"] = ("refuse", target(lambda d, n: said([block(n, ["secret"], ["owned"])]), EDIT_OUT))
FAMILIES["paths/edit-outside-udiff"] = (
    "refuse",
    target(lambda d, n: fenced(f"--- a/{n}\n+++ b/{n}\n@@ -1 +1 @@\n-secret\n+owned\n"), EDIT_OUT),
)
FAMILIES["paths/delete"] = ("refuse", target(lambda d, n: ap(f"*** Delete File: {n}\n"), EDIT_OUT))
FAMILIES["paths/delete-udiff"] = (
    "refuse",
    target(lambda d, n: fenced(f"--- a/{n}\n+++ /dev/null\n@@ -1 +0,0 @@\n-secret\n"), EDIT_OUT),
)
FAMILIES["paths/delete-link"] = (
    "either",
    target(lambda d, n: ap(f"*** Delete File: {n}\n"), ["link_file", "link_out", "inner_file.py"]),
)
FAMILIES["paths/move"] = (
    "refuse",
    target(lambda d, n: ap(f"*** Update File: real.py\n*** Move to: {n}\n@@\n-x = 1\n+x = 2\n"), OUT),
)
FAMILIES["paths/create-symlink"] = (
    "refuse",
    target(
        lambda d, n: fenced(
            f"diff --git a/ln b/ln\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/ln\n@@ -0,0 +1 @@\n+{n}\n\\ No newline at end of file\n"
        ),
        OUT,
    ),
)
FAMILIES["paths/symlink-then-write"] = (
    "refuse",
    target(lambda d, n: fenced("diff --git a/ln b/ln\nnew file mode 120000\n--- /dev/null\n+++ b/ln\n@@ -0,0 +1 @@\n+../outside\n\\ No newline at end of file\ndiff --git a/ln/x b/ln/x\nnew file mode 100644\n--- /dev/null\n+++ b/ln/x\n@@ -0,0 +1 @@\n+owned\n"), OUT),
)  # fmt: skip
FAMILIES["paths/inner-symlink"] = (
    "either",
    target(lambda d, n: said([block(n, ["x = 1"], ["x = 2"])]), ["inner_file.py", "inner/other.py"]),
)
