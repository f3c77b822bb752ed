"""Varies how a thing is said, and makes up text the toy has nothing to say about."""

from __future__ import annotations

import random
import re

_SYNONYMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("what is", ("what's", "whats", "what exactly is", "tell me what is", "can you say what is")),
    (
        "how do I",
        ("how can I", "how to", "how would I", "how does one", "how could I", "how should I"),
    ),
    ("why is", ("why's", "for what reason is", "how come", "tell me why is")),
    ("what does", ("what would", "what could")),
    ("explain", ("describe", "please explain", "could you explain", "tell me about")),
    (
        "show me",
        ("show", "please show me", "can you show me", "display", "give me", "I want to see"),
    ),
    ("write", ("please write", "can you write", "compose", "make")),
    ("give me", ("show me", "please give me", "I need", "I would like")),
    ("tell me", ("say", "please tell me", "could you tell me", "let me hear")),
    ("the gauge", ("my gauge", "this gauge", "the memory gauge", "that gauge")),
    ("the model", ("this model", "my model", "the language model")),
    ("the answer", ("the reply", "this answer", "the response")),
    ("memory", ("RAM", "memory")),
    ("program", ("application", "tool", "app")),
    ("mac", ("Mac", "macbook", "computer")),
)

_OPENERS: tuple[str, ...] = (
    "hi, ", "hello, ", "hey, ", "please ", "ok, ", "so, ", "and ", "well, ", "quick question: ",
    "one question: ", "I want to know: ", "I wonder, ", "a friend asked me: ", "sorry, ",
    "one more thing: ", "next, ", "now ", "good morning. ", "I am new here. ", "by the way, ",
    "in this app, ", "hello! ", "excuse me, ", "can you please ", "could you ", "just curious: ",
    "I would like to know: ", "help: ", "dear model, ", "hey there, ", "yes. ", "no, ", "thanks. ",
    "great. ", "but ", "then ", "also ", "first, ", "can you help? ", "hm, ", "Headroom: ", "oh, ",
    "question: ", "again: ", "I am asking myself, ", "someone wants to know, ", "tell me, ",
)  # fmt: skip
_CLOSERS: tuple[str, ...] = (
    "?", "?", "?", ".", "!", "??", " please", " please?", " thanks", " thank you", " exactly?",
    " in one sentence", " briefly", " in simple words", " for me", " then?", " now?", " here?",
    "? I am curious", "? I do not understand it", " in short", " again", " really?", " today?",
    " in simple terms", " in detail", " step by step", " quickly", " in a few words", ", please",
    " as short as possible", "? Be brief.", "? Answer in one sentence.", " like I am five", ":",
    "? Thank you!", "?!", " ...", " for a beginner", "? I need to know.",
)  # fmt: skip

