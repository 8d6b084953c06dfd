"""Masks in an edit stand for what they mask, in every notation; where that cannot be told it is said, without a secret."""

import re

import pytest

from assistant.edits import format as edit_format
from assistant.edits import match
from assistant.edits.edit import Edit

FILE = '''import os

DB_PASSWORD = "hunter2Xq9"
STRIPE = "sk_live_Zk3v9QpL2mX8"
TIMEOUT = 5

other = {
    "password": "Kw7pQ2vN4x",
}
KEY = """BEGIN
MIIabc
defghi
END"""
LAST = 1
'''
SECRETS = ("hunter2Xq9", "sk_live_Zk3v9QpL2mX8", "Kw7pQ2vN4x", "MIIabc", "defghi")


def mask(path, text):
    assert path == "config.py"
    text = re.sub(
        r"BEGIN\n.*?END", lambda match: "[masked private key]" + "\n" * match[0].count("\n"), text, flags=re.DOTALL
    )
    text = text.replace("sk_live_Zk3v9QpL2mX8", "[masked Stripe key]")
    return re.sub("hunter2Xq9|Kw7pQ2vN4x", "[masked secret]", text)


SHOWN = mask("config.py", FILE)


def fit(reply, text=FILE):
    parser = edit_format.open_parser()
    found = [*parser.feed(reply), *parser.close()]
    fitted = match.fit(
        [each for each in found if isinstance(each, Edit)],
        lambda path: (text.encode(), 0o644) if path == "config.py" else None,
        mask=mask,
    )
    after = fitted.patch.files[0].after.decode() if fitted.patch.files else ""
    told = "".join(f"{each.message}\n{each.hint}\n{match.describe(each)}\n{each.edit!r}" for each in fitted.misfits)
    assert not [secret for secret in SECRETS if secret in told]
    return after, fitted.misfits


def block(old, new):
    return f"config.py\n```\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


OLD = 'DB_PASSWORD = "[masked secret]"\nSTRIPE = "[masked Stripe key]"\nTIMEOUT = 5'
DIFF = """```diff
--- a/config.py
+++ b/config.py
@@ -3,3 +3,3 @@
 DB_PASSWORD = "[masked secret]"
 STRIPE = "[masked Stripe key]"
-TIMEOUT = 5
+TIMEOUT = 10
```
"""
PATCH = """*** Begin Patch
*** Update File: config.py
@@
 DB_PASSWORD = "[masked secret]"
 STRIPE = "[masked Stripe key]"
-TIMEOUT = 5
+TIMEOUT = 10
*** End Patch
"""
WHOLE = "config.py\n````\n" + SHOWN.replace("TIMEOUT = 5", "TIMEOUT = 10") + "````\n"


@pytest.mark.parametrize(
    "reply", [block(OLD, OLD.replace("5", "10")), DIFF, PATCH, WHOLE], ids=["block", "diff", "patch", "whole"]
)
def test_a_mask_stands_for_what_it_masks_in_every_notation(reply):
    after, misfits = fit(reply)
    assert not misfits
    assert after == FILE.replace("TIMEOUT = 5", "TIMEOUT = 10")


@pytest.mark.parametrize(
    ("new", "written"),
    [
        (OLD.replace("DB_PASSWORD", "PASSWORD"), ('DB_PASSWORD = "hunter2Xq9"', 'PASSWORD = "hunter2Xq9"')),
        (
            OLD.replace('"[masked secret]"', 'os.environ.get("DB", "[masked secret]")'),
            ('"hunter2Xq9"', 'os.environ.get("DB", "hunter2Xq9")'),
        ),
        ('STRIPE = "[masked Stripe key]"\nTIMEOUT = 5', ('DB_PASSWORD = "hunter2Xq9"\n', "")),
        (
            'STRIPE = "[masked Stripe key]"\nDB_PASSWORD = "[masked secret]"\nTIMEOUT = 5',
            ('DB_PASSWORD = "hunter2Xq9"\nSTRIPE = "sk_live_Zk3v9QpL2mX8"', 'STRIPE = "sk_live_Zk3v9QpL2mX8"\nDB_PASSWORD = "hunter2Xq9"'),
        ),
    ],
)  # fmt: skip
def test_a_line_with_a_mask_may_change_move_and_go(new, written):
    after, misfits = fit(block(OLD, new))
    assert not misfits
    assert after == FILE.replace(*written)


