"""The gate: secrets by name, by shape and by how they are set, in files, diffs and pieces of files; and what is none."""

import hashlib
import string

import pytest

from assistant.context import gate


def lot(size, letters=string.ascii_letters + string.digits, seed="x"):
    """Return letters drawn by lot, the same in every run: no key stands in this file."""
    digits = hashlib.sha512(f"{seed}{size}".encode()).digest() * 8
    return "".join(letters[byte % len(letters)] for byte in digits[:size])


HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
KEYS = {
    "Anthropic key": ["sk-ant-api03-" + lot(90)],
    "OpenAI key": ["sk-proj-" + lot(60), "sk-svcacct-" + lot(40), "sk-" + lot(20) + "T3BlbkFJ" + lot(20)],
    "provider key": ["sk-" + lot(32, HEX), "sk-or-v1-" + lot(64, HEX), "xai-" + lot(60), "gsk_" + lot(52), "nvapi-" + lot(60), "pplx-" + lot(48)],
    "Google key": ["AIza" + lot(35), "ya29." + lot(60), "GOCSPX-" + lot(28)],
    "AWS key": ["AKIA" + lot(16, UPPER), "ASIA" + lot(16, UPPER)],
    "GitHub token": ["ghp_" + lot(36), "ghs_" + lot(36), "github_pat_" + lot(82)],
    "GitLab token": ["glpat-" + lot(20), "glrt-" + lot(20)],
    "Slack token": ["xoxb-" + lot(12, string.digits) + "-" + lot(24), "xapp-1-" + lot(40)],
    "Stripe key": ["sk_live_" + lot(24), "rk_test_" + lot(24), "whsec_" + lot(32)],
    "Hugging Face token": ["hf_" + lot(34)],
    "npm token": ["npm_" + lot(36)],
    "PyPI token": ["pypi-AgEIcHlwaS5vcmc" + lot(60)],
    "cloud token": ["dop_v1_" + lot(64, HEX), "dckr_pat_" + lot(27), "hvs." + lot(40), "dapi" + lot(32, HEX), "LTAI" + lot(20)],
    "service token": ["SG." + lot(22) + "." + lot(43), "lin_api_" + lot(40), "glsa_" + lot(41), "shpat_" + lot(32, HEX), "NRAK-" + lot(27),
        "sk_" + lot(48, HEX), "ATCTT3xFfGN0" + lot(160), "dt0c01." + lot(24, UPPER) + "." + lot(64, UPPER), "sqp_" + lot(40, HEX), "squ_" + lot(40, HEX),
        "CFPAT-" + lot(43), "sdk-6f1c2f0e-1d5b-4c1a-9d57-3f0f3c2d1b1a"],
    "token": ["eyJ" + lot(30) + ".eyJ" + lot(60) + "." + lot(43)],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in KEYS.items() for key in keys])
@pytest.mark.parametrize("around", ['x = "{}"', "- {}", "KEY={}\n", "+    use('{}')", "({})", "see {}, and"])
def test_a_key_of_a_known_maker_is_masked_wherever_it_stands(kind, key, around):
    masked, found = gate.mask("one\n" + around.format(key) + "\ntwo\n", "f.py")
    assert key not in masked
    assert [(each.line, each.path) for each in found] == [(2, "f.py")]
    assert found[0].kind == kind
    assert masked == "one\n" + around.format(f"[masked {kind}]") + "\ntwo\n"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgres://app:{}@db.internal:5432/x", "Kd83js0!aQ"),
        ("redis://:{}@cache/0", "n3verTell"),
        ("DefaultEndpointsProtocol=https;AccountKey={};x", lot(86) + "=="),
        ("https://hooks.slack.com/services/{}", "T0ABCDEFG/B0ABCDEFG/" + lot(24)),
        ("https://hooks.slack.com/workflows/{}", "T0ABCDEFG/A0ABCDEFG/123456789/" + lot(24)),
        (
            "https://x.webhook.office.com/webhookb2/{}",
            "6f1c2f0e-1d5b-4c1a-9d57-3f0f3c2d1b1a@x/IncomingWebhook/" + lot(32, HEX) + "/x",
        ),
        ("Authorization: Bearer {}", lot(40)),
        ("//registry.npmjs.org/:_authToken={}", lot(36)),
    ],
)
def test_a_secret_within_something_harmless_is_masked_alone(text, secret):
    masked, found = gate.mask(text.format(secret), "notes.txt")
    assert secret not in masked
    assert masked == text.format(f"[masked {found[0].kind}]")


