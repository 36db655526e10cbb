"""The plugin file for WordPress: whoever may have it, and what stands in it."""

import re
import subprocess

import pytest

from service.domain.decision import Role
from service.domain.site import KeyKind
from tests.support.signing_in import signed_in
from tests.support.world import World, bearer

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

PAGE = "/review/wordpress"


def defined(plugin: str, name: str) -> str:
    """Return what the plugin defines a constant as."""
    found = re.search(rf"define\( '{name}', '([^']*)' \)", plugin)
    assert found, plugin
    return found[1]


def test_everybody_may_have_the_plugin_without_a_key(world: World) -> None:
    answer = world.client.get("/docs/wordpress/anteroom.php")
    plugin = answer.get_data(as_text=True)
    assert defined(plugin, "ANTEROOM_URL") == world.settings.base_url
    assert defined(plugin, "ANTEROOM_KEY") == ""
    assert answer.headers["Content-Disposition"] == 'attachment; filename="anteroom.php"'


def test_the_plugin_is_proper_php(world: World) -> None:
    plugin = world.client.get("/docs/wordpress/anteroom.php").data
    run = subprocess.run(["php", "-l"], input=plugin, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout


def test_an_admin_gets_a_key_that_works_within_the_plugin(world: World) -> None:
    answer = signed_in(world).send(PAGE, onto=PAGE, site="news")
    key = defined(answer.get_data(as_text=True), "ANTEROOM_KEY")
    caller = world.services.keys.caller(key)
    assert caller is not None
    assert (caller.site.slug, caller.kind) == ("news", KeyKind.AKISMET)
    assert world.services.keys.caller(world.akismet_key), "keys made before go on working"


def test_a_site_that_is_none_gets_no_key(world: World) -> None:
    assert signed_in(world).send(PAGE, onto=PAGE, site="nosuch").status_code == 404


def test_a_forged_request_makes_no_key(world: World) -> None:
    assert signed_in(world).client.post(PAGE, data={"site": "news"}).status_code == 400


def test_only_admins_make_keys(world: World) -> None:
    _, token = world.second_moderator(role=Role.SENIOR)
    for method in ("GET", "POST"):
        answer = world.client.open(PAGE, method=method, headers=bearer(token))
        assert answer.status_code == 403


def test_the_guide_needs_no_signing_in(world: World) -> None:
    page = world.client.get("/docs/wordpress").get_data(as_text=True)
    assert "wp-content/mu-plugins/" in page
    assert world.settings.base_url in page
