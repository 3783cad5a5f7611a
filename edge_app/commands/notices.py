"""What hangs at the door: the notice about the camera, in five languages."""

from __future__ import annotations

NOTICES: dict[str, str] = {
    "en": (
        "A camera counts who enters this store and recognises kinds of clothing{alerts}. The "
        "pictures are analysed in this store within a second and are neither stored nor sent. No "
        "faces, no age, no gender, nobody is recognised again. Only counts{told} leave the device; "
        "small numbers are left out. Responsible, and where you can object: …"
    ),
    "de": (
        "Eine Kamera zählt, wer dieses Geschäft betritt, und erkennt Arten von Kleidung{alerts}. "
        "Die Bilder werden hier innerhalb einer Sekunde ausgewertet und weder gespeichert noch "
        "gesendet. Keine Gesichter, kein Alter, kein Geschlecht, niemand wird wiedererkannt. Nur "
        "Zahlen{told} verlassen das Gerät; kleine Zahlen werden weggelassen. Verantwortlich, "
        "und wo Sie widersprechen können: …"
    ),
    "fr": (
        "Une caméra compte les personnes qui entrent dans ce magasin et reconnaît des types de "
        "vêtements{alerts}. Les images sont analysées ici en moins d'une seconde ; elles ne sont "
        "ni enregistrées ni transmises. Ni visage, ni âge, ni sexe ; personne n'est reconnu. Seuls "
        "des chiffres{told} quittent l'appareil ; les petits nombres sont omis. Responsable, et "
        "où vous opposer : …"
    ),
    "es": (
        "Una cámara cuenta quién entra en esta tienda y reconoce tipos de ropa{alerts}. Las "
        "imágenes se analizan aquí en menos de un segundo; no se guardan ni se envían. Ni caras, "
        "ni edad, ni sexo; nadie es reconocido. Del equipo solo salen cifras{told}; los números "
        "pequeños se omiten. Responsable, y dónde oponerse: …"
    ),
    "it": (
        "Una telecamera conta chi entra in questo negozio e riconosce tipi di "
        "abbigliamento{alerts}. Le immagini sono analizzate qui in meno di un secondo; non sono "
        "conservate né trasmesse. Nessun volto, né età, né sesso; nessuno viene riconosciuto. Solo "
        "numeri{told} lasciano il dispositivo; i numeri piccoli sono omessi. Titolare, e dove "
        "opporsi: …"
    ),
}
"""By language; ``{alerts}`` and ``{told}`` are filled where staff are told of single customers."""

ALERTS: dict[str, str] = {
    "en": "; staff are told at once when some of them come in",
    "de": "; dem Personal wird sofort gesagt, wenn bestimmte davon eintreten",
    "fr": " ; le personnel est averti aussitôt pour certains d'entre eux",
    "es": "; al personal se le avisa en el acto de algunos de ellos",
    "it": "; il personale viene avvisato subito per alcuni di essi",
}


TOLD: dict[str, str] = {
    "en": " and these alerts (kind and colour of clothing)",
    "de": " und diese Meldungen (Art und Farbe der Kleidung)",
    "fr": " et ces alertes (type et couleur du vêtement)",
    "es": " y estos avisos (tipo y color de la ropa)",
    "it": " e questi avvisi (tipo e colore dell'abbigliamento)",
}
"""What leaves the device besides counts where there are alerts."""


def notice(language: str, has_alerts: bool) -> str:
    """The text for the door.

    Args:
        language: en, de, fr, es or it.
        has_alerts: single customers are announced to staff.
    """
    alerts, told = (ALERTS[language], TOLD[language]) if has_alerts else ("", "")
    return NOTICES[language].format(alerts=alerts, told=told)
