#include "source/sample_names.h"

#include <array>

namespace millrace::source {

namespace {

using Word = std::string_view;

constexpr auto kEnglishMen = std::to_array<Word>(
    {"Adam",   "Alfie",  "Arthur",  "Benjamin", "Callum", "Charlie",  "Daniel", "David",
     "Edward", "Elliot", "Finlay",  "Frank",    "George", "Harvey",   "Henry",  "Isaac",
     "Jack",   "Jacob",  "Joseph",  "Leo",      "Liam",   "Matthew",  "Nathan", "Noah",
     "Oliver", "Owen",   "Patrick", "Reuben",   "Samuel", "Theodore", "Thomas", "William"});
constexpr auto kEnglishWomen = std::to_array<Word>(
    {"Abigail", "Alice",     "Amelia", "Beatrice",  "Bethany",  "Caroline", "Chloe",   "Daisy",
     "Eleanor", "Elizabeth", "Emily",  "Eva",       "Florence", "Freya",    "Grace",   "Harriet",
     "Imogen",  "Isla",      "Jane",   "Katherine", "Lily",     "Lucy",     "Matilda", "Megan",
     "Nora",    "Olive",     "Phoebe", "Poppy",     "Rachel",   "Rose",     "Ruby",    "Sophie"});
constexpr auto kEnglishFamilies = std::to_array<Word>(
    {"Abbott",    "Archer",  "Baker",  "Barlow",   "Bennett",  "Brennan",  "Carter",   "Chapman",
     "Clarke",    "Cooper",  "Davies", "Doyle",    "Ellis",    "Fisher",   "Fletcher", "Foster",
     "Gallagher", "Gardner", "Hughes", "Hunter",   "Kelly",    "Lawson",   "Marsh",    "Mason",
     "Mercer",    "Morgan",  "Nolan",  "O'Brien",  "O'Connor", "Palmer",   "Parker",   "Pearson",
     "Porter",    "Quinn",   "Reid",   "Shepherd", "Sutton",   "Thatcher", "Turner",   "Walsh"});

constexpr auto kFrenchMen = std::to_array<Word>(
    {"Adrien",  "Alexis",  "André",     "Antoine", "Arnaud", "Aurélien",  "Baptiste", "Benoît",
     "Bruno",   "Cédric",  "Clément",   "Damien",  "Émile",  "Étienne",   "Fabien",   "François",
     "Gaspard", "Gérard",  "Guillaume", "Hugo",    "Jérôme", "Léon",      "Loïc",     "Mathieu",
     "Noël",    "Olivier", "Pascal",    "Quentin", "Rémi",   "Sébastien", "Théo",     "Yannick"});
constexpr auto kFrenchWomen = std::to_array<Word>(
    {"Adèle",    "Agnès",    "Amélie",    "Anaïs",    "Béatrice", "Camille", "Céline",    "Chloé",
     "Clémence", "Élise",    "Élodie",    "Fanny",    "Florence", "Gaëlle",  "Geneviève", "Hélène",
     "Inès",     "Jeanne",   "Joséphine", "Juliette", "Léa",      "Lucie",   "Maëlle",    "Manon",
     "Margaux",  "Mathilde", "Noémie",    "Océane",   "Pauline",  "Solène",  "Valérie",   "Zoé"});
constexpr auto kFrenchFamilies = std::to_array<Word>(
    {"Aubert",     "Barbier",   "Benoît",    "Besson",   "Blanchard", "Boucher",
     "Carpentier", "Chevalier", "Colin",     "Delattre", "Descamps",  "Dubois",
     "Dupré",      "Favre",     "Fournier",  "Gaillard", "Guérin",    "Hervé",
     "Joly",       "Lambert",   "Lefèvre",   "Lemaître", "Marchand",  "Mercier",
     "Michaud",    "Noël",      "Pelletier", "Perrin",   "Poirier",   "Prévost",
     "Renaud",     "Rivière",   "Rousseau",  "Tessier",  "Thévenet",  "Vasseur"});

constexpr auto kGermanMen = std::to_array<Word>(
    {"Albrecht", "Andreas", "Bernd",     "Björn",   "Christoph", "Dietmar", "Emil",   "Ernst",
     "Felix",    "Florian", "Friedrich", "Georg",   "Götz",      "Günther", "Hannes", "Heinrich",
     "Holger",   "Jakob",   "Jonas",     "Jörg",    "Jürgen",    "Karl",    "Konrad", "Lukas",
     "Matthias", "Moritz",  "Ralf",      "Rüdiger", "Sören",     "Theo",    "Uwe",    "Wolfgang"});
constexpr auto kGermanWomen = std::to_array<Word>(
    {"Anja",       "Annegret", "Antje",   "Bärbel",   "Birgit", "Brigitte",  "Charlotte",
     "Dörte",      "Elke",     "Frieda",  "Gisela",   "Greta",  "Hannelore", "Heike",
     "Hildegard",  "Ida",      "Ilse",    "Johanna",  "Käthe",  "Klara",     "Leonie",
     "Lieselotte", "Mareike",  "Marlene", "Mathilda", "Paula",  "Renate",    "Rosemarie",
     "Sigrid",     "Sünje",    "Ulrike",  "Waltraud"});
constexpr auto kGermanFamilies = std::to_array<Word>(
    {"Ackermann", "Bäcker",  "Bauer",   "Böhm",     "Brückner", "Dreßler", "Engel",    "Fährmann",
     "Förster",   "Fuchs",   "Gärtner", "Graf",     "Großmann", "Günther", "Hübner",   "Jäger",
     "Kaiser",    "Kästner", "Köhler",  "König",    "Krämer",   "Krüger",  "Lehmann",  "Löffler",
     "Möller",    "Müller",  "Neumann", "Pfeiffer", "Richter",  "Schäfer", "Schröder", "Schütz",
     "Seidel",    "Strauß",  "Vogt",    "Weiß",     "Winkler",  "Zöllner"});

constexpr auto kSwissMen =
    std::to_array<Word>({"Alain", "Beat",     "Bernard",  "Claudio", "Cyrill", "Didier", "Fabrice",
                         "Gian",  "Hansjörg", "Jean-Luc", "Jürg",    "Luca",   "Marcel", "Matteo",
                         "Nils",  "Pascal",   "Pierre",   "Reto",    "Roger",  "Simon",  "Stéphane",
                         "Timo",  "Urs",      "Ueli",     "Yves"});
constexpr auto kSwissWomen = std::to_array<Word>(
    {"Alessia", "Annelies", "Chantal",  "Corinne",    "Danièle",  "Elena",    "Fiona",
     "Giulia",  "Heidi",    "Isabelle", "Jacqueline", "Laetitia", "Ladina",   "Madeleine",
     "Monique", "Nadège",   "Nathalie", "Regula",     "Rosmarie", "Sandrine", "Seraina",
     "Ursina",  "Verena",   "Vreni",    "Yvonne"});
constexpr auto kSwissFamilies = std::to_array<Word>(
    {"Aebischer", "Bernasconi", "Bühler",  "Burri",       "Caduff",   "Chappuis",
     "Duvoisin",  "Egger",      "Favre",   "Fontana",     "Frei",     "Gerber",
     "Girard",    "Hürlimann",  "Jaquet",  "Keller",      "Küng",     "Lüthi",
     "Meier",     "Monnier",    "Nägeli",  "Perret",      "Ramseier", "Rochat",
     "Schärer",   "Studer",     "Tschanz", "Vuilleumier", "Wüthrich", "Zürcher"});

constexpr auto kDutchMen =
    std::to_array<Word>({"Anton",  "Bart",   "Bas",    "Cees",    "Daan",    "Dirk",   "Evert",
                         "Floris", "Gerrit", "Guus",   "Hendrik", "Jelle",   "Jeroen", "Joost",
                         "Joris",  "Kees",   "Koen",   "Lars",    "Maarten", "Niels",  "Pieter",
                         "Ruben",  "Rutger", "Sander", "Sjoerd",  "Teun",    "Tijmen", "Wouter"});
constexpr auto kDutchWomen = std::to_array<Word>(
    {"Anke",   "Annemiek", "Anouk",   "Brechtje", "Carlijn", "Daniëlle",   "Eefje",
     "Femke",  "Floortje", "Hanneke", "Ilse",     "Ineke",   "Jantien",    "Joke",
     "Lieke",  "Loes",     "Lotte",   "Maaike",   "Marijke", "Mieke",      "Noor",
     "Saskia", "Sanne",    "Tessa",   "Trijntje", "Veerle",  "Wilhelmina", "Zoë"});
constexpr auto kDutchFamilies = std::to_array<Word>(
    {"Bakker",       "Beekman",      "Boersma",  "Bosch",       "Brouwer",  "De Boer",
     "De Graaf",     "De Wit",       "Dekker",   "Dijkstra",    "Groen",    "Haverkamp",
     "Hoekstra",     "Jansen",       "Koster",   "Kuiper",      "Meijer",   "Mulder",
     "Postma",       "Schouten",     "Smit",     "Ten Brink",   "Van Beek", "Van Dam",
     "Van den Berg", "Van der Meer", "Van Dijk", "Van Leeuwen", "Veenstra", "Verhoeven",
     "Visser",       "Zijlstra"});

constexpr auto kDanishMen = std::to_array<Word>(
    {"Anders",  "Asger",  "Bjarne", "Bo",    "Carsten", "Emil",  "Esben",  "Frederik",
     "Hjalmar", "Jeppe",  "Jørgen", "Kaj",   "Kasper",  "Kjeld", "Lasse",  "Magnus",
     "Mads",    "Mikkel", "Niels",  "Palle", "Rasmus",  "Søren", "Tobias", "Troels"});
constexpr auto kDanishWomen = std::to_array<Word>(
    {"Agnete", "Anne",  "Astrid",   "Birgitte", "Bodil",   "Cecilie", "Ditte", "Ellen",
     "Freja",  "Gerda", "Inge",     "Karen",    "Kirsten", "Lærke",   "Lone",  "Maja",
     "Malene", "Mette", "Pernille", "Rikke",    "Signe",   "Sidsel",  "Søs",   "Tove"});
constexpr auto kDanishFamilies = std::to_array<Word>(
    {"Andersen", "Bach",       "Bjerregaard", "Bruun",  "Christiansen", "Dahl",        "Eriksen",
     "Frandsen", "Friis",      "Gregersen",   "Hansen", "Højgaard",     "Iversen",     "Jespersen",
     "Kjær",     "Knudsen",    "Krogh",       "Lund",   "Mikkelsen",    "Mørk",        "Nørgaard",
     "Olesen",   "Østergaard", "Poulsen",     "Skov",   "Sørensen",     "Vestergaard", "Winther"});

constexpr auto kNorwegianMen = std::to_array<Word>(
    {"Aksel",  "Arne",    "Bjørn",  "Eirik",  "Einar",    "Finn",     "Gunnar", "Håkon", "Halvor",
     "Ivar",   "Jostein", "Kåre",   "Ketil",  "Kristian", "Leif",     "Morten", "Odd",   "Ole",
     "Øyvind", "Rolf",    "Sigurd", "Sindre", "Terje",    "Torbjørn", "Trygve"});
constexpr auto kNorwegianWomen = std::to_array<Word>(
    {"Anette", "Aslaug",   "Berit",  "Bente",   "Elin",    "Frøydis", "Gro",   "Guro", "Hedda",
     "Hilde",  "Ingeborg", "Ingrid", "Kari",    "Liv",     "Maren",   "Marit", "Nina", "Ragnhild",
     "Randi",  "Sigrun",   "Siv",    "Solveig", "Synnøve", "Tonje",   "Åse"});
constexpr auto kNorwegianFamilies = std::to_array<Word>(
    {"Aasen",  "Bakken",  "Berge",    "Bjørnstad", "Brekke", "Bøe",     "Dahle",   "Eide",
     "Fjeld",  "Fossum",  "Grønvold", "Hagen",     "Haugen", "Helland", "Hovland", "Jørgensen",
     "Kvamme", "Lien",    "Løken",    "Moen",      "Myhre",  "Nygård",  "Ødegård", "Rønning",
     "Sæther", "Sandvik", "Solberg",  "Strand",    "Tangen", "Viken"});

constexpr auto kFinnishMen = std::to_array<Word>(
    {"Aarne", "Antti",  "Arttu",  "Eero",  "Eetu",   "Hannu", "Heikki", "Ilmari", "Jarkko",
     "Jorma", "Juhani", "Kalevi", "Kimmo", "Lauri",  "Mikko", "Olli",   "Otso",   "Pekka",
     "Risto", "Sampo",  "Seppo",  "Tapio", "Tuomas", "Väinö", "Yrjö"});
constexpr auto kFinnishWomen = std::to_array<Word>(
    {"Aada",  "Aino",    "Anneli", "Eeva",   "Hanna",    "Helmi",    "Hilkka", "Iida",  "Inkeri",
     "Jenni", "Kaarina", "Kerttu", "Lahja",  "Leena",    "Marjatta", "Merja",  "Minna", "Pirkko",
     "Päivi", "Riitta",  "Saara",  "Sirkka", "Tuulikki", "Venla",    "Vieno"});
constexpr auto kFinnishFamilies = std::to_array<Word>(
    {"Aaltonen", "Ahonen",   "Hakala",      "Hämäläinen", "Heikkinen", "Hiltunen",
     "Jokinen",  "Kallio",   "Karjalainen", "Kinnunen",   "Koivisto",  "Korpela",
     "Laine",    "Lehtonen", "Leppänen",    "Mäkelä",     "Mäkinen",   "Mattila",
     "Niemi",    "Nieminen", "Ojala",       "Peltonen",   "Pitkänen",  "Rantanen",
     "Räsänen",  "Salminen", "Savolainen",  "Tuominen",   "Väisänen",  "Virtanen"});

constexpr auto kSpanishMen = std::to_array<Word>(
    {"Adrián",  "Agustín", "Alejandro", "Álvaro",  "Andrés",   "Benjamín", "Carlos", "César",
     "Diego",   "Emilio",  "Enrique",   "Esteban", "Fernando", "Gonzalo",  "Héctor", "Ignacio",
     "Iván",    "Javier",  "Joaquín",   "José",    "Julián",   "Luis",     "Martín", "Mateo",
     "Nicolás", "Óscar",   "Pablo",     "Ramón",   "Raúl",     "Rubén",    "Tomás",  "Víctor"});
constexpr auto kSpanishWomen = std::to_array<Word>(
    {"Alba",    "Alicia",   "Ana",     "Ángela",  "Begoña",    "Blanca",   "Carmen",
     "Cecilia", "Consuelo", "Dolores", "Elena",   "Esperanza", "Gabriela", "Guadalupe",
     "Inés",    "Irene",    "Isabel",  "Jimena",  "Josefina",  "Lucía",    "Luz",
     "María",   "Marisol",  "Mónica",  "Noelia",  "Nuria",     "Paloma",   "Pilar",
     "Rocío",   "Sofía",    "Teresa",  "Verónica"});
constexpr auto kSpanishFamilies = std::to_array<Word>(
    {"Aguilar",   "Álvarez",   "Arroyo",    "Benítez", "Calderón", "Castañeda", "Delgado",
     "Domínguez", "Espinosa",  "Fernández", "Fuentes", "Gálvez",   "García",    "Gómez",
     "Guerrero",  "Hernández", "Ibáñez",    "Jiménez", "López",    "Márquez",   "Méndez",
     "Montoya",   "Muñoz",     "Navarro",   "Núñez",   "Ortega",   "Peña",      "Pérez",
     "Ramírez",   "Ríos",      "Rodríguez", "Salinas", "Sánchez",  "Suárez",    "Téllez",
     "Vázquez",   "Yáñez",     "Zamora"});

constexpr auto kBrazilianMen = std::to_array<Word>(
    {"Afonso",  "André",  "Antônio", "Augusto", "Caio",    "Danilo", "Davi",
     "Estêvão", "Fábio",  "Flávio",  "Gaspar",  "Heitor",  "João",   "Jorge",
     "Leandro", "Luís",   "Marcelo", "Márcio",  "Matheus", "Murilo", "Otávio",
     "Rafael",  "Renato", "Rogério", "Sérgio",  "Thiago",  "Valdir", "Vinícius"});
constexpr auto kBrazilianWomen = std::to_array<Word>(
    {"Aline",   "Ana",      "Beatriz",  "Bruna",   "Camila",  "Cláudia", "Conceição",
     "Débora",  "Eduarda",  "Fernanda", "Flávia",  "Giovana", "Heloísa", "Isadora",
     "Janaína", "Júlia",    "Larissa",  "Letícia", "Lívia",   "Luana",   "Mariana",
     "Natália", "Patrícia", "Rafaela",  "Simone",  "Sônia",   "Tatiana", "Vitória"});
constexpr auto kBrazilianFamilies = std::to_array<Word>(
    {"Almeida",  "Andrade",  "Araújo",    "Assunção",   "Azevedo",   "Barros",   "Brandão",
     "Cardoso",  "Carvalho", "Conceição", "Correia",    "da Costa",  "da Silva", "dos Santos",
     "Falcão",   "Ferreira", "Fonseca",   "Gonçalves",  "Guimarães", "Leitão",   "Magalhães",
     "Mendonça", "Moraes",   "Nogueira",  "Oliveira",   "Paixão",    "Pereira",  "Ribeiro",
     "Simões",   "Teixeira", "Valença",   "Vasconcelos"});

constexpr auto kSerbianMen = std::to_array<Word>(
    {"Александар", "Богдан",   "Вељко",  "Вук",   "Димитрије", "Душан",   "Ђорђе",
     "Зоран",      "Јован",    "Лазар",  "Лука",  "Љубомир",   "Марко",   "Милош",
     "Михајло",    "Немања",   "Никола", "Огњен", "Петар",     "Радован", "Срђан",
     "Стефан",     "Страхиња", "Урош",   "Филип"});
constexpr auto kSerbianWomen = std::to_array<Word>(
    {"Ана",    "Биљана", "Весна",    "Драгана", "Дуња",   "Зорица",  "Ивана", "Исидора", "Јасмина",
     "Јелена", "Јована", "Катарина", "Ленка",   "Љиљана", "Марија",  "Маша",  "Милица",  "Наташа",
     "Невена", "Нина",   "Сара",     "Снежана", "Софија", "Теодора", "Тијана"});
constexpr auto kSerbianFamilies = std::to_array<Word>(
    {"Антић",  "Благојевић", "Богдановић", "Васић",      "Вуковић",  "Гајић",
     "Грујић", "Ђорђевић",   "Живковић",   "Илић",       "Јанковић", "Јовановић",
     "Костић", "Лазић",      "Љубичић",    "Марковић",   "Матић",    "Милошевић",
     "Нешић",  "Николић",    "Обрадовић",  "Павловић",   "Петровић", "Радић",
     "Савић",  "Симић",      "Станковић",  "Стојановић", "Тадић",    "Цветковић"});

constexpr auto kTurkishMen =
    std::to_array<Word>({"Ahmet", "Alparslan", "Barış",  "Bülent", "Cem",     "Çağatay", "Doğan",
                         "Emre",  "Ertuğrul",  "Fatih",  "Gökhan", "Hüseyin", "İbrahim", "İsmail",
                         "Kağan", "Koray",     "Levent", "Mehmet", "Mustafa", "Oğuz",    "Onur",
                         "Ömer",  "Serkan",    "Şahin",  "Tolga",  "Uğur",    "Volkan",  "Yiğit"});
constexpr auto kTurkishWomen = std::to_array<Word>(
    {"Ayşe",  "Aslı",  "Başak",  "Burcu", "Cansu", "Çiğdem",  "Deniz",  "Ebru",   "Elif",  "Esra",
     "Fatma", "Gamze", "Gülşen", "Hülya", "İpek",  "Işıl",    "Melek",  "Meltem", "Nazlı", "Özlem",
     "Pınar", "Sevgi", "Songül", "Şule",  "Tuğba", "Yasemin", "Yıldız", "Zeynep"});
constexpr auto kTurkishFamilies = std::to_array<Word>(
    {"Acar",  "Aksoy",  "Arslan",  "Avcı",   "Aydın",   "Bozkurt",  "Çakır",   "Çelik",
     "Demir", "Doğan",  "Erdoğdu", "Güneş",  "Ilgaz",   "Kaplan",   "Karagöz", "Kaya",
     "Kılıç", "Koç",    "Korkmaz", "Öztürk", "Özdemir", "Polat",    "Şahin",   "Şen",
     "Taş",   "Toprak", "Uçar",    "Ünal",   "Yalçın",  "Yıldırım", "Yılmaz",  "Yücel"});

constexpr auto kUkrainianMen = std::to_array<Word>(
    {"Андрій",   "Богдан", "Василь", "Віктор", "Володимир", "Геннадій", "Гнат",
     "Григорій", "Дмитро", "Євген",  "Захар",  "Іван",      "Ігор",     "Кирило",
     "Левко",    "Максим", "Микола", "Назар",  "Олександр", "Остап",    "Павло",
     "Роман",    "Сергій", "Тарас",  "Федір",  "Юрій",      "Ярослав"});
constexpr auto kUkrainianWomen = std::to_array<Word>(
    {"Алла",     "Анастасія", "Богдана", "Валентина", "Вікторія", "Ганна",  "Дарина",
     "Євгенія",  "Зоряна",    "Ірина",   "Катерина",  "Леся",     "Любов",  "Марія",
     "Надія",    "Наталія",   "Оксана",  "Олена",     "Ольга",    "Поліна", "Руслана",
     "Світлана", "Соломія",   "Тетяна",  "Уляна",     "Христина", "Ярина"});
constexpr auto kUkrainianFamilies = std::to_array<Word>(
    {"Бондаренко", "Бойко",    "Василенко", "Вовк",      "Гаврилюк", "Гнатюк",   "Гончар",
     "Гриценко",   "Данилюк",  "Дорошенко", "Євтушенко", "Журавель", "Захарчук", "Іваненко",
     "Ільченко",   "Коваль",   "Кравчук",   "Лисенко",   "Марченко", "Мельник",  "Назаренко",
     "Олійник",    "Павлюк",   "Петренко",  "Романюк",   "Савченко", "Ткаченко", "Ущенко",
     "Федорчук",   "Чорновіл", "Шевчук",    "Яценко"});

constexpr auto kPersianMen = std::to_array<Word>(
    {"آرش",   "آرمان",  "احمد", "امیر",   "بابک", "بهرام", "بیژن",  "پرویز", "پویا",
     "جمشید", "حسن",    "خسرو", "داریوش", "رضا",  "سعید",  "سهراب", "شاهین", "علی",
     "فرهاد", "کامران", "کاوه", "کوروش",  "محمد", "مهدی",  "ناصر",  "هوشنگ"});
constexpr auto kPersianWomen = std::to_array<Word>(
    {"آناهیتا", "آیدا",  "الهام", "بهار",   "پروین", "پریسا", "ترانه", "زهرا",  "ژاله",
     "سارا",    "سپیده", "ستاره", "سیمین",  "شیرین", "فاطمه", "فرشته", "گلناز", "لیلا",
     "مریم",    "مهتاب", "مینا",  "نازنین", "نرگس",  "نسرین", "نگار",  "یاسمن"});
constexpr auto kPersianFamilies = std::to_array<Word>({"احمدی",  "اکبری",
                                                       "امینی",  "باقری",
                                                       "بهرامی", "پارسا",
                                                       "ترابی",  "جعفری",
                                                       "حسینی",  "خسروی",
                                                       "داوودی", "رستمی",
                                                       "رضایی",  "زند",
                                                       "سعیدی",  "سلطانی",
                                                       "شریفی",  "صادقی",
                                                       "طاهری",  "عباسی",
                                                       "غلامی",  "فرهادی",
                                                       "قاسمی",  "کاظمی",
                                                       "کریمی",  "گل‌محمدی",
                                                       "محمدی",  "مرادی",
                                                       "نوری",   "هاشمی",
                                                       "یزدانی"});

constexpr auto kIndianMen = std::to_array<Word>(
    {"Aarav",   "Abhinav",  "Aditya",    "Anand",  "Arjun",  "Ashok",   "Devendra",
     "Dhruv",   "Ganesh",   "Gopal",     "Harish", "Ishaan", "Jayesh",  "Karthik",
     "Krishna", "Lakshman", "Manoj",     "Mohan",  "Naveen", "Prakash", "Rahul",
     "Rajesh",  "Sanjay",   "Siddharth", "Suresh", "Tejas",  "Varun",   "Vikram"});
constexpr auto kIndianWomen = std::to_array<Word>(
    {"Aishwarya", "Ananya", "Anjali",  "Bhavana", "Chitra", "Deepika", "Divya",
     "Gayatri",   "Ishita", "Jyoti",   "Kalpana", "Kavita", "Lakshmi", "Lavanya",
     "Madhuri",   "Meera",  "Nandini", "Nisha",   "Padma",  "Pooja",   "Priya",
     "Radhika",   "Rekha",  "Sarita",  "Shreya",  "Sunita", "Usha",    "Vidya"});
constexpr auto kIndianFamilies = std::to_array<Word>(
    {"Agarwal",   "Banerjee",   "Bhat",    "Bose",   "Chatterjee", "Chauhan",   "Desai",
     "Deshpande", "Dutta",      "Ghosh",   "Gupta",  "Iyer",       "Joshi",     "Kapoor",
     "Kulkarni",  "Kumar",      "Mehta",   "Menon",  "Mishra",     "Mukherjee", "Naidu",
     "Nair",      "Pandey",     "Patel",   "Pillai", "Rao",        "Reddy",     "Sharma",
     "Singh",     "Srinivasan", "Trivedi", "Verma"});

}  // namespace

constinit const People kEnglish{kEnglishMen, kEnglishWomen, kEnglishFamilies};
constinit const People kFrench{kFrenchMen, kFrenchWomen, kFrenchFamilies};
constinit const People kGerman{kGermanMen, kGermanWomen, kGermanFamilies};
constinit const People kSwiss{kSwissMen, kSwissWomen, kSwissFamilies};
constinit const People kDutch{kDutchMen, kDutchWomen, kDutchFamilies};
constinit const People kDanish{kDanishMen, kDanishWomen, kDanishFamilies};
constinit const People kNorwegian{kNorwegianMen, kNorwegianWomen, kNorwegianFamilies};
constinit const People kFinnish{kFinnishMen, kFinnishWomen, kFinnishFamilies};
constinit const People kSpanish{kSpanishMen, kSpanishWomen, kSpanishFamilies};
constinit const People kBrazilian{kBrazilianMen, kBrazilianWomen, kBrazilianFamilies};
constinit const People kSerbian{kSerbianMen, kSerbianWomen, kSerbianFamilies};
constinit const People kTurkish{kTurkishMen, kTurkishWomen, kTurkishFamilies};
constinit const People kUkrainian{kUkrainianMen, kUkrainianWomen, kUkrainianFamilies};
constinit const People kPersian{kPersianMen, kPersianWomen, kPersianFamilies};
constinit const People kIndian{kIndianMen, kIndianWomen, kIndianFamilies};

}  // namespace millrace::source
