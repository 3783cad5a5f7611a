"""The words of alerts and dashboards in five languages: tables, and nothing else.

A garment's phrase is what follows "a person in/wearing/with", with its article and a gap for the
colour; its form says how the colour agrees with it: masculine, feminine or plural.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["m", "f", "p"]


@dataclass(frozen=True)
class Phrases:
    """One language.

    Attributes:
        garments: per category the phrase, ``{}`` standing for the colour, and its form.
        colours: per colour its masculine, feminine and plural words.
        anything: what to say of a garment outside the vocabulary.
        title: of one person; ``title_many`` of several, with ``{people}``.
        came_in: one person, with ``{garment}``; ``came_in_many`` with ``{people}`` too.
        went_out: one person; ``went_out_many`` of several.
        conjunction: before the last of several garments.
        test: put before everything that was only asked for.
    """

    garments: dict[str, tuple[str, Form]]
    colours: dict[str, tuple[str, str, str]]
    anything: str
    title: str
    title_many: str
    came_in: str
    came_in_many: str
    went_out: str
    went_out_many: str
    conjunction: str
    test: str


def _same(**words: str) -> dict[str, tuple[str, str, str]]:
    """Colours whose word does not change."""
    return {name: (word, word, word) for name, word in words.items()}


ENGLISH: Final = Phrases(
    garments={
        "tshirt": ("a {} T-shirt", "m"),
        "shirt": ("a {} shirt", "m"),
        "top": ("a {} top", "m"),
        "sweater": ("a {} sweater", "m"),
        "hoodie": ("a {} hoodie", "m"),
        "blazer": ("a {} blazer", "m"),
        "jacket": ("a {} jacket", "m"),
        "coat": ("a {} coat", "m"),
        "suit": ("a {} suit", "m"),
        "jeans": ("{} jeans", "p"),
        "trousers": ("{} trousers", "p"),
        "shorts": ("{} shorts", "p"),
        "skirt": ("a {} skirt", "m"),
        "dress": ("a {} dress", "m"),
        "jumpsuit": ("a {} jumpsuit", "m"),
    },
    colours=_same(
        black="black", grey="grey", white="white", red="red", orange="orange", yellow="yellow",
        green="green", blue="blue", purple="purple", pink="pink", brown="brown", beige="beige",
    ),
    anything="the clothes you asked for",
    title="Customer in {garment}",
    title_many="{people} customers, one in {garment}",
    came_in="A customer in {garment} entered",
    came_in_many="{people} customers entered, at least one in {garment}",
    went_out="A customer in {garment} left",
    went_out_many="{people} customers left, at least one in {garment}",
    conjunction="and",
    test="Test: ",
)  # fmt: skip

GERMAN: Final = Phrases(
    garments={
        "tshirt": ("einem {} T-Shirt", "m"),
        "shirt": ("einem {} Hemd", "m"),
        "top": ("einem {} Top", "m"),
        "sweater": ("einem {} Pullover", "m"),
        "hoodie": ("einem {} Kapuzenpullover", "m"),
        "blazer": ("einem {} Blazer", "m"),
        "jacket": ("einer {} Jacke", "f"),
        "coat": ("einem {} Mantel", "m"),
        "suit": ("einem {} Anzug", "m"),
        "jeans": ("{} Jeans", "p"),
        "trousers": ("einer {} Hose", "f"),
        "shorts": ("{} Shorts", "p"),
        "skirt": ("einem {} Rock", "m"),
        "dress": ("einem {} Kleid", "m"),
        "jumpsuit": ("einem {} Overall", "m"),
    },
    # After "in einem/einer", and without an article in the plural, every adjective ends in -en.
    colours=_same(
        black="schwarzen", grey="grauen", white="weißen", red="roten", orange="orangen",
        yellow="gelben", green="grünen", blue="blauen", purple="violetten", pink="rosa",
        brown="braunen", beige="beigen",
    ),
    anything="der gesuchten Kleidung",
    title="Kundschaft in {garment}",
    title_many="{people} Personen, eine in {garment}",
    came_in="Eine Person in {garment} ist hereingekommen",
    came_in_many="{people} Personen sind hereingekommen, mindestens eine in {garment}",
    went_out="Eine Person in {garment} ist hinausgegangen",
    went_out_many="{people} Personen sind hinausgegangen, mindestens eine in {garment}",
    conjunction="und",
    test="Test: ",
)  # fmt: skip

FRENCH: Final = Phrases(
    garments={
        "tshirt": ("un t-shirt {}", "m"),
        "shirt": ("une chemise {}", "f"),
        "top": ("un haut {}", "m"),
        "sweater": ("un pull {}", "m"),
        "hoodie": ("un sweat à capuche {}", "m"),
        "blazer": ("un blazer {}", "m"),
        "jacket": ("une veste {}", "f"),
        "coat": ("un manteau {}", "m"),
        "suit": ("un costume {}", "m"),
        "jeans": ("un jean {}", "m"),
        "trousers": ("un pantalon {}", "m"),
        "shorts": ("un short {}", "m"),
        "skirt": ("une jupe {}", "f"),
        "dress": ("une robe {}", "f"),
        "jumpsuit": ("une combinaison {}", "f"),
    },
    colours={
        "black": ("noir", "noire", "noirs"),
        "grey": ("gris", "grise", "gris"),
        "white": ("blanc", "blanche", "blancs"),
        "green": ("vert", "verte", "verts"),
        "blue": ("bleu", "bleue", "bleus"),
        "purple": ("violet", "violette", "violets"),
        **_same(
            red="rouge", orange="orange", yellow="jaune", pink="rose", brown="marron", beige="beige"
        ),
    },
    anything="les vêtements recherchés",
    title="Une personne porte {garment}",
    title_many="{people} personnes, l’une porte {garment}",
    came_in="Une personne portant {garment} est entrée",
    came_in_many="{people} personnes sont entrées, dont au moins une portant {garment}",
    went_out="Une personne portant {garment} est sortie",
    went_out_many="{people} personnes sont sorties, dont au moins une portant {garment}",
    conjunction="et",
    test="Essai : ",
)

SPANISH: Final = Phrases(
    garments={
        "tshirt": ("una camiseta {}", "f"),
        "shirt": ("una camisa {}", "f"),
        "top": ("un top {}", "m"),
        "sweater": ("un jersey {}", "m"),
        "hoodie": ("una sudadera con capucha {}", "f"),
        "blazer": ("una americana {}", "f"),
        "jacket": ("una chaqueta {}", "f"),
        "coat": ("un abrigo {}", "m"),
        "suit": ("un traje {}", "m"),
        "jeans": ("unos vaqueros {}", "p"),
        "trousers": ("un pantalón {}", "m"),
        "shorts": ("un pantalón corto {}", "m"),
        "skirt": ("una falda {}", "f"),
        "dress": ("un vestido {}", "m"),
        "jumpsuit": ("un mono {}", "m"),
    },
    colours={
        "black": ("negro", "negra", "negros"),
        "grey": ("gris", "gris", "grises"),
        "white": ("blanco", "blanca", "blancos"),
        "red": ("rojo", "roja", "rojos"),
        "yellow": ("amarillo", "amarilla", "amarillos"),
        "green": ("verde", "verde", "verdes"),
        "blue": ("azul", "azul", "azules"),
        "purple": ("morado", "morada", "morados"),
        "brown": ("marrón", "marrón", "marrones"),
        **_same(orange="naranja", pink="rosa", beige="beige"),
    },
    anything="la ropa buscada",
    title="Alguien con {garment}",
    title_many="{people} personas, una con {garment}",
    came_in="Ha entrado una persona con {garment}",
    came_in_many="Han entrado {people} personas, al menos una con {garment}",
    went_out="Ha salido una persona con {garment}",
    went_out_many="Han salido {people} personas, al menos una con {garment}",
    conjunction="y",
    test="Prueba: ",
)

ITALIAN: Final = Phrases(
    garments={
        "tshirt": ("una maglietta {}", "f"),
        "shirt": ("una camicia {}", "f"),
        "top": ("un top {}", "m"),
        "sweater": ("un maglione {}", "m"),
        "hoodie": ("una felpa con cappuccio {}", "f"),
        "blazer": ("un blazer {}", "m"),
        "jacket": ("una giacca {}", "f"),
        "coat": ("un cappotto {}", "m"),
        "suit": ("un completo {}", "m"),
        "jeans": ("dei jeans {}", "p"),
        "trousers": ("dei pantaloni {}", "p"),
        "shorts": ("dei pantaloncini {}", "p"),
        "skirt": ("una gonna {}", "f"),
        "dress": ("un vestito {}", "m"),
        "jumpsuit": ("una tuta intera {}", "f"),
    },
    colours={
        "black": ("nero", "nera", "neri"),
        "grey": ("grigio", "grigia", "grigi"),
        "white": ("bianco", "bianca", "bianchi"),
        "red": ("rosso", "rossa", "rossi"),
        "orange": ("arancione", "arancione", "arancioni"),
        "yellow": ("giallo", "gialla", "gialli"),
        "green": ("verde", "verde", "verdi"),
        "brown": ("marrone", "marrone", "marroni"),
        **_same(blue="blu", purple="viola", pink="rosa", beige="beige"),
    },
    anything="gli abiti cercati",
    title="Una persona con {garment}",
    title_many="{people} persone, una con {garment}",
    came_in="È entrata una persona con {garment}",
    came_in_many="Sono entrate {people} persone, almeno una con {garment}",
    went_out="È uscita una persona con {garment}",
    went_out_many="Sono uscite {people} persone, almeno una con {garment}",
    conjunction="e",
    test="Prova: ",
)

LANGUAGES: Final = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "it": ITALIAN,
}


@dataclass(frozen=True)
class Labels:
    """Names of what a dashboard shows, in one language; ``{}`` stands for a zone or a camera.

    Attributes:
        inside: people inside a zone.
        entries: of today, ``exits`` alike.
        everywhere: all zones together.
        state: of the box.
        camera: state of a camera.
        mute: silence a rule, the first gap, for so many minutes, the second.
        unmute: end that.
    """

    inside: str
    entries: str
    exits: str
    everywhere: str
    state: str
    camera: str
    mute: str
    unmute: str


LABELS: Final[dict[str, Labels]] = {
    "en": Labels(
        "People inside: {}", "Entries today: {}", "Exits today: {}", "all zones", "State",
        "Camera {}", "Mute {} for {} min", "Unmute {}",
    ),
    "de": Labels(
        "Personen im Bereich: {}", "Eintritte heute: {}", "Austritte heute: {}", "alle Bereiche",
        "Zustand", "Kamera {}", "{} für {} min stummschalten", "Stummschaltung von {} beenden",
    ),
    "fr": Labels(
        "Personnes présentes : {}", "Entrées du jour : {}", "Sorties du jour : {}",
        "toutes les zones", "État", "Caméra {}", "Couper {} pendant {} min", "Rétablir {}",
    ),
    "es": Labels(
        "Personas dentro: {}", "Entradas de hoy: {}", "Salidas de hoy: {}", "todas las zonas",
        "Estado", "Cámara {}", "Silenciar {} durante {} min", "Reactivar {}",
    ),
    "it": Labels(
        "Persone presenti: {}", "Ingressi di oggi: {}", "Uscite di oggi: {}", "tutte le zone",
        "Stato", "Telecamera {}", "Silenzia {} per {} min", "Riattiva {}",
    ),
}  # fmt: skip
