"""Given names and the short forms by which their bearers go, in English and in Spanish.

Only forms that dictionaries of given names list, and that are no name's mere typo. Not every short
form is here, and none needs to be: an unknown one leaves a pair unmatched, never joined.
"""

from __future__ import annotations

SHORT_FORMS = """
alexander alex sandy; alexandra alex sandra sandy; andrew andy drew; anthony tony;
antonio tono; barbara barb babs; benjamin ben benny; catherine cathy kate katie kitty;
charles charlie chuck; christina chris tina; christopher chris topher; concepcion concha;
daniel dan danny; david dave; deborah deb debbie; dolores lola; dorothy dot dottie;
edward ed eddie ned ted; elizabeth beth betsy betty eliza libby liz lizzie;
enrique quique; eugene gene; francisco paco pancho; frederick fred freddie; gerald gerry jerry;
guadalupe lupe lupita; guillermo memo; gregory greg; harold hal harry; henry hal hank harry;
ignacio nacho; isabel chabela; jacob jake; james jim jimmy; jesus chuy; john jack johnny;
jose pepe; joseph joe joey; katherine kate kathy katie kitty; lawrence larry; leonard len lenny;
manuel manolo; margaret maggie meg peg peggy; maria mari; matthew matt; mercedes meche;
michael mike mickey; nicholas nick; pamela pam; patricia pat patty tricia; patrick pat paddy;
peter pete; philip phil; raymond ray; rebecca becky; richard dick rich rick ricky;
robert bob bobby rob robbie; ronald ron ronnie; roberto beto; rosario charo; samuel sam sammy;
samantha sam; sarah sally; stephen steve; steven steve; susan sue susie; teresa tere;
theodore ted teddy theo; theresa terry tess; thomas tom tommy; timothy tim; victoria vicky;
walter walt; william bill billy will willie liam
"""


def _read(text: str) -> dict[str, frozenset[str]]:
    """Return the full names of each word; a full name is its own."""
    full: dict[str, set[str]] = {}
    for entry in text.split(";"):
        name, *short = entry.split()
        for word in (name, *short):
            full.setdefault(word, set()).add(name)
    return {word: frozenset(names) for word, names in full.items()}


FULL_NAMES = _read(SHORT_FORMS)


def is_short_for(one: str, other: str) -> bool:
    """Say whether two folded words can be one name: "peggy" and "margaret", "bob" and "rob"."""
    nothing: frozenset[str] = frozenset()
    return bool(FULL_NAMES.get(one, nothing) & FULL_NAMES.get(other, nothing)) and one != other