VALUE = "q7Zr2Lm9Xc4V"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (f'password = "{VALUE}"', "a.py"),
        (f"const clientSecret = '{VALUE}';", "a.ts"),
        (f'"apiKey": "{VALUE}",', "a.json"),
        (f'os.environ["DB_PASSWORD"] = "{VALUE}"', "a.py"),
        (f'auth_token => "{VALUE}"', "a.rb"),
        (f"DATABASE_PASSWORD={VALUE}", "deploy.sh"),
        (f"  password: {VALUE}", "values.yaml"),
        (f"<password>{VALUE}</password>", "settings.xml"),
        (f"aws_secret_access_key = {lot(40)}", "notes.cfg"),
        (f'PWD_SALT_TOKEN = "{VALUE}"', "a.py"),
    ],
)
def test_a_value_drawn_by_lot_is_masked_when_its_name_says_so(line, path):
    masked, found = gate.mask(line, path)
    assert len(found) == 1
    assert "[masked " in masked
    assert VALUE not in masked


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('password = "changeme"', "a.py"),
        ('password = "password123"', "a.py"),
        ('API_KEY = "your-api-key-goes-here-123"', "a.py"),
        ('token = "<YOUR_TOKEN_1>"', "a.py"),
        ('secret = os.environ["APP_SECRET2"]', "a.py"),
        ("password: ${DB_PASSWORD_2}", "a.yaml"),
        ("password: {{ vault.db2.password }}", "a.yaml"),
        ("password = getPassword2(config1)", "a.cfg"),
        ('"integrity": "sha512-' + lot(86) + '=="', "package-lock.json"),
        ('sha256 = "' + lot(64, HEX) + '"', "a.toml"),
        ("id: 6f1c2f0e-1d5b-4c1a-9d57-3f0f3c2d1b1a", "a.yaml"),
        ('key = "6f1c2f0e-1d5b-4c1a-9d57-3f0f3c2d1b1a"', "a.py"),
        ("commit " + lot(40, HEX), "x.txt"),
        ("postgres://postgres:postgres@localhost/test", "a.py"),
        ("https://user:$PASSWORD@host/", "a.sh"),
        ("see http://host:8080/a@b", "a.md"),
        (".sk-folding-cube-animation-delay { }", "a.css"),
        ("tokenizer_class = 'Qwen2Tokenizer'", "a.py"),
        ('token_type = "access_token_v2"', "a.py"),
        ('password_file = "/run/secrets/db2"', "a.py"),
        ("if key == 'PRIVATE KEY': pass", "a.py"),
        ('BEGIN = "-----BEGIN PRIVATE KEY-----"\nEND = "-----END PRIVATE KEY-----"\n', "a.py"),
        ('return "-----BEGIN PRIVATE KEY-----\\n" + body + "\\n-----END PRIVATE KEY-----"', "a.py"),
    ],
)
def test_what_only_looks_like_a_secret_stays(line, path):
    assert gate.mask(line, path) == (line, ())


LONG, BASE64 = lot(40), string.ascii_letters + string.digits + "+/"


