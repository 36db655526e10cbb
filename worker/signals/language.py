"""The language of a text, by its script and its commonest small words.

Written for telling which list of words applies, not for linguists: unsure and
short texts have none. Languages that the tables know only a little are there
so that they are not taken for their neighbours.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

#: Beginnings tell as much as whole texts do.
_CHARACTERS_READ = 2_000
#: Share of the letters that one script must have.
_CLEAR_SHARE = 0.6
_FEWEST_LETTERS = 3
#: Small words that a text must have, one that several languages share counting as
#: a part, and by how many times more than of any other language.
_FEWEST_HITS = 1.4
_CLEAR_LEAD = 1.3
#: More of the same word tells nothing more.
_OFTEN = 3
_MAKE_JAPANESE = 0.1
#: Arabic letters without which a text may be in any language that uses them.
_SURELY_ARABIC = 12

_SCRIPTS = {
    "latin": "A-Za-z\u00c0-\u024f\u1e00-\u1eff",
    "cyrillic": "\u0400-\u052f",
    "arabic": "\u0620-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
    "he": "\u05d0-\u05ea\ufb1d-\ufb4f",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "ko": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "kana": "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9d",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff",
    "th": "\u0e01-\u0e4e",
    "hi": "\u0900-\u097f",
}
_NAMES = tuple(_SCRIPTS)
_SCRIPT = re.compile("|".join(f"([{letters}])" for letters in _SCRIPTS.values()))
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

_LATIN = {
    "en": "the and of to is that it in was for you are not this with have be they on but we"
    " what as at your my so do if would will there their who from or an has had were been"
    " his her she he just can about all no don't it's i'm how when why out up me him our"
    " people more than",
    "de": "der die das und ist nicht ich zu den mit sich auf es ein eine im für von dem auch"
    " wie sie wir ihr du er man aber oder wenn nur noch mehr sind hat haben wird werden"
    " war bei nach aus dass einen einem kein keine mal schon was so doch dann uns euch als"
    " an in am um über",
    "fr": "le la les de des et est un une que qui dans pour pas il elle ce en du au je ne sur"
    " avec plus vous nous sont ont mais on par c'est comme tout si cette ces se sa son ses"
    " aux être fait ils leur où même bien très j'ai qu'il n'est d'un d'une l'on tu mes ta"
    " ton mon ma quoi a à y as ai suis était va vas fais faut non oui merci là quand donc"
    " alors encore jamais rien",
    "es": "el la los las de y que en un una es no se por con para lo del al su como más pero"
    " sus le ya o este esta sí porque cuando muy sin sobre ser tiene también me hasta hay"
    " donde quien están todo nos ni eso esto ellos yo tu te si son fue era qué mi todos"
    " así gracias ahora siempre nunca nada algo otra otro mejor hace hacer puede tengo"
    " quiero años vida gente cada solo ella él les nuestra nuestro pues bien desde entre"
    " contra eres soy cómo",
    "it": "il di che e la per un non una in del sono con i le si da come ma della gli lo anche"
    " se al più dei ha mi ci questo questa nel alla è delle chi perché hanno ed solo cosa"
    " io lui tutti essere fare ancora degli sul quando ti sei noi voi loro o era c'è"
    " l'italia siamo tutto",
    "nl": "de het een en van ik is dat niet je te in op zijn voor met die er aan maar om ook"
    " als dan wat nog bij hij ze naar wel of geen hebben heeft worden wordt deze uit zo"
    " over dit kan zou moet mijn hun ons wij jullie u we meer veel door gaan doen waar wie"
    " hoe nu ben was had",
    "pt": "o a os as de e que em um uma é não se por com para do da no na dos das ao mais como"
    " mas foi ele ela seu sua ou já também só pelo pela até isso está são muito nos eu"
    " você quando tem ser nem esse essa este esta vocês nós eles porque sem meu minha tudo"
    " aos à às há",
    "pl": "i w nie na się z do to że jest o jak po co ale tak za od przez czy przy tylko już"
    " dla był ma być może są tego mi ze ja ty my wy oni tym jego ich była było bardzo"
    " kiedy też a jeszcze gdy nas mnie który która które ten ta te pan pani więc bo sobie",
    "tr": "ve bir bu da de için ne çok ile var gibi daha ama mi ben sen o biz siz olarak olan"
    " kadar en değil sonra her ya ki şey diye bana sana yok hiç nasıl neden bütün kendi mı"
    " mu mü ise olsun oldu olur zaman insan içinde böyle şimdi artık sadece",
    "cs": "a v je na se to že s z do i o jako ale tak by pro jsem si jsou po od ve za má co"
    " když už jen nebo jak být bylo byl není která který ze při ne nás vás mi můj jeho"
    " jejich ještě aby kde tady tam proč protože více než jsme jste bych",
    "sv": "och att det som en på är av för med till den inte om ett jag de har men vi var han"
    " hon du så när man från kan ska eller vad där vara hade skulle nu sig mot efter bara"
    " också mycket ni dem oss mig dig ju alla varför någon några inget detta dessa",
    "da": "og at det er en på som af for med til den ikke om et jeg de har men vi var han hun"
    " du så når man fra kan skal eller hvad der være havde nu sig efter kun også meget"
    " hvor mig dig alle hvorfor nogen noget dette disse blev bliver mere",
    "ca": "el la els les de i que en un una és no es per amb a ho del al com més però si jo tu"
    " ell aquest aquesta molt també són està hi ha seva seu quan ja nosaltres perquè on"
    " fer tot",
    "ro": "și în nu la de că este o pe cu din care mai să se un pentru sunt ce a au al ai ale"
    " dar lui ei el ea noi voi fi era când doar foarte acest această fără prin",
    "hu": "a az és nem hogy egy is de ez van csak meg már mint ha volt ki el még vagy azt ezt"
    " mert nagyon minden lesz én te ő mi ti ők majd most így úgy",
    "fi": "ja on ei että se oli mutta ovat hän niin kuin myös tai joka jos mitä minä sinä me te"
    " he nyt kun vain ole olla tämä sen siitä kaikki mukaan en",
}
_CYRILLIC = {
    "ru": "и в не на что я он она с как это по но к у за из от то все так его же вы бы мы они"
    " был ты было уже или если для меня еще ещё нет да только мне вот когда кто чтобы были"
    " где тоже этого ему её ее их может быть есть без очень надо нужно потому тебя себя"
    " тебе себе сейчас теперь человек люди люблю всегда почему какой какая какие такой"
    " такие эти этот эта там тут вас нас него ней них",
    "uk": "і в не на що я він вона з як це по але до у за із від то всі так його ж ви би ми"
    " вони був ти було вже або якщо для мене ще ні та тільки мені ось коли хто щоб були де"
    " теж й її їх може бути є без про цього чи також який яка які",
    "bg": "и в не на че аз той тя с как това по но към за из от то все така го ли вие би ние те"
    " беше ти вече или ако мен още да само ми ето когато кой са е се ще има няма много"
    " този тази който която които при във със",
    "sr": "и у не на што ја он она са као то по али к за из од све тако га ли ви би ми они био"
    " ти било већ или ако мене још да само кад ко су је се ће има нема овај који која које",
    "be": "і ў не на што я ён яна з як гэта па але да у за ад то усе так яго ж вы бы мы яны быў"
    " ты было ўжо ці калі для мяне яшчэ няма толькі мне вось хто каб былі дзе таксама",
}
#: Letters that only some of the languages of a script have.
_OWN_LETTERS = {
    "de": "ß", "es": "ñ¿¡", "pt": "ãõ", "pl": "łąęśźżń", "tr": "ğış", "cs": "řěůť", "sv": "å",
    "fr": "œêûî", "it": "òì", "da": "øæ", "ro": "ățș", "hu": "őű",
    "ru": "ыэё", "uk": "їєґі", "sr": "ђћџљњј", "be": "ўэ",
}  # fmt: skip
#: Known by what none of the others has.
_NEIGHBOURS = frozenset({"da", "ca", "ro", "hu", "fi", "bg", "sr", "be"})
#: Every language that `language_of` can tell, as ISO 639-1 has it.
_BY_SCRIPT = ("ar", "fa", "ur", "he", "el", "ko", "ja", "zh", "th", "hi")
LANGUAGES = tuple(sorted({*_LATIN, *_CYRILLIC, *_BY_SCRIPT}))

_URDU, _PERSIAN, _ARABIC = set("ٹڈڑںےہھ"), set("پچژگیک"), set("ةيكىأإؤئ")


Tells = dict[str, tuple[tuple[str, float], ...]]


def _tell(signs: Mapping[str, Iterable[str]]) -> Tells:
    """Return for each sign (a word or a letter) whose it is, and how clearly."""
    told: dict[str, list[str]] = {}
    for language in sorted(signs, key=_NEIGHBOURS.__contains__):
        for sign in set(signs[language]):
            if language not in _NEIGHBOURS or sign not in told:
                told.setdefault(sign, []).append(language)
    return {
        sign: tuple((language, 1 / len(languages)) for language in languages)
        for sign, languages in told.items()
    }


_TELLS = {
    "latin": _tell({language: words.split() for language, words in _LATIN.items()}),
    "cyrillic": _tell({language: words.split() for language, words in _CYRILLIC.items()}),
}
_LETTER_TELLS = _tell(_OWN_LETTERS)


def language_of(text: str) -> str | None:
    """Return the language of a text as ISO 639-1 has it, or None if unsure or too short."""
    text = text[:_CHARACTERS_READ].lower()
    if text.isascii():
        return _by_words(text, {}, "latin")
    characters = Counter(text)
    letters: dict[str, int] = {}
    for character, number in characters.items():
        if script := _script_of(character):
            letters[script] = letters.get(script, 0) + number
    if letters.get("kana", 0) > _MAKE_JAPANESE * letters.get("han", 0):
        letters["ja"] = letters.pop("kana") + letters.pop("han", 0)
    script = max(letters, key=letters.__getitem__, default="")
    if letters.get(script, 0) < max(_FEWEST_LETTERS, _CLEAR_SHARE * sum(letters.values())):
        return None
    return _within(script, text, characters)


@lru_cache(maxsize=4_096)
def _script_of(character: str) -> str:
    match = _SCRIPT.match(character)
    return _NAMES[(match.lastindex or 1) - 1] if match else ""


def _within(script: str, text: str, characters: Mapping[str, int]) -> str | None:
    """Return the language of a text of one script."""
    match script:
        case "latin" | "cyrillic":
            return _by_words(text, characters, script)
        case "arabic":
            return _of_arabic_letters(text, characters)
        case "han":
            return "zh"
        case _:
            return script


def _by_words(text: str, characters: Mapping[str, int], script: str) -> str | None:
    # In the order of the text: sums of parts depend on theirs, and must always be the same.
    tells = _TELLS[script]
    words = Counter(filter(tells.__contains__, _WORDS.findall(text.replace("’", "'"))))
    hits: dict[str, float] = defaultdict(float)
    for sign, number in words.items():
        for language, weight in tells[sign]:
            hits[language] += min(number, _OFTEN) * weight
    for sign in filter(_LETTER_TELLS.__contains__, characters):
        for language, weight in _LETTER_TELLS[sign]:
            hits[language] += min(characters[sign], _OFTEN) * weight
    if not hits:
        return None
    first = max(hits, key=hits.__getitem__)
    next_most = max((hits[other] for other in hits if other != first), default=0)
    return first if hits[first] >= max(_FEWEST_HITS, _CLEAR_LEAD * next_most) else None


def _of_arabic_letters(text: str, characters: Mapping[str, int]) -> str | None:
    urdu, persian, arabic = (
        sum(characters.get(letter, 0) for letter in own) for own in (_URDU, _PERSIAN, _ARABIC)
    )
    if urdu > max(1, arabic):
        return "ur"
    if persian > arabic:
        return "fa"
    return "ar" if arabic or len(text) > _SURELY_ARABIC else None
