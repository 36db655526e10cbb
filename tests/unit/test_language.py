"""Languages: told where a text is clear, and not guessed where it is not."""

import pytest

from worker.signals.language import language_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The survivors spoke about what they had seen."),
        ("de", "Die Überlebenden sprachen über das, was sie gesehen hatten."),
        ("fr", "Les survivants ont raconté ce qu'ils avaient vu."),
        ("es", "Los supervivientes contaron lo que habían visto."),
        ("it", "I sopravvissuti hanno raccontato quello che non avevano mai detto."),
        ("nl", "De overlevenden vertelden wat ze hadden gezien."),
        ("pt", "Os sobreviventes contaram o que não tinham visto."),
        ("pl", "Ocaleni opowiedzieli, co się stało i jak do tego doszło."),
        ("tr", "Hayatta kalanlar ne gördüklerini anlattı ve çok ağladı."),
        ("cs", "Přeživší vyprávěli, co se stalo a jak to viděli."),
        ("sv", "De överlevande berättade om det som de hade sett och hört."),
        ("ru", "Выжившие рассказали о том, что они видели."),
        ("uk", "Ті, хто вижив, розповіли, що вони бачили."),
        ("ar", "تحدث الناجون عن ما رأوه في الحرب"),
        ("fa", "بازماندگان از آنچه دیده بودند گفتند و گریه کردند"),
        ("ur", "زندہ بچ جانے والوں نے بتایا کہ انہوں نے کیا دیکھا"),
        ("he", "הניצולים סיפרו מה שראו"),
        ("ko", "생존자들은 본 것을 말했다"),
        ("ja", "生存者たちは見たことを語った"),
        ("zh", "幸存者讲述了他们所看到的"),
        ("el", "Οι επιζώντες μίλησαν για όσα είδαν"),
        ("th", "ผู้รอดชีวิตเล่าสิ่งที่เห็น"),
        ("hi", "बचे लोगों ने जो देखा वह बताया"),
        ("ko", "BTS 정말 좋아요 ㅋㅋㅋㅋ"),
    ],
)
def test_a_clear_text_has_its_language(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    ["", "ok", "12345 !!!", "\U0001f600" * 9, "NATO UNESCO", "lorem ipsum dolor", "سلام", "Москва",
     "the и and что привет мир hello world"],
)  # fmt: skip
def test_an_unclear_text_has_none(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(
    ("text", "neighbours"),
    [
        ("Det er ikke noget, jeg har set, og de kan ikke være her", {"sv"}),
        ("Той не знае какво се е случило и защо са там", {"ru", "uk"}),
        ("Оно што се десило није било добро и ми смо то знали", {"ru", "uk"}),
        ("Nu este ceea ce am văzut și pentru că sunt aici", {"it", "es", "fr", "pt"}),
        ("Els supervivents han explicat el que han vist amb molt dolor", {"es", "fr"}),
    ],
)
def test_a_language_is_not_taken_for_its_neighbour(text: str, neighbours: set[str]) -> None:
    assert language_of(text) not in neighbours