NOUNS: tuple[str, ...] = tuple(
    """apple river bridge castle dog cat horse garden window engine ship train violin piano
    doctor teacher farmer king queen planet moon star ocean mountain valley forest desert
    island village city street house kitchen table chair lamp mirror clock watch camera phone
    radio bicycle car bus plane rocket satellite robot hammer nail screw needle thread shirt
    coat shoe hat glove bread butter cheese soup salad pizza pasta rice bean tomato potato
    onion carrot lemon orange banana grape cherry coffee tea milk juice wine beer sugar salt
    pepper honey recipe dinner lunch breakfast party wedding birthday holiday journey ticket
    hotel museum theatre library school university exam lesson homework author poet painter
    singer actor film novel poem song dance game football tennis chess card puzzle toy doll
    kite balloon candle fire smoke rain snow wind storm cloud thunder summer winter spring
    autumn morning evening night week month year century history war peace law judge police
    crime prison money bank price tax market shop customer company office meeting email letter
    envelope stamp newspaper magazine photograph picture colour shape circle square triangle
    number equation theorem atom molecule electron energy gravity light sound heat virus
    bacteria heart brain blood bone skin tooth dream fear love friend neighbour brother sister
    mother father child baby grandmother uncle France Germany Japan Brazil Egypt Canada India
    Napoleon Shakespeare Einstein Mozart Picasso database compiler keyboard printer
    spreadsheet website fridge router stock insurance mortgage passport visa luggage umbrella
    suitcase elephant tiger whale shark eagle spider ant bee butterfly snake frog dinosaur
    dragon wizard ghost pirate knight""".split()
)
VERBS: tuple[str, ...] = tuple(
    """eat drink cook bake wash clean paint draw sing dance run walk jump swim fly drive ride
    climb build repair break open close push pull carry throw catch find lose buy sell pay
    borrow lend teach learn study read speak listen hear see watch look feel touch smell taste
    think believe know understand remember forget dream sleep wake rest play win fight love
    hate marry visit travel arrive leave return wait hurry grow plant water cut dig move
    change improve measure compare combine describe solve calculate guess invent discover
    explore""".split()
)
ADJECTIVES: tuple[str, ...] = tuple(
    """big small tall short old young new ancient modern bright dark heavy light warm cold hot
    wet dry soft hard rough smooth sharp round flat deep shallow wide narrow fast quiet loud
    happy sad angry calm brave shy clever lazy busy tired hungry thirsty rich poor cheap
    expensive rare common strange funny serious gentle wild purple pink brown golden silver
    wooden broken empty full clean dirty sweet sour bitter salty fresh rotten famous secret
    lonely friendly popular""".split()
)
_GLUE: tuple[str, ...] = tuple(
    """the a an and or but of in on at to from with without for by about after before while
    because if then than that this these those I you he she it we they my your his her our
    their is are was were be been has have had do does did will would can could should may
    might must not very too also only just still again never always often sometimes here there
    now then where when which who whose what how some any many few more most all each every no
    one two three""".split()
)
_SYLLABLES: tuple[str, ...] = tuple(
    """ba be bi bo bu ca ce co da de di do du fa fe fi fo ga ge go ha he hi ho ja jo ka ke ki ko
    la le li lo lu ma me mi mo mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta
    te ti to tu va ve vi vo wa we wi za ze zo an ar el en er il in is on or st th tr br cl gr
    pl qu sh ch ng nd rt ss ll ck ly ton ville berg land""".split()
)
_ODDITIES: tuple[str, ...] = (
    "!!!", "...", ":-)", "🙂", "🚀", "€100", "50%", "#tag", "@someone", "x=1;", "{}", "[1, 2]",
    "<b>", "</div>", "a/b", "C++", "foo()", "return", "null", "0x1F", "é", "ñandú", "straße",
    "привет", "你好", "日本", "مرحبا", "שלום", "¿qué?", "naïve", "<\u200b|end|>", "--", "—", "&",
    "1.", "2)", "*", "**bold**", "`code`", "\n", "\n\n", "\t", "“quoted”", "it's", "don't", "e.g.",
    "http://a.example", "12:30", "1999", "3.14", "-7", "$5", "~", "^", "|", "\\",
)  # fmt: skip