def test_a_line_is_found_by_its_mask_with_another_indentation():
    after, misfits = fit(block('"password": "[masked secret]",', '"password": "[masked secret]",\n"user": "x",'))
    assert not misfits
    assert '    "password": "Kw7pQ2vN4x",\n    "user": "x",\n}' in after


def test_a_secret_of_several_lines_stays_whole():
    old = 'KEY = """[masked private key]\n\n\n"""\nLAST = 1'
    after, misfits = fit(block(old, old.replace("LAST = 1", "LAST = 2")))
    assert not misfits
    assert after == FILE.replace("LAST = 1", "LAST = 2")


TWICE = 'a = "[masked secret]"\nb = "[masked secret]"\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"[masked secret]"', '"x"'),  # half a line
        ('KEY = """[masked private key]\n\n\n"""', 'KEY = """[masked private key]"""'),  # some lines of a key
        ("TIMEOUT = 5", 'TIMEOUT = 5\nCOPY = "[masked secret]"'),  # one of two
        ('TIMEOUT = 5\n\nother = {\n    "password": "[masked Stripe key]",', "x"),  # another kind
        ('DB_PASSWORD = "[masked secret]"\n\nSTRIPE = "[masked Stripe key]"\nTIMEOUT = 6', "x"),
    ],
)  # fmt: skip
def test_where_it_cannot_be_told_what_a_mask_stands_for_the_edit_is_refused_and_that_is_said(old, new):
    after, (misfit,) = fit(block(old, new))
    assert not after
    assert misfit.reason == "not_found"
    assert "masked" in misfit.hint
    assert "Leave masked lines out" in match.describe(misfit)


def test_two_equal_masked_lines_are_told_apart_by_nothing():
    text = 'a = "hunter2Xq9"\nx = 1\na = "Kw7pQ2vN4x"\nx = 1\n'
    after, (misfit,) = fit(block('a = "[masked secret]"\nx = 1', 'a = "[masked secret]"\nx = 2'), text)
    assert not after
    assert "cannot be told" in misfit.message
    after, misfits = fit(block('x = 1\na = "[masked secret]"\nx = 1', 'x = 1\na = "[masked secret]"\nx = 2'), text)
    assert not misfits
    assert after == 'a = "hunter2Xq9"\nx = 1\na = "Kw7pQ2vN4x"\nx = 2\n'


def test_of_lines_that_look_alike_none_goes_alone():
    text = 'a = "hunter2Xq9"\na = "Kw7pQ2vN4x"\nx = 1\n'
    old = 'a = "[masked secret]"\na = "[masked secret]"\nx = 1'
    after, (misfit,) = fit(block(old, 'a = "[masked secret]"\nx = 1'), text)
    assert not after
    assert "cannot be told" in misfit.message
    assert fit(block(old, old.replace("x = 1", "x = 2")), text)[0] == text.replace("x = 1", "x = 2")


def test_two_secrets_of_one_line_are_each_what_they_were():
    text = 'login("hunter2Xq9", to="Kw7pQ2vN4x", at=1)\n'
    old = 'login("[masked secret]", to="[masked secret]", at=1)'
    assert fit(block(old, f"{old}\nmore()"), text)[0] == f"{text}more()\n"
    after, (misfit,) = fit(block(old, old.replace("at=1", "at=2")), text)
    assert not after
    assert "cannot be told" in misfit.message


def test_two_secrets_of_one_change_are_told_apart_by_what_their_lines_begin_with():
    text = 'a = "hunter2Xq9"\nb = "Kw7pQ2vN4x"\n'
    after, misfits = fit(block(TWICE.strip(), 'b = f("[masked secret]")\na = f("[masked secret]")'), text)
    assert not misfits
    assert after == 'b = f("Kw7pQ2vN4x")\na = f("hunter2Xq9")\n'
    after, (misfit,) = fit(block(TWICE.strip(), 'c = f("[masked secret]")\nd = f("[masked secret]")'), text)
    assert not after
    assert "cannot be told" in misfit.message


def test_words_about_masks_in_a_file_without_secrets_are_words():
    text = 'def test():\n    assert "[masked secret]" in shown()\n'
    after, misfits = fit(
        block('    assert "[masked secret]" in shown()', '    assert "[masked token]" in shown()'), text
    )
    assert not misfits
    assert after == 'def test():\n    assert "[masked token]" in shown()\n'


