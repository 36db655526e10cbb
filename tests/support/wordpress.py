"""Debian's WordPress with its Akismet plugin, on a MariaDB of its own, on loopback only."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import ROOT, Process, free_port, short_folder
from tests.support.waiting import wait_until

INSTALL = "apt-get install -y php-cli php-mysql mariadb-server-core"
UNPACK = ".ci/wordpress tests/.wordpress"

_LOGIN, _PASSWORD = "editor", "a password only for tests"

_CONFIGURATION = """<?php
define('DB_NAME', 'wordpress');
define('DB_USER', '{user}');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}');
define('DB_CHARSET', 'utf8mb4');
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_ACCESSIBLE_HOSTS', 'rest.akismet.com,127.0.0.1');
foreach (array('AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE') as $name) {{
    define($name . '_KEY', 'only for tests');
    define($name . '_SALT', 'only for tests');
}}
$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

_INSTALLATION = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1:{port}';
function wp_mail() {{ return true; }}
require '{docroot}/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('The News', '{login}', 'editor@mail.example', true, '', '{password}');
update_option('siteurl', 'http://127.0.0.1:{port}');
update_option('home', 'http://127.0.0.1:{port}');
update_option('active_plugins', array('akismet/akismet.php'));
update_option('comment_previously_approved', 0);
update_option('comment_max_links', 0);
"""


class WordPress:
    """A WordPress with one post, an editor, and `plugin` as its must-use plugin."""

    def __init__(self, plugin: bytes) -> None:
        self.folder = short_folder("wp")
        self.port = free_port()
        self._plugin = plugin
        self._docroot = self.folder / "site"
        self._processes: list[Process] = []

    @property
    def url(self) -> str:
        """The address of the site."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "WordPress":
        """Install everything and return once the site answers."""
        self._start_database()
        self._unpack()
        self._run_php(
            _INSTALLATION.format(
                port=self.port, docroot=self._docroot, login=_LOGIN, password=_PASSWORD
            )
        )
        self._serve()
        return self

    def discard(self) -> None:
        """Stop everything and delete it."""
        for process in reversed(self._processes):
            if process.running:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def comment(self, text: str, name: str = "Ines", email: str = "ines@mail.example") -> None:
        """Write a comment under the one post, through the form that readers use."""
        fields = {
            "comment_post_ID": "1", "comment_parent": "0", "author": name, "email": email,
            "url": "", "comment": text, "submit": "Post Comment",
        }  # fmt: skip
        answer = httpx.post(f"{self.url}/wp-comments-post.php", data=fields, timeout=30)
        assert answer.status_code == 302, answer.text

    def status_of(self, text: str) -> str:
        """Return where WordPress has the comment with this text: 1, 0 (held) or spam."""
        return str(self._comment(text)["comment_approved"])

    def mark(self, text: str, action: str) -> None:
        """Follow the link `spamcomment` or `unspamcomment` beside the comment, as an editor."""
        comment_id = self._comment(text)["comment_ID"]
        with httpx.Client(base_url=self.url, timeout=30, follow_redirects=True) as browser:
            browser.get("/wp-login.php")
            page = browser.post("/wp-login.php", data={"log": _LOGIN, "pwd": _PASSWORD})
            assert page.status_code == 200, page.text
            listed = browser.get("/wp-admin/edit-comments.php?comment_status=all").text
            listed += browser.get("/wp-admin/edit-comments.php?comment_status=spam").text
            links = re.findall(r"comment\.php\?[^'\"]+", listed)
            wanted = [
                unescape(link)
                for link in links
                if f"c={comment_id}&" in unescape(link) and f"action={action}&" in unescape(link)
            ]
            assert wanted, f"no link {action} for {comment_id}"
            assert browser.get(f"/wp-admin/{wanted[0]}").status_code == 200

    def ask_again(self) -> None:
        """Do what WordPress's schedule does later: have held comments checked again."""
        self._run_php(
            self._loading() + "update_option('akismet_last_recheck', 0);"
            "foreach (get_comments(array('status' => 'hold')) as $one) {"
            "  update_comment_meta($one->comment_ID, 'akismet_error', time() - 3600);"
            "}"
            "Akismet::cron_recheck();"
        )

    def _comment(self, text: str) -> Mapping[str, Any]:
        found = json.loads(
            self._run_php(
                self._loading() + "echo json_encode(get_comments(array('status' => 'any',"
                " 'orderby' => 'comment_ID')));"
            )
        )
        [comment] = [each for each in found if each["comment_content"] == text]
        chosen: Mapping[str, Any] = comment
        return chosen

    def _loading(self) -> str:
        return (
            f"<?php $_SERVER['HTTP_HOST'] = '127.0.0.1:{self.port}';"
            f"require '{self._docroot}/wp-load.php';"
        )

    def _start_database(self) -> None:
        program = Path("/usr/sbin/mariadbd")
        assert program.exists(), f"MariaDB is not installed. As root: {INSTALL}"
        data = self.folder / "db"
        user = "daemon" if os.geteuid() == 0 else None
        data.mkdir()
        if user:
            shutil.chown(self.folder, user)
            shutil.chown(data, user)
        options = ["--no-defaults", f"--datadir={data}"]
        subprocess.run(
            ["mariadb-install-db", *options, "--auth-root-authentication-method=normal",
             "--skip-test-db", *([f"--user={user}"] if user else [])],
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        statements = self.folder / "start.sql"
        statements.write_text("CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;\n")
        self._processes.append(
            Process(
                [program, *options, f"--socket={self._socket}", "--skip-networking",
                 "--skip-grant-tables", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0",
                 f"--init-file={statements}", f"--pid-file={self.folder / 'db.pid'}"],
                log=self.folder / "db.log", user=user, cwd=Path("/"),
            )
        )  # fmt: skip
        wait_until(self._socket.exists, 30, "MariaDB listens")

    @property
    def _socket(self) -> Path:
        return self.folder / "db.sock"

    def _unpack(self) -> None:
        source = ROOT / "tests/.wordpress/usr/share/wordpress"
        assert source.exists(), f"WordPress is not unpacked: {UNPACK}"
        shutil.copytree(source, self._docroot, symlinks=True)
        configuration = _CONFIGURATION.format(user="root", socket=self._socket)
        (self._docroot / "wp-config.php").write_text(configuration)
        plugins = self._docroot / "wp-content/mu-plugins"
        plugins.mkdir()
        (plugins / "anteroom.php").write_bytes(self._plugin)
        # All readers of a test write at once and from one machine.
        unhurried = "<?php add_filter('comment_flood_filter', '__return_false', 99);"
        (plugins / "unhurried.php").write_text(unhurried)

    def _serve(self) -> None:
        environ = {"PATH": os.environ["PATH"], "PHP_CLI_SERVER_WORKERS": "3"}
        command = ["php", *_PHP_OPTIONS, "-S", f"127.0.0.1:{self.port}", "-t", str(self._docroot)]
        self._processes.append(Process(command, log=self.folder / "php.log", environ=environ))

        def answers() -> bool:
            try:
                return httpx.get(f"{self.url}/", timeout=20).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, 30, "WordPress answers")

    def _run_php(self, code: str) -> str:
        run = subprocess.run(
            ["php", *_PHP_OPTIONS], input=code, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout


_PHP_OPTIONS = ["-d", "error_reporting=0", "-d", "display_errors=stderr"]


@contextmanager
def wordpress(plugin: bytes) -> Iterator[WordPress]:
    """Run a WordPress with the must-use plugin within the block."""
    site = WordPress(plugin)
    try:
        yield site.start()
    finally:
        site.discard()