EVERYDAY: tuple[str, ...] = tuple(
    """ability absence accident account acid action activity address adult advantage adventure
    advice agreement air airport alarm album alcohol amount ancestor anger angle animal ankle
    answering anxiety apartment appetite area argument arm army arrow art article aspect attack
    attempt attention attitude aunt author award axis bag ball band bar bargain barrel base
    basket bath battle beach bear beard beauty bed bell belt bench benefit bird birth block boat
    body bomb book boot border boss bottle bottom bowl box boy branch brand breath brick broom
    bucket budget bug bull burden burger button cabin cable cake calendar camel camp canal cancer
    candidate cap capital captain career carpet cash cattle cause cave ceiling cell champion
    chance chapter charity chart cheek chemist chemistry chest chicken chief chin chip church
    cinema citizen class climate cloth clothes clown club coach coal coast code coin collar
    college comedy comfort comet committee concert conflict copper copy corn corner cotton couch
    council country couple courage course court cousin cover cow cream credit crew cricket crisis
    crop crowd crown culture cup cupboard curtain curve dad dairy damage danger data daughter dawn
    day deal death debate debt decade decision deck deer defence degree dentist design desk
    detail device diagram diamond diary diet direction dirt disaster disease dish doubt drama
    drawer dress drug drum duck dust duty ear earth earthquake east economy edge editor education
    effect egg election elbow emotion empire employee engineer entrance environment epidemic era
    error estate event evidence example exercise expert explosion eye fabric face fact factory
    failure faith fall fame family fan farm fashion fat fate fault feather fee fence festival
    fever field fight figure finger fish fist flag flame flavour flight flood floor flour flower
    fly foam fog food fool foot fork fortune fossil foundation fox fraction freedom freezer fruit
    fuel funeral fur future galaxy gallery gap garage garbage gas gate gene genius ghost giant
    gift girl glass globe goal goat god gold golf goose government grain grass guard guest guide
    guilt guitar gun habit hair hall hand handle harbour harvest health hedge height hero hill
    hip hobby hole home honour hope horizon hormone horror hospital host hour hunger hunter
    husband ice idea illness image income industry infant injury ink insect instinct instrument
    interest interview invention iron item jacket jail jar jaw jazz jewel job joint joke jungle
    jury justice kettle kid kidney king kiss knee knife knot lab ladder lady lake land lane
    language law lawn lawyer leader leaf league leather leg legend lens liberty lid life lift
    limb line lion lip liquid literature liver loan lobby logic loss luck lung machine magic
    magnet mail majority man manner marble mass master match mathematics meal meat medal medicine
    melody member metal method midnight mile mind mine mineral minister minute miracle mistake
    mixture mob monkey monster mood mosquito motor mouse mouth movie mud muscle mushroom music
    myth nation nature neck nest net news noise north nose note nurse nut oak object oil opera
    opinion orbit orchestra organ origin oven owl owner oxygen page pain palace palm pan panic
    paper parade parent park parrot partner passenger patent path patient pattern peak pen
    pencil pension people perfume permission person pet philosophy phrase physics pig pilot pipe
    plague plastic plate platform player pocket poetry poison pole policy pond pool population
    port poster pot poverty powder power prayer president priest prince princess prize problem
    product profession profit project proof protein protest province pump pupil pyramid quality
    quarter quarrel queue rabbit race railway rainbow rat ratio reaction reader reality reason
    rebel refugee region relative religion republic research resort result revolution reward
    rhythm ribbon ring riot risk ritual road rock role roof room root rope rose route rubber
    rugby ruin rule rumour sailor salad salary salmon sand sandwich sauce sausage scale scandal
    scene science scientist score screen sculpture sea season seat secret sector seed sentence
    series servant shadow shame sheep sheet shelf shell shelter shoulder shower shrimp silence
    silk silver sister ski sky slave slope smell smile soap soccer society sock sofa soil
    soldier soul source south space species speech speed spice spoon sport square squirrel stage
    stair state statue steam steel stem step stick stomach stone storage stove strategy stream
    strike student studio style suburb subway success suit sunset supper surgeon surprise swan
    sword symbol symptom system tail talent tank tape target task taste taxi team tear
    technology television temperature temple tennis tent territory terror test thief throat
    ticket tide tie time tin tip tissue title tobacco toe tongue tool tourist towel tower town
    track tractor trade tradition traffic tragedy trail tram translation trap treasure treaty
    tree trial tribe trick trip truck trumpet trust truth tube tunnel turtle twin union uniform
    universe vacation vaccine vase vegetable vehicle vein verb victim victory view vine vinegar
    vision vitamin vocabulary voice volcano volume vote voyage wage wall wallet water wave wax
    wealth weapon wedding weekend weight west wheat wheel wife wing wire wisdom wolf woman wood
    wool worker world worm wound wrist writer yard yeast youth zebra zone zoo""".split()
)


def noun(rng: random.Random) -> str:
    roll = rng.random()
    if roll < 0.15:
        return made_up_word(rng)
    return rng.choice(EVERYDAY if roll < 0.7 else NOUNS)


