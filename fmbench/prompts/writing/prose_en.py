# ruff: noqa: SIM905
"""English words and sentence forms for synthetic paragraphs: ordinary local history, about people who never lived."""

FIRST_NAMES = (
    "Anna Clara Edith Harriet Ingrid Josephine Katharine Louisa Margaret Nora Olive Paula Rosalind Sophia Teresa Ursula "
    "Vera Winifred Agnes Beatrice Cecilia Dorothy Eleanor Frances Greta Helena Isabel Judith Laura Miriam "
    "Albert Benjamin Conrad Daniel Edmund Frederick Gilbert Henry Isaac Jonathan Kenneth Leonard Martin Nathan Oliver "
    "Patrick Quentin Richard Samuel Thomas Victor Walter Arthur Bernard Charles David Ernest Francis George Hugo"
).split()

LAST_NAMES = (
    "Abbott Aldridge Barlow Bellamy Bergman Blackwood Brennan Calloway Carmichael Castellan Chambers Colby Corrigan Dalton "
    "Davenport Delaney Driscoll Eastman Ellsworth Fairbanks Farrow Fenwick Finch Fletcher Gallagher Garland Gibson "
    "Goddard Granger Hadley Hammond Harding Hathaway Hawthorne Holloway Hutchins Ingram Jarvis Jennings Kavanagh Keating "
    "Kendrick Kirkland Lambert Langley Lawson Lindgren Lockwood Maddox Marlowe Mercer Merrick Montague Moreau Mulligan "
    "Nolan Norwood Oakley Osborne Palmer Pemberton Prescott Quigley Radcliffe Ramsey Redmond Reinhart Ridley Rowland "
    "Sandoval Sawyer Sheridan Sinclair Stafford Stanton Sutherland Talbot Tennant Thackeray Thornton Tremaine Underhill "
    "Vandenberg Vaughan Wakefield Walcott Weatherby Wentworth Whitaker Willoughby Winslow Woodruff Wyndham Yardley "
    "Zimmerman Ashworth Cavendish Hargrove"
).split()

TOWNS = (
    "Bergen Salisbury Leipzig Ghent Toledo Galway Dundee Utrecht Basel Turin Porto Lyon Krakow Uppsala Odense Tampere "
    "Graz Verona Bruges Durham Exeter Halifax Norwich Perth Quebec Savannah Portland Richmond Albany Concord Trieste "
    "Granada Cadiz Bordeaux Nantes Rouen Lausanne Lucerne Bremen Rostock"
).split()

WORK_NAMES = (
    "Halden Ashby Carrow Linden Marsh Orchard Granite Harbour Kestrel Mill Northgate Quarry River Saxon Tolland Union "
    "Victoria Westbrook Abbey Bishop Crescent Elm Foundry Greenway Hollow Iron Juniper Kings Ludlow Meadow"
).split()
WORK_KINDS = "Viaduct Library Theatre Observatory Lighthouse Museum Bridge Station Chapel Hospital Arcade Reservoir".split()

SLOTS: dict[str, tuple[str, ...]] = {
    "trade": (
        "a surveyor", "a schoolteacher", "a bookbinder", "a botanist", "a cabinet maker", "a printer", "a harbour pilot",
        "a watchmaker", "a newspaper editor", "a midwife", "a stonemason", "a chemist", "a railway engineer", "a weaver",
        "a photographer", "a translator", "a grain merchant", "a piano tuner", "a geologist", "a country doctor",
        "a mapmaker", "a judge", "a gardener", "a shipbuilder", "a telegraph clerk", "a music critic",
    ),
    "town": tuple(TOWNS),
    "thing": (
        "a small context behind the market", "the first public reading room in the district", "a school for apprentices",
        "a collection of pressed flowers", "a weekly paper that lasted eleven years", "a fund for injured sailors",
        "a seed exchange among local farmers", "a choir of mill workers", "an evening class in bookkeeping",
        "a ferry that crossed the lake twice a day", "a catalogue of the parish records", "a society for old instruments",
        "a bakery that supplied the railway", "a weather station on the hill", "a printing house with two presses",
        "a home for retired teachers", "a cooperative dairy", "an archive of letters from emigrants",
    ),
    "weather": (
        "a long and bitter winter", "the spring floods", "an unusually dry summer", "a week of heavy storms",
        "the great frost", "several poor harvests", "a mild autumn", "the first warm days of April",
    ),
    "reason": (
        "the price of wool had fallen by half", "the council refused to pay for repairs", "the old road was no longer safe",
        "a cousin had left her share of the business", "the railway company changed its plans",
        "few people in the valley could read a contract", "the only doctor had moved to the coast",
        "a fire destroyed most of the stock", "the harbour had begun to silt up", "the bank closed without any warning",
        "nobody else was willing to take the post", "new machines made the work much cheaper",
    ),
    "source": (
        "A letter in the county archive", "The minutes of the town council", "A short notice in the evening paper",
        "The diary of a neighbour", "An account book from the same year", "A report by the school inspector",
        "The memoir of a former pupil", "A photograph kept by the family", "The register of the local court",
    ),
    "trait": (
        "patient", "stubborn", "generous", "quiet", "careful with money", "quick to laugh", "hard to please", "well read",
        "fond of long walks", "suspicious of lawyers", "proud of a good garden", "always late", "remarkably precise",
    ),
    "activity": (
        "repairing clocks", "writing letters to the ministry", "teaching arithmetic", "drawing maps of the coast",
        "collecting folk songs", "arguing about taxes", "breeding pigeons", "measuring the rainfall",
        "restoring old furniture", "translating foreign novels", "planting fruit trees", "studying the tides",
        "keeping the accounts of three shops", "walking from village to village",
    ),
    "opinion": (
        "the project cost far more than it was worth", "no other plan had been considered seriously",
        "the work was done honestly and on time", "the drawings had been copied from a foreign journal",
        "the town owed a great deal to this one decision", "it should have been finished ten years earlier",
        "the figures in the first report could not be trusted", "the building was too cold to be of any use",
        "the neighbours had been treated unfairly", "it was the best thing the committee had ever agreed to",
    ),
    "number": ("three", "four", "seven", "nine", "a dozen", "fifteen", "twenty", "almost thirty", "more than forty", "sixty"),
    "year": tuple(str(year) for year in range(1821, 1968)),
    "month": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "people": (
        "visitors", "students", "labourers", "fishermen", "merchants", "neighbours", "soldiers", "volunteers", "farmers",
        "children from the upper village", "clerks", "travellers",
    ),
    "goods": (
        "timber", "salt fish", "woollen cloth", "glass", "barley", "roof tiles", "copper wire", "paper", "cheese", "leather",
        "dried fruit", "paint", "farm tools", "lamp oil",
    ),
    "place": (
        "near the old bridge", "on the north side of the square", "above the bakery", "at the edge of the forest",
        "beside the canal", "in a rented house on the hill", "close to the customs house", "opposite the town hall",
        "along the harbour wall", "behind the railway sheds",
    ),
}  # fmt: skip
"""What may stand in each slot of a sentence."""