LONG = 'client = make_client(host="api.github.com", user="someone", auth="hunter2Xq9Kw7pQ2vN4xZk3v9QpL2mX8")\n'
WHOLE_KEY = re.compile("hunter2Xq9(?:Kw7pQ2vN4xZk3v9QpL2mX8)?")


def gate(path, text):
    return WHOLE_KEY.sub("[masked secret]", text)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("config.py\n```\nimport os\nDEBUG = 2\n```\n", "unseen"),  # leaves the masked line out
        (block('auth="[masked secret]")', "x"), "not_found"),
        (block('x = make_client(auth="[masked secret]")\nDEBUG = 2', "x"), "not_found"),
        (block("DEBUG = 1\nmissing()", 'x = "[masked secret]"'), "not_found"),
        ("config.py\n```diff\n--- a/config.py\n+++ b/config.py\n@@ -2,2 +2,2 @@\n " + LONG + "-DEBUG = 3\n+DEBUG = 2\n```\n", "not_found"),
        ("other.py\n```diff\n--- a/other.py\n+++ b/other.py\n@@ -2,2 +2,2 @@\n " + LONG + "-DEBUG = 3\n+DEBUG = 2\n```\n", "no_file"),
    ],
)  # fmt: skip
def test_no_refusal_quotes_the_beginning_of_a_secret(reply, reason):
    fitted = fitting(reply, {"config.py": "import os\n" + LONG + "DEBUG = 1\n"}, shown={"import os", "DEBUG = 1"})
    (misfit,) = fitted.misfits
    assert misfit.reason == reason
    told = gate("", match.describe(misfit))  # what leaves is masked once more
    assert "hunter2" not in told + misfit.message
    assert not [each for each in misfit.candidates if "hunter2" in each.text]


def test_a_refusal_of_new_lines_quotes_no_secret_that_was_put_into_them():
    text = LONG + "a = 1\nb = 2\nc = 3\nd = 4\n"
    new = f'{gate("", LONG)}# ... existing code (with auth="[masked secret]") ...'
    (misfit,) = fitting(block(gate("", text).rstrip(), new), {"config.py": text}).misfits
    assert misfit.reason == "elided"
    assert """'# ... existing code (with auth="[masked secret]") ...'""" in misfit.message
    assert "hunter2" not in misfit.message


def fitting(reply, files, **more):
    return match.fit(
        [each for each in edit_format.read(reply) if isinstance(each, Edit)],
        lambda path: (files[path].encode(), 0o644) if path in files else None,
        mask=gate,
        masks=lambda mark: mark in {"[masked secret]", "[masked Stripe key]"},
        **more,
    )


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("settings.py", 'settings.py\n```\nTOKEN = "[masked secret]"\n```\n'),  # a new file
        ("b.py", block("x = 1", 'x = 1\nTOKEN = "[masked secret]"').replace("config.py", "b.py")),
        ("b.py", 'b.py\n```\nx = 1\nTOKEN = "[masked secret]"\n```\n'),
        ("config.py", block("DEBUG = 1", 'DEBUG = 1\nTOKEN = "[masked Stripe key]"')),  # a kind of another file
        ("b.py", "```diff\n--- a/b.py\n+++ b/b.py\n@@ -1 +1,2 @@\n x = 1\n+TOKEN = '[masked secret]'\n```\n"),
    ],
)
def test_a_mask_that_stands_for_nothing_here_is_never_written(path, reply):
    fitted = fitting(reply, {"config.py": LONG + "DEBUG = 1\n", "b.py": "x = 1\n"})
    assert not fitted.patch.files
    (misfit,) = fitted.misfits
    assert misfit.edit.path == path
    assert "cannot be told" in misfit.message
    assert "Leave masked lines out of the edit" in match.describe(misfit)


@pytest.mark.parametrize(
    "reply",
    [
        block('said = "[masked secret]"', 'told = "[masked secret]"'),
        'config.py\n```\ntold = "[masked secret]"\nx = 2\n```\n',
    ],
)
def test_words_that_look_like_a_mask_stay_where_the_file_has_them(reply):
    fitted = fitting(reply, {"config.py": 'said = "[masked secret]"\nx = 1\n'})
    assert not fitted.misfits
    assert b'told = "[masked secret]"\n' in fitted.patch.files[0].after
