"""Folding: what readers see as the same becomes the same, and nothing else does."""

import pytest

from worker.signals.text import linkable, plain, views


@pytest.mark.parametrize(
    ("received", "folded"),
    [
        pytest.param("Hello World", "hello world", id="case"),
        pytest.param("café Ångström", "cafe angstrom", id="accents"),
        pytest.param("ｆｕｌｌ 𝓼𝓽𝔂𝓵𝓮𝓭 🅰🅱", "full styled ab", id="styled letters"),
        pytest.param("vi\u200bag\u00adra", "viagra", id="invisible characters"),
        pytest.param("\u202eabc\u202c", "abc", id="direction marks"),
        pytest.param("ZA\u0335L\u0336GO", "zalgo", id="strike-through"),
        pytest.param(
            "fr\u0435\u0435 m\u043eney", "free money", id="Cyrillic letters in Latin words"
        ),
        pytest.param("сук\u0061", "сука", id="a Latin letter in a Cyrillic word"),
        pytest.param("Straße", "strasse", id="sharp s"),
        pytest.param("don’t — wait…", "don't - wait...", id="typographic punctuation"),
        pytest.param("𝕿𝖍𝖊 ⓛⓐⓢⓣ 🅻🅸🅽🅴 ⒜", "the last line a", id="more styles"),
        pytest.param("ᴋɪʟʟ ꜱᴏꜰᴛʟʏ", "kill softly", id="small capitals"),
        pytest.param("łódź øre đak ħal", "lodz ore dak hal", id="strokes"),
        pytest.param("ΡΟRΝ", "porn", id="Greek capitals in a Latin word"),
        pytest.param("fυck Ꭱeal ꓦery", "fuck real very", id="letters from further off"),
        pytest.param("١٢٣ ۴۵ १२ １２", "123 45 12 12", id="digits"),
        pytest.param("«a» “b” „c“", '"a" "b" "c"', id="quotation marks"),
        pytest.param("z̴̡̛a̵͓͝l̶̨̛g̷̢̕o̸͜", "zalgo", id="piled marks"),
        pytest.param("\U0001f1f0\U0001f1ee\U0001f1f1", "kil", id="flag letters that make no flags"),
        pytest.param("ﾊﾝｶﾞ", "ハンカ\u3099", id="half-width Kana"),
        pytest.param("ﾡￂ", "가", id="half-width Hangul"),
        pytest.param("\u1112\u1161\u11ab", "한", id="Hangul in parts"),
        pytest.param("ㅅㅣㄱㅏㄴ", "시간", id="Hangul letter by letter"),
        pytest.param("ㅋㅋㅋ", "ㅋㅋㅋ", id="Hangul letters that spell nothing"),
        pytest.param("كِتَابٌ كـتـاب", "كتاب كتاب", id="Arabic vowel signs and stretching"),
        pytest.param("أحمد إلى آن", "احمد الي ان", id="Arabic letters with hamza"),
        pytest.param("می\u200cخواهم", "ميخواهم", id="Persian"),
        pytest.param("שָׁלוֹם", "שלום", id="Hebrew points"),
        pytest.param("и\u0306 И\u0306 й", "й й й", id="a Cyrillic letter in parts"),
        pytest.param("AÑO", "año", id="a Spanish letter"),
        pytest.param("её її", "ее її", id="Cyrillic marks"),
        pytest.param("one\ttwo\nthree\u00a0four", "one two three four", id="white space"),
    ],
)
def test_what_readers_see_as_the_same_is_folded_together(received: str, folded: str) -> None:
    assert plain(received).text == folded


@pytest.mark.parametrize(
    "word",
    ["рос", "сор", "привет", "καλημερα", "हिन्दी", "ภาษาไทย", "中文字", "ひらがな", "עברית"],
)
def test_words_of_one_script_keep_their_letters(word: str) -> None:
    assert not any("a" <= letter <= "z" for letter in plain(word).text)


@pytest.mark.parametrize(
    "flags", ["\U0001f1fa\U0001f1e6", "\U0001f1fa\U0001f1f8\U0001f1ec\U0001f1e7"]
)
def test_flags_are_no_letters(flags: str) -> None:
    assert plain(flags).text == flags


def test_an_emoji_of_several_keeps_its_parts() -> None:
    assert plain("\U0001f468\u200d\U0001f469 1\ufe0f\u20e3").text == "\U0001f468\U0001f469 1"


@pytest.mark.parametrize(
    ("received", "shown"),
    [
        pytest.param("\u202ecba\u202c", "abc", id="an override"),
        pytest.param("x \u202ecba", "x abc", id="one that is never ended"),
        pytest.param("\u202ecba\nx", "abc x", id="one that the line ends"),
        pytest.param("\u202ec\u202dxy\u202cb\u202ca", "bxyca", id="one within another"),
        pytest.param("a\u202c\u202c\u202ecb\u202c", "abc", id="ends without a beginning"),
        pytest.param("\u202e" * 99 + "a", "a", id="very many"),
    ],
)
def test_text_written_backwards_is_read_as_it_is_shown(received: str, shown: str) -> None:
    assert shown in {view.text for view in views(received, "plain")}


def test_a_place_in_reversed_text_leads_back() -> None:
    [_, view] = views("go \u202eemoh\u202c now", "plain")
    start = view.text.index("home")

    assert view.source(start, start + 4) == "emoh"
    assert view.name == "displayed"


def test_marks_that_spell_a_word_are_kept() -> None:
    assert plain("कि").text != plain("की").text


def test_a_folded_place_leads_back_to_the_characters_received() -> None:
    received = "Ｗow: vi\u200bag\u0301ra, buy"
    view = plain(received)
    start = view.text.index("viagra")

    place = view.place(start, start + len("viagra"))

    assert received[slice(*place)] == "vi\u200bag\u0301ra"


def test_a_character_that_folds_to_many_is_the_place_of_each() -> None:
    view = plain("x\ufdfay")

    assert view.text.startswith("x")
    assert len(view.text) > 10
    assert view.place(3, 5) == (1, 2)


def test_host_names_keep_their_accents() -> None:
    assert linkable("MÜNCHEN\u200b.de").text == "münchen.de"


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("a" + "\u0315\u0300" * 32_000, id="alternating combining marks"),
        pytest.param("\u0301" * 32_000, id="marks without a letter"),
        pytest.param("\ufdfa" * 21_000, id="eighteenfold growth"),
        pytest.param("a" * 60_000 + "в", id="one endless mixed word"),
        pytest.param("".join(map(chr, range(0x100, 0x9000))), id="everything once"),
        pytest.param("\ufffe\uffff\ue000\U000e0041", id="no characters at all"),
    ],
)
def test_hostile_text_is_folded_without_trouble(hostile: str) -> None:
    for fold in (plain, linkable):
        view = fold(hostile)
        if view.text:
            assert view.place(0, len(view.text))[1] <= len(hostile)