@pytest.mark.parametrize(
    ("line", "path", "secret"),
    [
        ("_auth={}", ".npmrc", lot(28) + "=="),
        ('secretkey = "{}"', "a.py", LONG),
        ('secretToken = "{}"', "a.js", LONG),
        ("AWS_ACCESS_KEY_ID_SECRET={}", "a.sh", LONG),
        ("DEPLOY_TOKEN ?= {}", "Makefile", LONG),
        ("deploy: export API_KEY := {}", "a.mk", LONG),
        ('public string ApiKey {{ get; set; }} = "{}";', "a.cs", LONG),
        ('Dim password As String = "{}"', "a.vb", VALUE),
        ('const SECRET: &[u8] = b"{}";', "a.rs", LONG),
        ('std::string token{{"{}"}};', "a.cpp", LONG),
        ('const apiKey = live ? "{}" : "";', "a.js", LONG),
        ('client.set_password("{}")', "a.py", VALUE),
        ('ds.setPassword("{}");', "a.java", VALUE),
        ('key = SecretStr("{}")', "a.py", LONG),
        ('api_key: str = Field(default="{}")', "a.py", LONG),
        ('new NetworkCredential("bob", "{}")', "a.cs", VALUE),
        ('parser.add_argument("--token", default="{}")', "a.py", LONG),
        ('@click.option("--password", help=None, default="{}")', "a.py", VALUE),
        ('@Value("${{api.key:{}}}")', "A.java", LONG),
        ("my $password = q{{{}}};", "a.pl", VALUE),
        ("local api_token = [[{}]]", "a.lua", LONG),
        ("connect password: %q({})", "a.rb", VALUE),
        ("$apiKey = <<<EOT\n{}\nEOT;", "a.php", LONG),
        ("token: >-\n  {}\n", "a.yml", LONG),
        ("api_key: &key {}", "a.yml", LONG),
        ("api_key: !!str {}", "a.yml", LONG),
        ("api_keys:\n  - {}\n", "a.yml", LONG),
        ('{{"api_keys": [\n  "{}"\n]}}', "a.json", LONG),
        ('<string name="google_api_secret">{}</string>', "a.xml", LONG),
        ('<property name="connection.password">{}</property>', "a.xml", VALUE),
        ("<param-name>api.password</param-name>\n<param-value>{}</param-value>", "a.xml", VALUE),
        ("<password><![CDATA[{}]]></password>", "a.xml", VALUE),
        ("CREATE USER 'bob'@'h' IDENTIFIED BY '{}';", "a.sql", VALUE),
        ("bindpw {}", "ldap.conf", VALUE),
        ('psk="{}"', "wpa.conf", VALUE),
        ("X-API-KEY: {}", "a.http", LONG),
        ("url = postgres://app:{}@db/app", "a.ini", "p%40ssKd83js0aQ"),
        ('{{"https://index.docker.io/v1/": {{"auth": "{}"}}}}', "a.txt", "dXNlcjpRN1pyMkxtOVhjNFZhYg=="),
        ('let apiKey: String = "{}"', "a.swift", lot(32, HEX)),
        ('let token: &str = "{}";', "a.rs", LONG),
        ('let token: &\'static str = "{}";', "a.rs", LONG),
        ('const apiKey string = "{}"', "a.go", LONG),
        ("apiKey: string = '{}'", "a.ts", LONG),
        ('char api_key[] = "{}";', "a.c", LONG),
        ('#define API_KEY "{}"', "a.c", lot(32, HEX)),
        ("define('DB_PASSWORD', '{}');", "a.php", VALUE),
        ('token = os.environ.get("TOKEN", "{}")', "a.py", LONG),
        ('token = os.environ.get("TOKEN") or "{}"', "a.py", VALUE),
        ("const t = process.env.API_KEY || '{}'", "a.js", LONG),
        ("if (token === '{}') return", "a.js", LONG),
        ('API_KEY = (\n    "{}"\n)', "a.py", LONG),
        ('token = """{}"""', "a.toml", LONG),
        ('{{"source": ["api_key = \\"{}\\"\\n"]}}', "a.ipynb", lot(32)),
        ("FROM x\nARG SECRET_KEY {}\n", "Dockerfile.b", LONG),
        ("ENV API_TOKEN {}", "Dockerfile", LONG),
        ("export AWS_SESSION_TOKEN={}", "a.sh", "IQoJ" + lot(400, BASE64)),
        ('export AWS_SESSION_TOKEN="{}"', "a.sh", "IQoJ" + lot(400, BASE64)),
        ('{{"api_key": "{}"}}', "a.json", lot(500, BASE64)),
        ("use {}", "a.txt", "IQoJb3JpZ2lu" + lot(300, BASE64)),
        ("  tls.key: {}", "a.yml", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ" + lot(500, BASE64)),
        ('export FLY_API_TOKEN="FlyV1 {}"', "a.sh", "fm2_" + lot(160, BASE64)),
        ('{{"kty": "RSA", "n": "abc", "d": "{}"}}', "a.json", lot(342)),
        ("env:\n  - name: DB_PASSWORD\n    value: {}", "a.yml", VALUE),
        ('env:\n  - name: API_TOKEN\n    value: "{}"', "a.yml", LONG),
        ('{{"name": "API_TOKEN", "value": "{}"}}', "a.json", LONG),
        ('<add key="ApiSecret" value="{}"/>', "web.config", lot(27)),
        ("<key>ApiKey</key>\n<string>{}</string>", "a.plist", LONG),
        ('"Default": "Server=x;User ID=sa;Password={};Encrypt=true"', "a.json", VALUE),
        ('dsn = "host=db user=x password={} dbname=y"', "a.py", VALUE),
        ('fetch("https://x.io/v1?api_key={}&x=1")', "a.js", LONG),
        ('url: "https://x.io/v1?api_key={}"', "a.yml", LONG),
        ('variable "db_password" {{\n  type = string\n  default = "{}"\n}}', "a.tf", VALUE),
        ("The admin password is `{}`", "a.md", VALUE),
        ("curl -u admin:{} https://x.io", "a.sh", VALUE),
        ("curl --user 'admin:{}' https://x.io", "a.md", VALUE),
        ("mysql -u root -p{} shop", "a.sh", VALUE),
        ("sshpass -p {} ssh x", "a.sh", VALUE),
        ("deploy --token {}", "a.md", LONG),
        ("export DB_PASS={}", "a.sh", VALUE),
        ("mongoPass = '{}'", "a.js", VALUE),
        ("ansible_ssh_pass={}", "hosts", VALUE),
        ("ansible_ssh_pass={}", "ansible.cfg2", VALUE),
        ("requirepass {}", "redis.conf", VALUE),
        ("git clone https://{}@git.host/x.git", "a.md", LONG),
        ("git clone https://{}:x-oauth-basic@git.host/x.git", "a.md", LONG),
        ("Authorization: token {}", "a.md", lot(40, HEX)),
        ('{{"Authorization": f"token {}"}}', "a.py", lot(40, HEX)),
        ("echo {} | docker login -u bob --password-stdin", "a.sh", VALUE),
        ('echo "bob:{}" | sudo chpasswd', "a.sh", VALUE),
        ("htpasswd -b -c .ht bob {}", "a.sh", VALUE),
        ('$pw = ConvertTo-SecureString "{}" -AsPlainText -Force', "a.ps1", VALUE),
        ('requests.get(url, auth=("bob", "{}"))', "a.py", VALUE),
        ("$db = new PDO('mysql:host=x', 'bob', '{}');", "a.php", VALUE),
        ('DBI->connect("dbi:mysql:x", "bob", "{}");', "a.pl", VALUE),
        ('{{password, "{}"}}', "a.config", VALUE),
        ('val password by lazy {{ "{}" }}', "a.kt", VALUE),
        ("AZURE_DEVOPS_EXT_PAT={}", "a.sh", lot(52)),
        ('f = Fernet(b"{}")', "a.py", lot(43) + "="),
        ('passphrase = "{}"', "a.py", "correct horse battery staple"),
        ("Passwort: {}", "a.md", VALUE),
        ('kennwort = "{}"', "a.py", VALUE),
        ("mot_de_passe: {}", "a.yml", VALUE),
        ('contraseña = "{}"', "a.py", VALUE),
        ("kind: Secret\nmetadata:\n  name: x\ndata:\n  config: {}\n", "a.yml", "YSBrZXR0bGUgYXQgbm9vbg=="),
        (
            "data:\n  mail: {}\nkind: Secret\n---\nkind: ConfigMap\ndata:\n  a: YSBrZXR0bGUgYXQgbm9vbg==\n",
            "a.yml",
            "bm9ib2R5IGJ1dCB5b3U=",
        ),
        ("stringData:\n  admin: {}\n", "a.yml", VALUE),
    ],
)
def test_a_secret_is_masked_however_it_is_set_in_files_and_in_what_a_diff_adds(line, path, secret):
    text = line.format(secret)
    masked, found = gate.mask(text, path)
    assert masked == line.format(f"[masked {found[0].kind}]")
    added = "".join(f"+{row}\n" for row in text.split("\n"))
    assert secret not in gate.mask_diff(f"diff --git a/{path} b/{path}\n+++ b/{path}\n@@ -0,0 +1 @@\n{added}")[0]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("docker run -u 1000:1000 x", "a.sh"),
        ("docker run --user www-data:www-data x", "a.sh"),
        ("curl -u $USER:$PASSWORD_2 https://x.io", "a.sh"),
        ("curl -u admin:changeme https://x.io", "a.sh"),
        ("mysqladmin ping -p$MYSQL_PASSWORD2", "a.sh"),
        ("mysql -h db --port=3306 -pchangeme", "a.sh"),
        ('let header_token: &str = "X-Hub-Signature-256";', "a.rs"),
        ("password: str", "a.py"),
        ("def f(token: str = DEFAULT_TOKEN_V2, key: bytes = b''): ...", "a.py"),
        ('key = row["id"]', "a.py"),
        ("token = get_token(user, 'base64')", "a.py"),
        ("token = lexer.next_token(position1)", "a.conf"),
        ("token = a1b2c3d4e5f6(x)", "a.conf"),
        ('const passwordPolicy = "^[a-zA-Z0-9!@#$%^&*]{8,64}$"', "a.go"),
        ('password = "getUserNameFromDb"', "a.py"),
        ('secret = "XMLHttpRequest"', "a.js"),
        ('token = "HTTPSConnectionPoolKey"', "a.py"),
        ('bypass = "a1B2c3D4e5F6"', "a.py"),
        ('compass: "N12W34e5F6g7"', "a.yaml"),
        ("PASS=12 FAIL=0", "a.log"),
        ("- Pass `--disable-warning=FSTWRN003` to it", "a.md"),
        ('("/etc/passwd:3", "@none.py:3")', "a.py"),
        ('fields = ["password", "sha256Sum_v2X"]', "a.py"),
        ("env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef: {name: db2-credentials-x1}", "a.yml"),
        ("- name: API_TOKEN\n  value: $(API_TOKEN_2)", "a.yml"),
        ('secret_key = "072d1e0157c008193fe48a670cce..."', "a.py"),
        ('"apiKeyIcon": "iVBORw0KGgo' + lot(600, BASE64) + '"', "a.json"),
        ('"token_icon": "data:image/png;base64,' + lot(600, BASE64) + '"', "a.json"),
        ("  tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t" + lot(600, BASE64), "a.yml"),
        ('{"d": "M440-440H200v-80h240v-240h80v240h240v80H520v240h-80v-240Z"}', "a.json"),
        ('{"kty": "EC", "crv": "P-256", "x": "' + lot(43) + '"}', "a.json"),
        ("h1:" + lot(43, BASE64) + "=", "go.sum"),
        ("uses: actions/checkout@" + lot(40, HEX), "a.yml"),
        ("https://medium.com/@" + LONG, "a.md"),
        ("https://" + lot(32, HEX) + "@o1.ingest.sentry.io/1", "a.md"),
        ("a token xxxxxxxxxxxxxxxxxxxx and --token your-token-goes-here-1", "a.md"),
        ('f"password={password1}&token=%(token2)s"', "a.py"),
        ('val TLS_PSK_WITH_RC4_128_SHA = init("TLS_PSK_WITH_RC4_128_SHA", 0x008a)', "a.kt"),
        ('get_secret("prod/db-AbCdEf12")', "a.py"),
        ('token = get_token("refresh-v2-tokenName")', "a.py"),
        ('check_password("Xk29dmw0Aq")', "a.py"),
        ("password: &default\n  min: 8\n", "a.yml"),
        ("secret:\n  name: db2-credentials-X1a9\n", "a.yml"),
        ("secrets:\n  - source: db2-Credentials-X1a9\n", "a.yml"),
        ("sk_buff skb_" + lot(48, HEX) + " sdk-version-6f1c2f0e", "a.c"),
        ('model_token_limit = "claude-sonnet-4-5-20250929"', "a.py"),
        ('secretary = "Johnson-Smith1975"', "a.py"),
        ('SECRETS_MANAGER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf"', "a.py"),
        ("'Lock-Token': 'urn:uuid:6f1c2f0e-1d5b-4c1a-9d57-3f0f3c2d1b1a'", "a.js"),
        ("s3://aws_key:aws_secret@mybucket/", "a.md"),
        ("max_tokens = 4096  # [gpt5mini2026]", "a.py"),
        ("see http://a%20b:c%20d@host/ and ftp://me:a%20secret@host/", "a.md"),
        ('"Password=your-password-1;Encrypt=true"', "a.json"),
        ("echo $PASSWORD | docker login --password-stdin", "a.sh"),
        ("htpasswd -bn user /etc/nginx/X1y2Z3w4v5", "a.sh"),
        ('auth=("user", "changeme")', "a.py"),
        ("auth=(USER, PASSWORD_FROM_ENV_2)", "a.py"),
        ('passphrase = "enter the passphrase please now"', "a.py"),
        ('passphrase: "correct horse"', "a.yml"),
        ("DEFAULT_PAT = compile_pattern_v2X(1)", "a.py"),
        ("kind: Secret\ndata:\n  password: {{ .Values.pass | b64enc }}\n  user: YWRtaW4=\n", "a.yml"),
        ("kind: ConfigMap\ndata:\n  config: YSBrZXR0bGUgYXQgbm9vbg==\n", "a.yml"),
        ("kind: SecretStore\ndata:\n  config: YSBrZXR0bGUgYXQgbm9vbg==\n", "a.yml"),
    ],
)
def test_what_is_set_in_such_a_way_and_is_no_secret_stays(line, path):
    assert gate.mask(line, path) == (line, ())


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('API_KEY = "{}" \\\n    "{}"', "a.py"),
        ('apiKey = "{}" +\n    "{}"', "a.js"),
        ('API_KEYS = ["{}", "{}"]', "a.py"),
        ("api_keys:\n  - {}\n  - {}\n", "a.yml"),
    ],
)
def test_both_halves_of_a_secret_and_all_of_a_list_are_masked(text, path):
    one, two = lot(32), lot(32, seed="y")
    masked, found = gate.mask(text.format(one, two), path)
    assert masked == text.format("[masked secret]", "[masked secret]")
    assert len(found) == 2
    assert one not in gate.mask(f"password = '{one}'; password2 = '{one}'", path)[0]
    assert two in gate.mask(f"name = f('{one}', '{two}')", path)[0]
    assert two in gate.mask(f"password = '{one}', '{two}'", path)[0]


