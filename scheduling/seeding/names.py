"""Names for invented patients: combined by chance, meant to sound like a neighbourhood."""


def _words(text: str) -> list[str]:
    return text.split()


GIVEN_FEMALE = _words(
    "Abigail Adaeze Alma Amina Beatriz Bridget Carmen Charlotte Claire Dalia Daphne Eleanor Elif "
    "Esperanza Fatima Florence Gabriela Hana Harriet Imani Ingrid Ivy Josephine Juniper Kate Keiko "
    "Leila Lucia Mabel Margot Marisol Naomi Nora Odette Olive Paloma Penelope Rosa Ruth Sabine "
    "Selma Simone Sofia Tamar Thandiwe Ursula Valentina Vera Winifred Ximena Yara Zora"
)

GIVEN_MALE = _words(
    "Alonso Amos Anton Barnaby Benicio Caleb Cesar Chidi Clement Dario Desmond Diego Edmund Emeka "
    "Ezra Felix Gideon Gustavo Hakim Henry Hugo Ignacio Isaac Ivan Jasper Joaquin Kenji Lars "
    "Leopold Luis Malik Mateo Milo Nikhil Noel Omar Orson Pavel Quentin Rafael Reuben Rohan Samir "
    "Santiago Soren Theo Tobias Umar Victor Wendell Yusuf Zachary"
)

FAMILY = _words(
    "Abernathy Acosta Adler Amadi Appiah Arroyo Bancroft Barzani Beaumont Bhatt Bramble Brandt "
    "Castellanos Chowdhury Corrigan Delacroix Dunne Eklund Escobar Fairweather Farouk Fonseca "
    "Gallagher Ghosh Greenaway Guerrero Haddad Halloran Hawthorne Herrera Holloway Ibrahim Ivanov "
    "Jankowski Jimenez Kaminski Kaplan Kowalczyk Lindqvist Longworth Lopez MacAllister Maldonado "
    "Marchetti Mbeki Moe Montoya Nakagawa Navarro Novak Nwosu Okafor Okonkwo Olsen Osei Park "
    "Pellegrini Pham Quintero Quist Ramsey Reyes Rosenthal Rossi Saleh Sandoval Sato Silva Sokolov "
    "Stavros Tavares Thackeray Tran Underhill Valdez Vance Villanueva Wakefield Weatherby Whitlock "
    "Yamada Zamora Zielinski"
)

STREETS = [
    "Ferry Street",
    "Old Mill Road",
    "Juniper Court",
    "Canal Row",
    "Orchard Avenue",
    "Heron Lane",
    "Wharf Street",
    "Chestnut Hill Road",
]