OPENINGS = (
    "{person} was {trade} who came to {town} in {year} and stayed for {number} years.",
    "In {year} the council of {town} appointed {person}, until then {trade}, to look after the archive.",
    "The story of {person}, {trade} from the lower town, is told in every guide to {town}.",
    "When {person} opened {thing} in {month} {year}, few expected it to survive the winter.",
    "{person} spent most of a long life {place} in {town}, working as {trade}.",
    "Nobody in {town} had heard of {person} before {weather} of {year}.",
    "By {year} {person} was well known in {town} as {trade} with a habit of {activity}.",
    "Among the founders of the society was {person}, {trade} who had learned the craft in {town}.",
)

SENTENCES = (
    "The decision was made because {reason}.",
    "After {weather}, the family moved to a house {place}.",
    "{source} mentions {thing}, but gives no date.",
    "Friends remembered someone {trait}, {trait} and, in later years, {trait}.",
    "Most evenings were spent {activity}, and most mornings {activity}.",
    "In {month} {year} about {number} {people} signed a petition against it.",
    "The warehouse held {goods}, {goods} and, when trade was good, {goods}.",
    "According to one critic, {opinion}.",
    "Others were certain that {opinion}, and said so in public.",
    "It took {number} months to find the money, partly because {reason}.",
    "{source} describes the house {place} as cold, crowded and full of books.",
    "Between {year} and the end of the century the firm sold {goods} to towns as far away as {town}.",
    "What happened next is less clear, since {reason}.",
    "A younger partner, who preferred {activity}, left for {town} within {number} weeks.",
    "Even so, {number} {people} came to the opening, which was held {place}.",
    "The plan was simple: buy {goods} in {month}, store it through the winter, and sell it before the fair.",
    "There were {number} rooms, a yard for the carts, and a garden that nobody had time to keep.",
    "Although {opinion}, the arrangement lasted until {year}.",
    "Twice the roof was damaged by {weather}, and twice the {people} paid for the repairs themselves.",
    "For a short time there was also {thing}, run by a brother who was {trait}.",
    "None of this was unusual in {town}, where {reason}.",
    "If the accounts are right, a load of {goods} cost less in {year} than it had a generation before.",
    "Later historians have argued that {opinion}; the documents neither prove it nor rule it out.",
    "A sister, {trade}, kept the correspondence and gave it to the library in {year}.",
    "A brother, {trade}, thought the idea absurd and went back to {activity}.",
    "Would it have lasted without {thing}? The surviving papers suggest that it would not.",
    "{source}, dated {month} {year}, lists {number} {people} and their wages.",
    "Some of the {people} walked for two days to get there, carrying {goods} to pay for their lodging.",
    "On the first page there is a drawing of the street as it looked after {weather}.",
    "The town changed quickly: gas lamps, then a tram, then a factory that made {goods} day and night.",
    "Today a small plaque {place} is all that is left.",
    "It is said that the last meeting ended in a quarrel about {goods}.",
    "Every {month}, the {people} of the district gather there and read the names aloud.",
    "Later, {thing} was added, which pleased the {people} and nobody else.",
    "One winter, when {reason}, the doors were kept open for {number} nights in a row.",
    "With the help of {number} {people}, the damage done by {weather} was put right before {month}.",
)

PADDING = ("grey", "windy", "warm", "quiet", "wet", "long", "cold", "bright", "dry", "short", "dark", "clear")
PADDING_FORM = "The days were {words}."
PADDING_JOINT = ", "
SENTENCE_JOINT = " "
NAME_FORM = "{first} {last}"
WORK_FORM = "{name} {kind}"