@pytest.mark.parametrize("size", [12, 16, 24, 40])
@pytest.mark.parametrize("line", ['password = "{}"', "connect('x;Password={};y')", "curl -u admin:{} x"])
def test_of_values_drawn_by_lot_few_pass(size, line):
    values = [lot(size, seed=str(seed)) for seed in range(200)]
    passed = [value for value in values if value in gate.mask(line.format(value), "a.c")[0]]
    assert len(passed) <= (20 if size < 16 else 10)


ROWS = [lot(64, string.ascii_letters + string.digits + "+/", seed) for seed in range(12)]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *ROWS, "-----END RSA PRIVATE KEY-----"])

SSH2 = "\n".join(["---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", *ROWS, "---- END SSH2 ENCRYPTED PRIVATE KEY ----"])


@pytest.mark.parametrize(
    "text",
    [
        f"a\n{PEM}\nb\n",
        "a\n" + "\n".join("    |" + row for row in PEM.split("\n")) + "\nb",
        'KEY = "' + PEM.replace("\n", "\\n") + '"\nb',
        '{"type": "service_account", "private_key": "' + PEM.replace("\n", "\\n") + '\\n"}',
        "a\n" + "\n".join(PEM.split("\n")[:5]),
        "\n".join(PEM.split("\n")[5:]) + "\nb = 1\n",
        "\n".join(PEM.split("\n")[3:9]),
        PEM.replace("\n", "\r\n"),
        f"a\n{SSH2}\nb\n",
    ],
    ids=["whole", "margin", "one line", "service account", "without end", "without begin", "middle", "crlf", "ssh2"],
)
def test_a_private_key_is_masked_whole_or_cut_and_the_lines_stay(text):
    masked, found = gate.mask(text, "f")
    assert not any(row in masked for row in ROWS)
    assert masked.count("\n") == text.count("\n")
    assert [each.kind for each in found] == ["private key"]
    assert ("b" in masked) == text.rstrip().endswith(("b", "b = 1"))


