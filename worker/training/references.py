"""References: what readers add to serious comments and corpora of them lack.

Sources, pages of offices, telephone numbers of helplines. Without them a model
would take every link and every number for an advert.
"""

from dataclasses import replace
from random import Random

from worker.training.corpora import Row

_HOSTS = """
www.un.org www.hrw.org www.amnesty.org www.reuters.com www.bbc.co.uk www.theguardian.com
en.wikipedia.org de.wikipedia.org www.lemonde.fr www.spiegel.de elpais.com www.icc-cpi.int
hudoc.echr.coe.int www.legislation.gov.uk www.ohchr.org www.nytimes.com www.aljazeera.com
www.meduza.io www.pravda.com.ua www.hani.co.kr www.nature.com archive.org www.who.int
www.state.gov eur-lex.europa.eu www.bundestag.de www.assemblee-nationale.fr www.youtube.com
""".split()  # noqa: SIM905
_PATHS = (
    "wiki/{0}_{1}", "news/{2}/{0}-{1}", "report/{2}", "en/{0}", "{2}/03/{0}-{1}.html",
    "watch?v={0}{2}", "documents/{0}.pdf", "", "articles/{2}",
)  # fmt: skip
_WORDS = "court camp war rights law prison trial peace border press truth archive history".split()  # noqa: SIM905
_LEADS = (
    "Source: {0}", "see {0}", "{0}", "({0})", "More here: {0}", "The report: {0} worth reading",
    "as told in {0}", "Quelle: {0}", "voir {0}", "fuente: {0}", "см. {0}", "출처: {0}",
    "There is a longer piece on this: {0}", "<a href=\"{0}\">report</a>",
)  # fmt: skip
_NUMBERS = (
    "The helpline is {0}.", "You can reach them on {0}.", "Tel. {0}, weekdays.", "Téléphone : {0}",
    "call {0} if you need somebody to talk to", "Beratung unter {0}", "the office answers at {0}",
)  # fmt: skip
_WITH_LINK, _WITH_NUMBER = 0.12, 0.05


def with_references(row: Row, rng: Random) -> Row:
    """Return the row, now and then with a link to a source or the number of a helpline."""
    chance = rng.random()
    if chance < _WITH_LINK:
        more = rng.choice(_LEADS).format(_link(rng))
        if chance < _WITH_LINK / 4:
            more += f" {rng.choice(('and', '/', ','))} {_link(rng)}"
    elif chance < _WITH_LINK + _WITH_NUMBER:
        more = rng.choice(_NUMBERS).format(_number(rng))
    else:
        return row
    return replace(row, text=rng.choice((f"{row.text} {more}", f"{more}\n{row.text}")))


def _link(rng: Random) -> str:
    words = rng.choice(_WORDS), rng.choice(_WORDS), rng.randint(1990, 2026)
    return f"https://{rng.choice(_HOSTS)}/{rng.choice(_PATHS).format(*words)}"


def _number(rng: Random) -> str:
    groups = [str(rng.randint(100, 9_999)) for _ in range(rng.randint(2, 3))]
    return f"{rng.choice(('0', '+49 ', '+44 ', '116 ', '0800 '))}{' '.join(groups)}"