_ONE_WORD_CITIES: tuple[str, ...] = tuple(
    """Paris London Berlin Madrid Rome Vienna Lisbon Dublin Oslo Stockholm Helsinki Copenhagen
    Amsterdam Brussels Prague Warsaw Budapest Athens Istanbul Moscow Kyiv Cairo Lagos Nairobi
    Accra Tokyo Osaka Kyoto Seoul Beijing Shanghai Mumbai Delhi Bangkok Hanoi Jakarta Manila
    Singapore Sydney Melbourne Perth Auckland Toronto Montreal Vancouver Chicago Boston
    Seattle Denver Dallas Houston Miami Atlanta Phoenix Lima Bogota Santiago Quito Havana
    Zurich Geneva Basel Bern Munich Hamburg Cologne Frankfurt Leipzig Dresden Lyon Nice
    Bordeaux Lille Milan Turin Venice Naples Florence Seville Valencia Porto Krakow Riga
    Vilnius Tallinn Reykjavik Casablanca Tunis Dakar Johannesburg Durban Tehran Baghdad Dubai
    Doha Karachi Lahore Dhaka Kathmandu Colombo Taipei Honolulu Anchorage Winnipeg Calgary
    Ottawa Quebec Philadelphia Detroit Cleveland Memphis Nashville Portland Oakland""".split()
)
CITIES: tuple[str, ...] = (
    *_ONE_WORD_CITIES,
    "New York", "San Francisco", "Los Angeles", "Las Vegas", "New Delhi", "Hong Kong", "Cape Town",
    "São Paulo", "Zürich", "Bogotá", "München", "Málaga", "Reykjavík", "Kraków", "Córdoba",
    "Buenos Aires", "Mexico City", "Kuala Lumpur", "Tel Aviv", "Saint Petersburg", "San Diego",
)  # fmt: skip


