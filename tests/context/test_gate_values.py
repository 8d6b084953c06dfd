"""The gate by makers and by names: keys of one run, defaults of variables, short passwords, names that end in `key`; and what looks alike."""

import re
import string

import pytest

from assistant.context import gate
from tests.context.test_gate_shapes import HEX, UPPER, VALUE, lot

SMALL = string.ascii_lowercase + string.digits
BASE64 = string.ascii_letters + string.digits + "+/"
UUID = "6f1c2f0e-1d5b-4c1a-9d57-3f0f3c2d1b1a"
MAKERS = [
    "AQ.Ab8RN6" + lot(44), "ghs_123456_eyJ" + lot(60) + ".eyJ" + lot(80) + "." + lot(86), "MTA" + lot(23) + ".G" + lot(5) + "." + lot(38),
    "xoxc-" + lot(12, string.digits) + "-" + lot(64, HEX), "xoxd-" + lot(60) + "%2B" + lot(40), "re_" + lot(8) + "_" + lot(24, seed="4"), "tvly-dev-" + lot(32),
    "lsv2_pt_" + lot(32, HEX) + "_" + lot(10, HEX), "sk-lf-" + UUID, "sk-cp-" + lot(80), "pcsk_" + lot(5) + "_" + lot(63), "e2b_" + lot(40, HEX),
    "fc-" + lot(32, HEX), "bb_live_" + lot(27), "rpa_" + lot(42, UPPER), "wandb_v1_" + lot(77), "jina_" + lot(32, HEX) + lot(28), "pa-" + lot(43),
    "nk-" + lot(43), "AQVN" + lot(36), "crsr_" + lot(64, HEX), "cog_" + lot(52, SMALL), lot(52) + "JQQJ99" + lot(26), lot(76) + "AZDO" + lot(4),
    "sk_org_live_" + lot(60), "vcp_" + lot(56), "rnd_" + lot(28), "cfut_" + lot(48), "napi_" + lot(64, SMALL), "npg_" + lot(12), "mdb_sa_sk_" + lot(40),
    "cflt" + lot(60, BASE64), "sha256~" + lot(43), "AKCp" + lot(69), "cio" + lot(32), "EAAA" + lot(60), "EAAG" + lot(180), "lin_oauth_" + lot(64, HEX),
    "NRII-" + lot(32), lot(36, HEX) + "NRAL", "sk.eyJ" + lot(60) + "." + lot(22), "pat-na1-" + UUID, "access-production-" + UUID,
    "access_token$production$" + lot(16, SMALL) + "$" + lot(32, HEX), "rzp_live_" + lot(14), "FLWSECK_TEST-" + lot(32, HEX) + "-X", "EZAK" + lot(54),
    "duffel_live_" + lot(43), "shippo_live_" + lot(40, HEX), "bkua_" + lot(40, HEX), "pnu_" + lot(36), "snyk_uat." + lot(8, HEX) + "." + lot(43) + "." + lot(40),
    "API-" + lot(26, UPPER), "xprv" + lot(107, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"), "glwt-" + lot(20),
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" + lot(300, BASE64), "MIIEpAIBAAKCAQEA" + lot(300, BASE64),
    lot(32, HEX) + "." + lot(16),
]  # fmt: skip


@pytest.mark.parametrize("key", MAKERS)
@pytest.mark.parametrize("around", ['connect("{}")', "a {}\n", "?x={}&y", "[{}]"])
def test_what_a_maker_calls_its_key_is_masked_without_a_name(key, around):
    masked, found = gate.mask(around.format(key), "f.js")
    assert masked == around.format(f"[masked {found[0].kind}]")


def test_a_key_of_one_run_is_as_long_as_the_runs_that_are_looked_at():
    runs, others = gate._keys()
    assert len(runs) > 200
    for hint, key in runs:
        assert re._parser.parse(key.shape).getwidth()[0] >= gate._RUN, hint  # what is shorter would never be found
    assert not {key.shape for _, key in runs} & {key.shape for _, keys in others for key in keys}


DJANGO = "g1^d441r^8m#o*61h&p6(crk5t(4inxs$m+fr5m^9s#9k#vytp"
LONG = lot(32)


@pytest.mark.parametrize(
    ("line", "path", "secret"),
    [
        ("SECRET_KEY = '{}'", "settings.py", DJANGO),
        ("SECRET_KEY = 'django-insecure-{}'", "settings.py", DJANGO),
        ("SECRET_KEY = config('SECRET_KEY', default='{}')", "settings.py", DJANGO),
        ('"PASSWORD": "{}",', "a.py", "vT8)qLw2Zx(9rKe4"),
        ('SIGNING_KEY = "{}"', "a.py", "p0)Q7rXw1z(LmB4tYc9vNe6sDh2jKf8g"),
        ("POSTGRES_PASSWORD: ${{POSTGRES_PASSWORD:-{}}}", "compose.yml", VALUE),
        ("DB_PASSWORD=${{DB_PASSWORD:-{}}}", "a.sh", VALUE),
        ("password: ${{DB_PASSWORD:{}}}", "application.yml", VALUE),
        ("spring.datasource.password=${{DB_PASS:{}}}", "a.properties", VALUE),
        ("APP_KEY: base64:{}", "compose.yml", lot(43, BASE64) + "="),
        ("'key' => env('APP_KEY', 'base64:{}'),", "app.php", lot(43, BASE64) + "="),
        *((f"{name} = '{{}}'", "a.py", LONG) for name in ("OPENAI_KEY", "JWT_KEY", "HMAC_KEY", "COOKIE_KEY", "appKey", "BEARER", "config.pepper", "creds")),
        *((f"{name}: {{}}", "a.yml", LONG) for name in ("azure_openai_key", "DD_APP_KEY", "PresharedKey", "nonce_salt", "db_pw")),
        ('var jwtKey = []byte("{}")', "a.go", LONG),
        ("ENV.fetch('DB_PASSWORD') {{ '{}' }}", "a.rb", VALUE),
        ("ROUTING_KEY={}", "a.sh", lot(32, HEX)),
        ('hmackey = "{}"', "a.py", LONG),
        ('api_key = decrypt_and_load("{}")', "a.py", LONG),
        ('password = "{}"', "a.py", "Xk9m.*Q2v!Lp8"),
        ('password = "{}"', "a.py", "aB3$xK(9mQ2)"),
        ('PASSWORD = "{}"', "a.py", "jQ7w1zLm"),
        ('password = "{}"', "a.py", "k3v9x2ab9"),
        ("pw = '{}'", "a.py", VALUE),
        ("**Password:** {}", "a.md", VALUE),
        ("| password | {} |", "a.md", VALUE),
        ("{{user: x, password: {}}}", "a.yml", VALUE),
        ("    api_token: {}", "app.yml.j2", VALUE),
        ("setx API_TOKEN {}", "setup.ps1", VALUE),
        ("MAPS_API_KEY = {}", "Secrets.xcconfig", LONG),
        ("API_TOKEN={}", ".flaskenv", VALUE),
        ('{{"outputs": {{"db_password": {{"sensitive": true, "value": "{}"}}}}}}', "a.json", VALUE),
        ('env::var("DB_PASSWORD").unwrap_or("{}".into())', "a.rs", VALUE),
        ("new mysqli('localhost', 'root', '{}', 'db');", "a.php", VALUE),
        ('pymysql.connect("localhost", "root", "{}", "db")', "a.py", VALUE),
        ('DriverManager.getConnection(url, "root", "{}")', "a.java", VALUE),
        ('smtp.login("me@x.io", "{}")', "a.py", VALUE),
        ('jwt.sign({{id}}, "{}", {{expiresIn: 1}})', "a.js", LONG),
        ('jwt.encode(payload, "{}", algorithm="HS256")', "a.py", LONG),
        ('hmac.New(sha256.New, []byte("{}"))', "a.go", LONG),
        ('app.use(cookieParser("{}"));', "a.js", LONG),
        ('WiFi.begin("ssid", "{}");', "a.ino", VALUE),
        ("auth: ['user', '{}']", "a.js", VALUE),
        ("echo {} | sudo -S ls", "a.sh", VALUE),
        ("keytool -storepass {} x", "a.sh", VALUE),
        ("masterauth {}", "redis.conf", LONG),
        ("user default on >{} ~* +@all", "redis.conf", LONG),
        ("machine api.x.io login me password {}", "netrc.txt", VALUE),
        ("Cookie: theme=dark; sessionid={}", "a.log", lot(32, SMALL)),
        ("postgres://shop:{}@db/shop", "a.py", "fQ7$Xw1z%LmB(4t"),
        *((f"{name}={{}}", "a.sh", lot(40, HEX)) for name in ("DD_APP_KEY", "DATADOG_APP_KEY", "DEPLOY_KEY")),
        *((f"{name}={{}}", "a.sh", lot(32)) for name in ("PUBLIC_API_KEY", "HCAPTCHA_KEY", "VERIFY_KEY", "RECV_KEY")),
        *((f"{name}: {{}}", "a.yml", lot(43)) for name in ("VAPID_KEY", "MINISIGN_KEY", "GPG_KEY", "recaptcha_key")),
        ('const publicAccessKey = "{}"', "a.js", LONG),
        ("encryption:\n  key: {}\n", "a.yml", lot(64, HEX)),
        ("encryption:\n  # of the disk\n  enabled: true\n  key: {}\n", "a.yml", lot(64, HEX)),
        ('{{"jwt": {{"key": "{}"}}}}', "a.json", lot(64, HEX)),
        ('{{\n  "cipher": {{\n    "name": "aes",\n    "key": "{}"}}}}', "a.json", lot(64, HEX)),
        ("[a]\nx = 1\n[encryption]\nkey = '{}'\n", "a.toml", lot(64, HEX)),
        ("  'jwt' => [\n    'key' => '{}',", "a.php", lot(64, HEX)),
    ],
)  # fmt: skip
def test_a_secret_is_masked_behind_more_names_and_more_calls(line, path, secret):
    masked, found = gate.mask(line.format(secret), path)
    assert len(found) == 1
    head, _, tail = masked.partition(f"[masked {found[0].kind}]")
    assert line.format(secret).startswith(head)
    assert line.format(secret).endswith(tail)
    assert secret[2:] not in masked


@pytest.mark.parametrize("path", [".dev.vars", ".secrets", "auth.json", "app/.dev.vars"])
def test_files_that_hold_nothing_else_are_kept_back_by_name(path):
    assert gate.is_secret_file(path)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("password = get_password('db-main-01')", "a.py"),
        ('api_key_id = "' + UUID + '"', "a.py"),
        ('password_hasher = "argon2id$v=19$m=65536"', "a.py"),
        ('primary_key = "order_line_id_2024_v1"', "a.py"),
        ('cache_key = "' + lot(40, HEX) + '"', "a.py"),
        ('SIGNUP_KEY = "' + UUID + '"', "a.py"),
        ('sort_key = "createdAtTimestampDescending2"', "a.js"),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "a.http"),
        ("ENV GPG_KEY E3FF2839C048B25C084DEBE9B26995E310250568", "Dockerfile"),
        *(
            (f"{name}={lot(40, HEX)}", "a.sh")
            for name in ("GPG_KEY", "COMMIT_KEY", "GIT_SHA_KEY", "rev_key", "FINGERPRINT_KEY")
        ),
        ("VAPID_KEY=BN" + lot(85), "a.sh"),
        ("MINISIGN_KEY=RWQ" + lot(53, BASE64), "a.sh"),
        ("HOST_KEY=AAAAC3NzaC1lZDI1NTE5AAAAI" + lot(43, BASE64), "a.sh"),
        ("SOPS_AGE_KEY=age1" + lot(58, "023456789acdefghjklmnpqrstuvwxyz"), "a.sh"),
        ("PUBLIC_KEY=" + lot(43, BASE64), "a.sh"),
        ("RECAPTCHA_SITE_KEY=6Lc" + lot(37), "a.sh"),
        ("cache:\n  key: " + lot(64, HEX) + "\n", "a.yml"),
        ("encryption:\n  on: true\ncache:\n  key: " + lot(64, HEX) + "\n", "a.yml"),
        ("encryption: true\nkey: " + lot(64, HEX) + "\n", "a.yml"),
        ("ENV NGINX_GPGKEY 573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62", "Dockerfile"),
        ("apt-key adv --recv-keys 9DC858229FC7DD38854AE2D88D81803C0EBFCD88", "a.sh"),
        ('"key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA' + lot(200, BASE64) + '"', "manifest.json"),
        ("<key>SUPublicEDKey</key><string>" + lot(43, BASE64) + "=</string>", "Info.plist"),
        ("const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'", "a.js"),
        ("const KEYS = 'abcdefghijklmnopqrstuvwxyz0123456789'", "a.js"),
        ('{"key":"cHJvZHVjdDoxMjM0NTY3ODkw"}', "a.json"),
        ("PRIMARY_KEY = '01ARZ3NDEKTSV4RRFFQ69G5FAV'", "a.py"),
        ('memo_key = "' + lot(32, HEX) + '"', "a.py"),
        ('map.put("key", "' + lot(32, HEX) + '")', "A.java"),
        ("| key | " + lot(32, HEX) + " |", "a.md"),
        ("KeyError: '01ARZ3NDEKTSV4RRFFQ69G5FAV'", "a.log"),
        ("key_fingerprint: " + lot(64, HEX), "a.yml"),
        ("password: ${DB_PASSWORD}", "a.yml"),
        ("password: ${DB_PASSWORD:-changeme}", "a.yml"),
        ("password: ${DB_PASSWORD:?must be set}", "a.yml"),
        ('password = "Password1"', "a.py"),
        ('password = "Test1234"', "a.py"),
        ('PASSWORD = "$this->password"', "a.php"),
        ("password = %DB_PASSWORD1%", "a.bat"),
        ("PASSWD_RE = re.compile(r'^[-]{0,2}pass[-]?(word|wd)?')", "a.py"),
        ('password_pattern = "^(?=.*[A-Z])(?=.*[0-9]).{8,}$"', "a.py"),
        ("| TLS_PSK_WITH_AES_128_CBC_SHA | PSK-AES128-CBC-SHA |", "a.md"),
        ("ftp://me:user%40domain.com@host/", "a.py"),
        ('url = "postgres://app:$DB_PASSWORD1@db/app"', "a.sh"),
        ('url = "postgres://app:%(password1)s@db/app"', "a.py"),
        ("the salt: a pinch, and some pepper: 2 grams", "a.md"),
        ("core_dumpfile1_abcdefghijklmnopqrstuvwx", "a.c"),
        ("MTA = 1; map-reduce_12.abcdef.tar", "a.c"),
    ],
)
def test_what_only_looks_alike_stays(line, path):
    assert gate.mask(line, path) == (line, ())
