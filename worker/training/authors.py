"""Authors: made-up names and addresses for comments whose corpus tells none.

Corpora of serious comments have no author fields, and queues of spam have nothing
else: a model that saw both as they are would learn who collected them. So serious
comments get what readers type, and adverts are learned with either.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from worker.training.corpora import Row

_FIRST = """
Anna Ben Carla David Elena Farid Grace Hassan Irina Jan Kemal Lena Marta Nadia Oleg Paula Quentin
Rosa Samir Tamara Ursula Viktor Wendy Yusuf Zoe Mehmet Amina Pierre Claire Giulia Marco Sofia Diego
Lucia Ivan Olga Taras Oksana Hanna Minh Linh Wei Mei Kenji Yuki Jihoon Minseo Ahmed Layla Fatou
Kwame Ngozi John Mary Robert Linda Michael Susan James Emma Thomas Sarah Peter Helen Marie Karin
""".split()  # noqa: SIM905
_LAST = """
Berger Novak Rossi Garcia Martin Dubois Weber Schmidt Kowalski Petrov Shevchenko Yilmaz Haddad
Khan Singh Nguyen Tanaka Kim Park Chen Okafor Mensah Diallo Silva Santos Lopez Moretti Jansen
Larsen Svensson Nielsen Murphy Walsh Brown Taylor Wilson Clark Evans Young Hill Baker Fischer
""".split()  # noqa: SIM905
_NICKNAMES = """
reader42 a_reader citizen_k nightowl bookworm lurker anonymous Anon Grandma Oldtimer freethinker
guest mountain_goat red_bicycle just_me nobody historybuff teacher_in_exile quietfox M. J.K. el_gato
""".split()  # noqa: SIM905
_PROVIDERS = (
    "gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "web.de", "gmx.net", "orange.fr",
    "libero.it", "mail.ru", "ukr.net", "proton.me", "naver.com", "icloud.com",
)  # fmt: skip
_SITES = ("wordpress.com", "blogspot.com", "substack.com", "github.io")
_NICKNAMED, _WITHOUT_EMAIL, _WITH_SITE = 0.25, 0.3, 0.08


def with_reader(row: Row, rng: Random) -> Row:
    """Return the row with a name, and mostly an address, such as readers type."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    name = rng.choice((first, f"{first} {last}", f"{first} {last}", f"{first} {last[0]}."))
    if rng.random() < _NICKNAMED:
        name = rng.choice(_NICKNAMES)
    local = rng.choice(
        (f"{first}.{last}", f"{first[0]}{last}", f"{last}{rng.randint(1, 99)}", f"{first}_{last}")
    ).lower()
    email = "" if rng.random() < _WITHOUT_EMAIL else f"{local}@{rng.choice(_PROVIDERS)}"
    url = ""
    if rng.random() < _WITH_SITE:
        own = f"{first}{last}".lower()
        url = rng.choice((f"https://{own}.{rng.choice(_SITES)}", f"https://www.{own}.org/"))
    return replace(row, name=name, email=email, url=url)


def with_advertiser(row: Row, advertisers: Sequence[Row], rng: Random) -> Row:
    """Return the row with the author fields of one of `advertisers`."""
    other = rng.choice(advertisers)
    return replace(row, name=other.name, email=other.email, url=other.url)