HUNK = "diff --git a/k.txt b/k.txt\n--- a/k.txt\n+++ b/k.txt\n@@ -12,7 +12,7 @@ {}\n {}\n {}\n {}\n-{}\n+{}\n {}\n {}\n {}\n".format(
    *ROWS
)


def test_a_hunk_in_the_middle_of_a_private_key_is_masked_with_its_heading():
    masked, found = gate.mask_diff(HUNK)
    assert not any(row in masked for row in ROWS)
    assert masked.count("\n") == HUNK.count("\n")
    assert [each.kind for each in found] == ["private key"]
    plain = HUNK.replace(ROWS[0], "x = 1")
    masked, found = gate.mask_diff(plain)
    assert not any(row in masked for row in ROWS)
    assert "@@ x = 1\n" in masked


def test_a_list_of_commits_is_no_private_key():
    hashes = "".join(lot(40, HEX, str(seed)) + "\n" for seed in range(9))
    assert gate.mask(hashes, ".git-blame-ignore-revs") == (hashes, ())


@pytest.mark.parametrize(
    "line", ['API_KEY = "{}"', "use ghp_{}", "url = https://bob:{}@x.io/", 'connect(password="{}")']
)
def test_no_half_of_a_secret_stands_in_the_heading_of_a_hunk(line):
    for margin in range(0, 70, 5):
        text = "x = 1; " + "y " * (margin // 2) + line.format(lot(90))
        hunk = f"diff --git a/k.py b/k.py\n--- a/k.py\n+++ b/k.py\n@@ -12,7 +12,7 @@ {text[:80]}\n x\n-y\n+z\n"
        masked, _ = gate.mask_diff(hunk)
        assert lot(90)[:4] not in masked
        assert masked.count("\n") == hunk.count("\n")


def test_lines_after_a_key_of_many_lines_are_counted_right():
    _, found = gate.mask(f"{PEM}\nx\npassword = '{VALUE}'\n", "f.py")
    assert [(each.kind, each.line) for each in found] == [("private key", 1), ("secret", PEM.count("\n") + 3)]


def test_the_user_lets_one_secret_through_in_one_file_and_no_other():
    text = f"password = '{VALUE}'\npassword = '{VALUE[::-1]}'\n"
    _, found = gate.mask(text, "a.py")
    let = {(found[0].path, found[0].kind, found[0].digest)}
    masked, rest = gate.mask(text, "a.py", let)
    assert VALUE in masked
    assert VALUE[::-1] not in masked
    assert [each.line for each in rest] == [2]
    assert VALUE not in gate.mask(text, "b.py", let)[0]
    assert VALUE not in found[0].digest


def test_masking_twice_is_masking_once():
    text = "\n".join([*(key for keys in KEYS.values() for key in keys), PEM, f"password = '{VALUE}'"])
    once, found = gate.mask(text, "a.py")
    assert found
    assert gate.mask(once, "a.py") == (once, ())


SECRET_FILES = """.env .ENV .env.local config/.env.production prod.env .envrc id_rsa .ssh/id_ed25519 deploy_rsa server.pem Server.PEM tls.key a.p12
.bash_history firebase-adminsdk.json a.pfx keys.jks .netrc _netrc .pypirc .pgpass .git-credentials .aws/credentials home/.kube/config kubeconfig credentials.json secrets.yaml
.docker/config.json service-account.json my-service-account-prod.json client_secret_12.apps.json app-firebase-adminsdk-x.json terraform.tfstate
prod.auto.tfvars prod.tfvars .htpasswd a.kdbx wallet.ppk ./.env ././a/../.env a\\.env .env.bak .env~ id_rsa.old .env. \uff0eenv""".split()


@pytest.mark.parametrize("path", SECRET_FILES)
def test_a_file_of_secrets_is_known_by_its_name_however_it_is_spelt(path):
    assert gate.is_secret_file(path)


@pytest.mark.parametrize(
    "path",
    [
        ".env.example",
        ".env.sample",
        "config/.env.template",
        "id_rsa.pub",
        "key.py",
        "keys.ts",
        "monkey.c",
        "environment.ts",
        ".envoy.yaml",
        "credentials.py",
        "secrets.py",
        "tokens.py",
        "README.md",
        "password_reset.html",
        ".npmrc",
        "config.json",
        "a.pem.md",
        "secret_santa.py",
        ".env.d.ts",
        "terraform.tf",
    ],
)
def test_a_file_that_only_sounds_secret_is_shown(path):
    assert not gate.is_secret_file(path)


def test_a_link_is_judged_by_what_it_leads_to(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / ".env").write_text("A=1")
    (root / "notes.txt").symlink_to(".env")
    (root / "plain.txt").write_text("x")
    (root / "fine.txt").symlink_to("plain.txt")
    (tmp_path / "id_rsa").write_text("x")
    (root / "up.txt").symlink_to("../id_rsa")
    (root / "loop").symlink_to("loop")
    assert gate.is_secret_file("notes.txt", root)
    assert gate.is_secret_file("up.txt", root)
    assert gate.is_secret_file("loop", root)
    assert not gate.is_secret_file("fine.txt", root)
    assert not gate.is_secret_file("plain.txt", root)


def test_a_diff_shows_no_line_of_a_file_of_secrets_and_masks_keys_in_others():
    diff = f"""commit 1
diff --git a/.env b/.env
--- a/.env
+++ b/.env
@@ -1 +1 @@
-PLAIN=tell-no-one
+PLAIN=nor-this
diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,2 +1,2 @@
 x = 1
-password = "{VALUE}"
+password = get()
diff --git a/safe.txt b/.env.local
similarity index 90%
rename from safe.txt
rename to .env.local
@@ -1 +1 @@
-GONE=with-the-wind
"""
    masked, found = gate.mask_diff(diff)
    assert not any(word in masked for word in (VALUE, "tell-no-one", "nor-this", "with-the-wind"))
    assert "diff --git a/.env b/.env" in masked
    assert "+password = get()" in masked
    assert [(each.path, each.kind) for each in found] == [
        (".env", "secret file"),
        ("a.py", "secret"),
        (".env.local", "secret file"),
    ]
    assert gate.mask_diff("no diff at all") == ("no diff at all", ())


@pytest.mark.parametrize(
    "piece",
    ["password='", "api_key", "eyJabcdefghijk.", "://a:", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----\n", "@@ -1 +1 @@\n", "@@ -1 @@ aB" + "c" * 50 + "\n", "A", "A" * 64 + "\n", "sk-ant-", "diff --git a/x b/y\n", "token=", "secret:a", "token\n\n", "pass ", "password value=", "mysql -p ", '"kty""d":"',
     "a --user a:", "token(", "token{", "key = a ? ", "password = f(", "api_keys: [\n", "secret: >-\n  ", "password <<A\n", "<password a=", "token: !a ", "'secret=", "secret" + "," * 60, 'secret" {', "://" + "a" * 200,
     "kind: Secret\n", "kind: Secret\ndata:\n  a: bbbbbbbbbb\n", "stringData:\n a", "htpasswd -b ", "echo 'x|--password-stdin", "auth=('a','", "passphrase = 'abc "],
)  # fmt: skip
def test_a_line_of_a_million_letters_is_read_in_one_pass(piece):
    text = piece * (1_000_000 // len(piece))
    # Anything but a linear reading of these would not end within the time a test has.
    gate.mask(text, "x.env")
    gate.mask_diff(text)