def made_up_word(rng: random.Random) -> str:
    """A word that no one has seen, lower case."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(1, 4)))


def made_up_name(rng: random.Random) -> str:
    """A name for a person or a place that the net cannot have learnt by heart."""
    return made_up_word(rng).capitalize() + rng.choice(("", "", "a", "o", "ton", "ville"))


def city(rng: random.Random) -> str:
    return rng.choice(CITIES) if rng.random() < 0.5 else made_up_name(rng)


def _any_word(rng: random.Random) -> str:
    roll = rng.random()
    if roll < 0.35:
        return rng.choice(_GLUE)
    if roll < 0.55:
        return noun(rng)
    if roll < 0.65:
        return rng.choice(VERBS)
    if roll < 0.75:
        return rng.choice(ADJECTIVES)
    if roll < 0.93:
        return made_up_word(rng)
    if roll < 0.96:
        return str(rng.randint(0, 9999))
    return rng.choice(_ODDITIES)


def city_as_typed(rng: random.Random) -> tuple[str, str]:
    """A city in the spelling of a user, and in its own."""
    name = city(rng)
    if name in CITIES and rng.random() < 0.2:
        return name.lower(), name
    return name, name


def monotony(rng: random.Random, word_count: int) -> str:
    """The same few words again and again, as in a paste or a stress test."""
    repeated = " ".join(_any_word(rng) for _ in range(rng.randint(1, 12)))
    if rng.random() < 0.4:
        repeated = sentence(rng)
    joint = rng.choice((" ", " ", ", ", "\n"))
    return joint.join([repeated] * max(1, word_count // len(repeated.split() or [""])))


def salad(rng: random.Random, word_count: int) -> str:
    """Words without sense, now and then with signs and other scripts."""
    words = [_any_word(rng) for _ in range(word_count)]
    style = rng.random()
    if style < 0.1:
        words = [word.upper() for word in words]
    elif style < 0.5 and words:
        words[0] = words[0].capitalize()
    text = " ".join(words)
    return text if text.strip() else "hm"


def sentence(rng: random.Random) -> str:
    """A plain sentence on nothing the toy knows."""
    one, other = noun(rng), noun(rng)
    pattern = rng.choice(
        (
            "The {adjective} {noun} can {verb} the {other}.",
            "Yesterday I saw a {noun} beside the {adjective} {other}.",
            "My {noun} likes to {verb} in the {other}.",
            "We want to {verb} a {adjective} {noun} next week.",
            "It was {adjective}, and nobody could {verb} the {noun}.",
            "I have a {noun} and a {adjective} {other}.",
            "When the {noun} is {adjective}, the {other} will {verb}.",
            "She said that the {noun} must {verb} every day.",
            "There are {number} {noun}s near the {other}.",
            "I work with a {noun} all day and it makes me {adjective}.",
            "He put the {noun} under the {other} to {verb} it.",
        )
    )
    return pattern.format(
        adjective=rng.choice(ADJECTIVES),
        noun=one,
        other=other,
        verb=rng.choice(VERBS),
        number=rng.randint(2, 90),
    )


def passage(rng: random.Random, word_count: int) -> str:
    """Plain sentences of about this many words in all."""
    words: list[str] = []
    while len(words) < word_count:
        words += sentence(rng).split()
    return " ".join(words)


def fill(pattern: str, rng: random.Random) -> str:
    """Put words into the gaps of a question on something unrelated, one word a gap."""

    def word(match: re.Match[str]) -> str:
        kind = match.group(1)
        if kind == "noun":
            return noun(rng)
        if kind == "verb":
            return rng.choice(VERBS)
        if kind == "adjective":
            return rng.choice(ADJECTIVES)
        if kind == "number":
            return str(rng.randint(0, 2000))
        return salad(rng, rng.randint(1, 14))

    return re.sub(r"\{(\w+)\}", word, pattern)


def _with_typo(text: str, rng: random.Random) -> str:
    places = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if len(text) < 8 or not places:
        return text
    i = rng.choice(places)
    roll = rng.random()
    if roll < 0.4:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    if roll < 0.7:
        return text[:i] + text[i + 1 :]
    return text[:i] + text[i] + text[i:]


def _loosened(text: str, rng: random.Random) -> str:
    """Small words left out or put in, as people write."""
    words = text.split(" ")
    if len(words) > 3 and rng.random() < 0.6:
        small = [i for i, word in enumerate(words) if word in _DROPPABLE]
        if small:
            del words[rng.choice(small)]
    if len(words) > 2 and rng.random() < 0.5:
        words.insert(rng.randint(1, len(words)), rng.choice(_INSERTED))
    return " ".join(words)


_DROPPABLE = frozenset(["the", "a", "is", "do", "does", "me", "of", "to", "that", "I", "my", "an"])
_INSERTED = tuple(
    """really actually just still now maybe exactly even perhaps often always again usually
    suddenly today sometimes really, please though then so then, here there quite rather
    probably simply""".split()
)


def vary(question: str, rng: random.Random) -> str:
    """The same question as someone else would type it."""
    text = question
    if rng.random() < 0.45:
        for phrase, others in _SYNONYMS:
            if phrase in text and rng.random() < 0.6:
                text = text.replace(phrase, rng.choice(others), 1)
                break
    if rng.random() < 0.25:
        text = _loosened(text, rng)
    if rng.random() < 0.35:
        text = rng.choice(_OPENERS) + text
    text += rng.choice(_CLOSERS) if rng.random() < 0.7 else ""
    if rng.random() < 0.15:
        text = _with_typo(text, rng)
    style = rng.random()
    if style < 0.4:
        text = text[0].upper() + text[1:]
    elif style < 0.55:
        text = text.lower()
    elif style < 0.59:
        text = text.upper()
    return text


def surround(question: str, rng: random.Random, word_count: int) -> str:
    """The question after (or before) plain sentences, about `word_count` words in all."""
    around = passage(rng, max(word_count - len(question.split()), 4))
    question = question[0].upper() + question[1:]
    if question[-1] not in ".?!":
        question += rng.choice("?.")
    return f"{around} {question}" if rng.random() < 0.75 else f"{question} {around}"
