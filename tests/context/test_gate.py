import pytest

from assistant.context import gate


@pytest.mark.parametrize(
    "text",
    [
        "key = 'sk-ant-api03-abcdefghijklmnopqrstuvwxyz'",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
        "token: ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "postgres://user:hunter22@db/x",
        'DB_PASSWORD = "cX93kd02ldKq"',
    ],
)
def test_secrets_are_masked_and_lines_stay(text):
    masked, found = gate.mask("a\n" + text + "\nb\n", "f")
    assert len(found) == 1
    assert found[0].line == 2
    assert "[masked" in masked
    assert masked.count("\n") == text.count("\n") + 3


@pytest.mark.parametrize(
    "text", ["password = get_password()", 'api_key = "your-api-key-here"', 'secret = "${SECRET_VALUE}"', "x = 1"]
)
def test_what_is_no_secret_stays(text):
    assert gate.mask(text, "f") == (text, ())


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (".env", True),
        ("a/.env.local", True),
        (".env.example", False),
        ("id_rsa", True),
        ("key.py", False),
        ("x.pem", True),
    ],
)
def test_files_of_secrets(path, secret):
    assert gate.is_secret_file(path) is secret
