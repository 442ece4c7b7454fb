#include <array>

#include "source/sample_names.h"

namespace millrace::source {

namespace {

using Word = std::string_view;

constexpr auto kAuCities =
    std::to_array<Word>({"Adelaide", "Albany", "Ballarat", "Bendigo", "Brisbane", "Bunbury",
                         "Cairns", "Canberra", "Darwin", "Dubbo", "Geelong", "Hobart", "Launceston",
                         "Mackay", "Melbourne", "Newcastle", "Perth", "Wollongong"});
constexpr auto kAuStates = std::to_array<Word>(
    {"Australian Capital Territory", "New South Wales", "Northern Territory", "Queensland",
     "South Australia", "Tasmania", "Victoria", "Western Australia"});
constexpr auto kAuStreets = std::to_array<Word>(
    {"Banksia Road", "Bay Street", "Bluegum Drive", "Collins Place", "Currawong Crescent",
     "Eucalypt Avenue", "Gold Rush Lane", "Harbour Parade", "Jetty Road", "Magpie Court",
     "Outlook Drive", "Station Street", "Wattle Street", "Wombat Way"});

constexpr auto kBrCities = std::to_array<Word>(
    {"Belém",    "Belo Horizonte", "Brasília",      "Caxias do Sul", "Cuiabá",
     "Curitiba", "Fortaleza",      "Foz do Iguaçu", "Goiânia",       "João Pessoa",
     "Londrina", "Maceió",         "Manaus",        "Niterói",       "Porto Alegre",
     "Recife",   "Salvador",       "São Luís",      "São Paulo",     "Uberlândia"});
constexpr auto kBrStates =
    std::to_array<Word>({"Acre", "Alagoas", "Amazonas", "Bahia", "Espírito Santo", "Goiás",
                         "Maranhão", "Minas Gerais", "Pará", "Paraíba", "Paraná", "Pernambuco",
                         "Rondônia", "Santa Catarina", "São Paulo", "Sergipe"});
constexpr auto kBrStreets = std::to_array<Word>(
    {"Avenida Atlântica", "Avenida da Estação", "Avenida das Palmeiras", "Ladeira da Fonte",
     "Praça do Mercado", "Rua Aurora", "Rua das Acácias", "Rua das Mangueiras", "Rua do Farol",
     "Rua do Sabiá", "Rua Nova", "Rua São João", "Travessa da Serra", "Travessa do Engenho"});

constexpr auto kCaCities =
    std::to_array<Word>({"Calgary",   "Charlottetown",  "Edmonton",  "Fredericton", "Gatineau",
                         "Halifax",   "Hamilton",       "Kelowna",   "Kingston",    "Montréal",
                         "Moose Jaw", "Ottawa",         "Québec",    "Regina",      "Saskatoon",
                         "Toronto",   "Trois-Rivières", "Vancouver", "Whitehorse",  "Winnipeg"});
constexpr auto kCaStates =
    std::to_array<Word>({"Alberta", "British Columbia", "Manitoba", "New Brunswick",
                         "Newfoundland and Labrador", "Nova Scotia", "Nunavut", "Ontario",
                         "Prince Edward Island", "Québec", "Saskatchewan", "Yukon"});
constexpr auto kCaStreets = std::to_array<Word>(
    {"Beaver Lane", "Birch Avenue", "Chemin du Lac", "Cedar Crescent", "Dundas Street",
     "Glacier Drive", "Lakeshore Boulevard", "Loon Lake Road", "Maple Street", "Portage Avenue",
     "Rue de l'Érable", "Spruce Street", "Trillium Way", "Yonge Road"});

constexpr auto kChCities = std::to_array<Word>(
    {"Aarau",    "Basel",     "Bellinzona",   "Bern",  "Biel/Bienne",       "Chur",     "Davos",
     "Delémont", "Fribourg",  "Genève",       "Köniz", "La Chaux-de-Fonds", "Lausanne", "Locarno",
     "Luzern",   "Neuchâtel", "Schaffhausen", "Sion",  "St. Gallen",        "Zürich"});
constexpr auto kChStates =
    std::to_array<Word>({"Aargau", "Appenzell Ausserrhoden", "Bern", "Fribourg", "Genève", "Glarus",
                         "Graubünden", "Jura", "Neuchâtel", "Nidwalden", "Schwyz", "Solothurn",
                         "Thurgau", "Ticino", "Uri", "Valais", "Vaud", "Zürich"});
constexpr auto kChStreets = std::to_array<Word>(
    {"Alpenblickstrasse", "Bahnhofstrasse", "Chemin des Vignes", "Dorfgasse", "Grand-Rue",
     "Mühleweg", "Place du Marché", "Quai du Lac", "Route de Berne", "Rue du Pont", "Seestrasse",
     "Untere Bündt", "Via al Lago", "Zelgliweg"});

constexpr auto kDeCities =
    std::to_array<Word>({"Aachen",    "Augsburg",   "Berlin",      "Bremen",
                         "Dresden",   "Düsseldorf", "Erfurt",      "Freiburg im Breisgau",
                         "Göttingen", "Hamburg",    "Köln",        "Leipzig",
                         "Lübeck",    "Mainz",      "München",     "Münster",
                         "Nürnberg",  "Osnabrück",  "Saarbrücken", "Würzburg"});
constexpr auto kDeStates = std::to_array<Word>(
    {"Baden-Württemberg", "Bayern", "Berlin", "Brandenburg", "Bremen", "Hamburg", "Hessen",
     "Mecklenburg-Vorpommern", "Niedersachsen", "Nordrhein-Westfalen", "Rheinland-Pfalz",
     "Saarland", "Sachsen", "Sachsen-Anhalt", "Schleswig-Holstein", "Thüringen"});
constexpr auto kDeStreets =
    std::to_array<Word>({"Am Mühlbach", "Amselweg", "An der Brücke", "Bäckergasse", "Bergstraße",
                         "Gartenstraße", "Grüner Weg", "Hauptstraße", "Kirchgasse", "Königsallee",
                         "Lindenstraße", "Marktplatz", "Schloßstraße", "Weinbergsweg"});

constexpr auto kDkCities = std::to_array<Word>(
    {"Aabenraa",   "Aalborg",  "Aarhus C", "Billund", "Esbjerg",    "Fredericia",  "Helsingør",
     "Herning",    "Hjørring", "Holbæk",   "Horsens", "Køge",       "København S", "Næstved",
     "Nykøbing F", "Odense",   "Randers",  "Rønne",   "Sønderborg", "Viborg"});
constexpr auto kDkStates =
    std::to_array<Word>({"Hovedstaden", "Midtjylland", "Nordjylland", "Sjælland", "Syddanmark"});
constexpr auto kDkStreets =
    std::to_array<Word>({"Birkevej", "Bøgevænget", "Engvej", "Fjordgade", "Grønnegade", "Havnegade",
                         "Kirkestræde", "Møllevej", "Nørregade", "Skovbrynet", "Solbakken",
                         "Søndergade", "Åboulevarden", "Østergade"});

constexpr auto kEsCities = std::to_array<Word>(
    {"A Coruña",  "Alicante",      "Almería", "Barcelona", "Bilbao",   "Cádiz",   "Córdoba",
     "Gijón",     "León",          "Logroño", "Madrid",    "Málaga",   "Murcia",  "Oviedo",
     "Salamanca", "San Sebastián", "Sevilla", "Toledo",    "Valencia", "Zaragoza"});
constexpr auto kEsStates =
    std::to_array<Word>({"Andalucía", "Aragón", "Asturias", "Canarias", "Cantabria",
                         "Castilla y León", "Castilla-La Mancha", "Cataluña", "Extremadura",
                         "Galicia", "La Rioja", "Madrid", "Navarra", "País Vasco"});
constexpr auto kEsStreets = std::to_array<Word>(
    {"Avenida de la Estación", "Avenida del Mar", "Calle de la Luna", "Calle de los Olivos",
     "Calle del Sol", "Calle Mayor", "Calle Nueva", "Calle San Andrés", "Callejón del Muñeco",
     "Camino del Río", "Paseo de la Alameda", "Plaza de España", "Ronda Norte",
     "Travesía del Jardín"});

constexpr auto kFiCities = std::to_array<Word>(
    {"Espoo",     "Hämeenlinna", "Helsinki",     "Iisalmi", "Jyväskylä", "Kemijärvi", "Kokkola",
     "Kuopio",    "Lahti",       "Lappeenranta", "Mikkeli", "Oulu",      "Pori",      "Porvoo",
     "Rovaniemi", "Savonlinna",  "Seinäjoki",    "Tampere", "Turku",     "Vaasa"});
constexpr auto kFiStates =
    std::to_array<Word>({"Central Finland", "Kainuu", "Kymenlaakso", "Lapland",
                         "North Ostrobothnia", "Ostrobothnia", "Pirkanmaa", "Päijänne Tavastia",
                         "Satakunta", "South Karelia", "South Savo", "Southwest Finland"});
constexpr auto kFiStreets = std::to_array<Word>(
    {"Asemakatu", "Harjutie", "Järvenranta", "Kauppakatu", "Kirkkotie", "Koivukuja", "Koulukatu",
     "Lehtotie", "Mäntytie", "Niittykatu", "Puistokatu", "Rantatie", "Satamakatu", "Säveltie"});

constexpr auto kFrCities = std::to_array<Word>(
    {"Amiens", "Angers",   "Annecy",    "Avignon",  "Besançon",      "Brest",   "Caen",
     "Dijon",  "Grenoble", "Le Havre",  "Lille",    "Limoges",       "Lyon",    "Nancy",
     "Nîmes",  "Orléans",  "Perpignan", "Poitiers", "Saint-Étienne", "Toulouse"});
constexpr auto kFrStates =
    std::to_array<Word>({"Ardèche", "Bouches-du-Rhône", "Calvados", "Côte-d'Or", "Dordogne",
                         "Finistère", "Gironde", "Hérault", "Isère", "Loire-Atlantique", "Lozère",
                         "Morbihan", "Puy-de-Dôme", "Rhône", "Savoie", "Vendée"});
constexpr auto kFrStreets = std::to_array<Word>(
    {"Allée des Tilleuls", "Avenue de la Gare", "Avenue des Peupliers", "Boulevard du Midi",
     "Chemin de Traverse", "Impasse du Moulin", "Place de l'Église", "Quai des Brumes",
     "Rue de l'Étang", "Rue des Forgerons", "Rue du Château", "Rue du Marché", "Rue Haute",
     "Rue Saint-Honorat"});

constexpr auto kGbCities = std::to_array<Word>(
    {"Aberdeen", "Bath",       "Belfast", "Birmingham", "Bristol", "Cambridge", "Cardiff",
     "Derby",    "Dundee",     "Durham",  "Edinburgh",  "Exeter",  "Glasgow",   "Leeds",
     "London",   "Manchester", "Norwich", "Plymouth",   "Swansea", "York"});
constexpr auto kGbStates =
    std::to_array<Word>({"Berkshire", "Cambridgeshire", "Cheshire", "Cornwall", "County Antrim",
                         "Cumbria", "Devon", "Dyfed", "Essex", "Fife", "Highlands and Islands",
                         "Kent", "Lancashire", "Norfolk", "Powys", "Suffolk"});
constexpr auto kGbStreets = std::to_array<Word>(
    {"Abbey Road", "Canal Street", "Castle Hill", "Chapel Lane", "Church Street", "Grange Road",
     "Green Lane", "High Street", "Mill Road", "Orchard Close", "Queensway", "School Lane",
     "The Crescent", "Victoria Road"});

constexpr auto kIeCities =
    std::to_array<Word>({"Arklow", "Athlone", "Ballina", "Carlow", "Clonmel", "Cork", "Drogheda",
                         "Dublin", "Dún Laoghaire", "Ennis", "Galway", "Kilkenny", "Letterkenny",
                         "Limerick", "Sligo", "Tralee", "Waterford", "Wexford"});
constexpr auto kIeStates = std::to_array<Word>(
    {"Carlow", "Cavan", "Clare", "Donegal", "Dublin", "Kerry", "Kildare", "Laois", "Leitrim",
     "Mayo", "Meath", "Offaly", "Roscommon", "Tipperary", "Waterford", "Wicklow"});
constexpr auto kIeStreets = std::to_array<Word>(
    {"Abbey Street", "Bridge Street", "Castle Road", "Chapel Hill", "Fair Green", "Harbour View",
     "Main Street", "Market Square", "Meadow Lane", "O'Brien's Row", "Patrick Street",
     "Quay Street", "The Square", "Woodlands Drive"});

constexpr auto kInCities = std::to_array<Word>(
    {"Ahmedabad", "Bengaluru", "Bhopal", "Bhubaneswar", "Chandigarh", "Chennai", "Coimbatore",
     "Guwahati",  "Hyderabad", "Indore", "Jaipur",      "Kochi",      "Kolkata", "Lucknow",
     "Madurai",   "Mumbai",    "Mysuru", "Nagpur",      "Pune",       "Varanasi"});
constexpr auto kInStates =
    std::to_array<Word>({"Andhra Pradesh", "Assam", "Bihar", "Goa", "Himachal Pradesh", "Jharkhand",
                         "Karnataka", "Kerala", "Madhya Pradesh", "Maharashtra", "Odisha", "Punjab",
                         "Rajasthan", "Tamil Nadu", "Uttarakhand", "West Bengal"});
constexpr auto kInStreets = std::to_array<Word>(
    {"Ashoka Marg", "Bazaar Street", "Chandni Gali", "Gandhi Nagar", "Lake Road", "Lal Bagh Road",
     "Mandir Marg", "Mango Grove Rd", "Nehru Path", "Park Street", "Rajaji Salai", "Ring Road",
     "Sadar Bazaar", "Temple Road"});

constexpr auto kIrCities =
    std::to_array<Word>({"اراک",  "اردبیل", "ارومیه",   "اصفهان", "اهواز", "بندرعباس", "بوشهر",
                         "تبریز", "تهران",  "رشت",      "زاهدان", "سنندج", "شیراز",    "قزوین",
                         "قم",    "کرمان",  "کرمانشاه", "مشهد",   "همدان", "یزد"});
constexpr auto kIrStates = std::to_array<Word>(
    {"آذربایجان شرقی", "اصفهان", "ایلام", "بوشهر", "تهران", "چهارمحال و بختیاری", "خراسان رضوی",
     "خوزستان", "سمنان", "سیستان و بلوچستان", "فارس", "کردستان", "گلستان", "گیلان", "لرستان",
     "مازندران"});
constexpr auto kIrStreets = std::to_array<Word>(
    {"آزادی", "بهارستان", "چهارراه گلستان", "خیابان ساحل", "سعدی", "شهید بهشتی", "فردوسی",
     "کوچه باغ", "گلها", "میدان انقلاب", "میرداماد", "نیلوفر", "ولیعصر", "یاس"});

constexpr auto kMxCities =
    std::to_array<Word>({"Acapulco", "Aguascalientes", "Campeche",    "Cancún",     "Chihuahua",
                         "Culiacán", "Durango",        "Guadalajara", "Guanajuato", "Hermosillo",
                         "León",     "Mazatlán",       "Mérida",      "Monterrey",  "Morelia",
                         "Oaxaca",   "Puebla",         "Querétaro",   "Tijuana",    "Xalapa"});
constexpr auto kMxStates =
    std::to_array<Word>({"Baja California", "Chiapas", "Coahuila", "Colima", "Estado de México",
                         "Guerrero", "Hidalgo", "Jalisco", "Michoacán", "Nayarit", "Nuevo León",
                         "Quintana Roo", "San Luis Potosí", "Tabasco", "Yucatán", "Zacatecas"});
constexpr auto kMxStreets = std::to_array<Word>(
    {"Andador del Bosque", "Avenida de los Insurgentes", "Boulevard de la Independencia",
     "Calle Cinco de Mayo", "Calle de la Cañada", "Calzada del Águila", "Callejón del Beso",
     "Camino a la Presa", "Cerrada del Quetzal", "Circuito del Volcán", "Eje Vial Norte",
     "Privada Las Flores", "Prolongación Juárez", "Viaducto Sur"});

constexpr auto kNlCities =
    std::to_array<Word>({"'s-Hertogenbosch", "Alkmaar",   "Amersfoort", "Amsterdam",
                         "Arnhem",           "Assen",     "Breda",      "Delft",
                         "Den Haag",         "Eindhoven", "Groningen",  "Haarlem",
                         "Leeuwarden",       "Leiden",    "Maastricht", "Middelburg",
                         "Nijmegen",         "Rotterdam", "Utrecht",    "Zwolle"});
constexpr auto kNlStates = std::to_array<Word>(
    {"Drenthe", "Flevoland", "Friesland", "Gelderland", "Groningen", "Limburg", "Noord-Brabant",
     "Noord-Holland", "Overijssel", "Utrecht", "Zeeland", "Zuid-Holland"});
constexpr auto kNlStreets = std::to_array<Word>(
    {"Bloemgracht", "Brink", "Dijkweg", "Dorpsstraat", "Eikenlaan", "Havenkade", "Kerkstraat",
     "Koeweide", "Lijsterbeslaan", "Markt", "Molenweg", "Oude Singel", "Tulpstraat", "Wilgenpad"});

constexpr auto kNoCities = std::to_array<Word>(
    {"Ålesund",    "Bergen",  "Bodø",      "Drammen",      "Fredrikstad",  "Gjøvik",      "Hamar",
     "Hammerfest", "Harstad", "Haugesund", "Kristiansand", "Kristiansund", "Lillehammer", "Molde",
     "Oslo",       "Sandnes", "Skien",     "Stavanger",    "Tromsø",       "Trondheim"});
constexpr auto kNoStates = std::to_array<Word>(
    {"Agder", "Akershus", "Buskerud", "Finnmark", "Innlandet", "Møre og Romsdal", "Nordland",
     "Oslo", "Rogaland", "Telemark", "Troms", "Trøndelag", "Vestfold", "Vestland", "Østfold"});
constexpr auto kNoStreets = std::to_array<Word>(
    {"Bjørkeveien", "Elvegata", "Fjellveien", "Fjordgata", "Granstien", "Kirkegata", "Kongens vei",
     "Lyngveien", "Nedre Bakke", "Sjøgata", "Skolebakken", "Storgata", "Ulvefaret", "Østre torg"});

constexpr auto kNzCities = std::to_array<Word>(
    {"Auckland", "Blenheim", "Christchurch", "Dunedin", "Gisborne", "Hamilton", "Invercargill",
     "Masterton", "Napier", "Nelson", "New Plymouth", "Oamaru", "Palmerston North", "Rotorua",
     "Taupō", "Tauranga", "Wellington", "Whangārei"});
constexpr auto kNzStates =
    std::to_array<Word>({"Auckland", "Bay of Plenty", "Canterbury", "Gisborne", "Hawke's Bay",
                         "Manawatū-Whanganui", "Marlborough", "Nelson", "Northland", "Otago",
                         "Southland", "Taranaki", "Tasman", "Waikato", "Wellington", "West Coast"});
constexpr auto kNzStreets = std::to_array<Word>(
    {"Beach Road", "Cook Street", "Fern Grove", "Ferry Road", "Hill Street", "Kauri Lane",
     "Kōwhai Street", "Lighthouse Road", "Mountain View Road", "Rātā Street", "River Road",
     "Tūī Crescent", "Victoria Street", "Waterfront Drive"});

constexpr auto kRsCities = std::to_array<Word>(
    {"Београд",    "Бор",     "Ваљево",   "Врање",   "Зајечар", "Зрењанин",   "Јагодина",
     "Крагујевац", "Краљево", "Крушевац", "Лозница", "Ниш",     "Нови Пазар", "Нови Сад",
     "Панчево",    "Пирот",   "Суботица", "Ужице",   "Чачак",   "Шабац"});
constexpr auto kRsStates = std::to_array<Word>(
    {"Борски округ", "Браничевски округ", "Град Београд", "Зајечарски округ", "Златиборски округ",
     "Јужнобачки округ", "Колубарски округ", "Мачвански округ", "Моравички округ", "Нишавски округ",
     "Поморавски округ", "Расински округ", "Сремски округ", "Шумадијски округ"});
constexpr auto kRsStreets =
    std::to_array<Word>({"Булевар ослобођења", "Виноградска", "Гробљанска", "Железничка", "Жичка",
                         "Карађорђева", "Кнеза Милоша", "Липова", "Немањина", "Његошева",
                         "Светог Саве", "Трг слободе", "Хајдучка", "Шумадијска"});

constexpr auto kTrCities = std::to_array<Word>(
    {"Adana",      "Ankara", "Antalya", "Balıkesir", "Bursa",     "Çanakkale", "Denizli",
     "Diyarbakır", "Edirne", "Erzurum", "Eskişehir", "Gaziantep", "İstanbul",  "İzmir",
     "Kayseri",    "Konya",  "Muğla",   "Samsun",    "Şanlıurfa", "Trabzon"});
constexpr auto kTrStates = std::to_array<Word>(
    {"Afyonkarahisar", "Amasya", "Artvin", "Aydın", "Bingöl", "Bolu", "Çorum", "Elazığ", "Giresun",
     "Iğdır", "Isparta", "Kırklareli", "Nevşehir", "Niğde", "Rize", "Uşak"});
constexpr auto kTrStreets = std::to_array<Word>(
    {"Atatürk Bulvarı", "Bahçe Sokak", "Barış Caddesi", "Cumhuriyet Caddesi", "Çarşı Sokak",
     "Çınar Sokak", "Değirmen Yolu", "Fatih Caddesi", "Gül Sokak", "İskele Caddesi", "Kale Sokak",
     "Okul Caddesi", "Sahil Yolu", "Zeytinlik Sokak"});

constexpr auto kUaCities = std::to_array<Word>({"Біла Церква",
                                                "Вінниця",
                                                "Дніпро",
                                                "Житомир",
                                                "Запоріжжя",
                                                "Івано-Франківськ",
                                                "Кам'янець-Подільський",
                                                "Київ",
                                                "Кременчук",
                                                "Львів",
                                                "Миколаїв",
                                                "Одеса",
                                                "Полтава",
                                                "Рівне",
                                                "Суми",
                                                "Тернопіль",
                                                "Ужгород",
                                                "Харків",
                                                "Херсон",
                                                "Чернігів"});
constexpr auto kUaStates = std::to_array<Word>(
    {"Вінницька", "Волинська", "Дніпропетровська", "Житомирська", "Закарпатська",
     "Івано-Франківська", "Київська", "Львівська", "Одеська", "Полтавська", "Рівненська", "Сумська",
     "Харківська", "Черкаська", "Чернівецька", "Чернігівська"});
constexpr auto kUaStreets = std::to_array<Word>(
    {"бульвар Лесі Українки", "вулиця Вишнева", "вулиця Грушевського", "вулиця Джерельна",
     "вулиця Зелена", "вулиця Козацька", "вулиця Річкова", "вулиця Садова", "вулиця Франка",
     "площа Ринок", "проспект Миру", "проспект Свободи", "провулок Яблуневий", "узвіз Замковий"});

constexpr auto kUsCities = std::to_array<Word>(
    {"Albuquerque",  "Atlanta", "Austin",     "Baton Rouge", "Boise",    "Boston",  "Chicago",
     "Cleveland",    "Denver",  "Des Moines", "Detroit",     "Honolulu", "Memphis", "Minneapolis",
     "Philadelphia", "Phoenix", "Portland",   "Sacramento",  "Seattle",  "Tulsa"});
constexpr auto kUsStates =
    std::to_array<Word>({"Alabama", "Arizona", "California", "Colorado", "Florida", "Georgia",
                         "Illinois", "Iowa", "Kansas", "Maine", "Minnesota", "Montana",
                         "New Mexico", "Ohio", "Oregon", "Texas", "Vermont", "Washington"});
constexpr auto kUsStreets = std::to_array<Word>(
    {"Broadway", "Cherry Ln", "Chestnut St", "Creekside Dr", "Elm St", "Highland Ave", "Hickory Rd",
     "Jefferson Blvd", "Lincoln Ave", "Magnolia Way", "Oak Ridge Rd", "Prairie View Dr",
     "Sunset Blvd", "Walnut St"});

// clang-format off
constinit const Nation kNations[] = {
    {"AU", "Australia", kEnglish, kAuCities, kAuStates, kAuStreets,
     "0#-####-####", "04##-###-###", "TFN", "#########", "", 200, 9'999},
    {"BR", "Brazil", kBrazilian, kBrCities, kBrStates, kBrStreets,
     "(^#) ####-####", "(^#) ####-####", "CPF", "###.###.###-##", ""},
    {"CA", "Canada", kEnglish, kCaCities, kCaStates, kCaStreets,
     "^## ^##-####", "^## ^##-####", "SIN", "#########", "@#@ #@#"},
    {"CH", "Switzerland", kSwiss, kChCities, kChStates, kChStreets,
     "07^ ### ## ##", "07^ ### ## ##", "AVS", "756.####.####.##", "", 1'000, 9'999},
    {"DE", "Germany", kGerman, kDeCities, kDeStates, kDeStreets,
     "0###-#######", "017#-#######", "SVNR", "^# dmy @ ###", ""},
    {"DK", "Denmark", kDanish, kDkCities, kDkStates, kDkStreets,
     "^#######", "^#######", "CPR", "dmy-####", "", 1'000, 9'999},
    {"ES", "Spain", kSpanish, kEsCities, kEsStates, kEsStreets,
     "9##-###-###", "6##-###-###", "DNI", "########-@", ""},
    {"FI", "Finland", kFinnish, kFiCities, kFiStates, kFiStreets,
     "0^-###-###", "04#-###-##-##", "HETU", "dmy-###@", ""},
    {"FR", "France", kFrench, kFrCities, kFrStates, kFrStreets,
     "0^-##-##-##-##", "06-##-##-##-##", "INSEE", "sym######## ##", ""},
    {"GB", "United Kingdom", kEnglish, kGbCities, kGbStates, kGbStreets,
     "01### #####", "07### ######", "NINO", "@@ ## ## ## @", "@@^# #@@"},
    {"IE", "Ireland", kEnglish, kIeCities, kIeStates, kIeStreets,
     "0^1-###-####", "081-###-####", "PPS", "#######T", ""},
    {"IN", "India", kIndian, kInCities, kInStates, kInStreets,
     "9#########", "8#########", "UIDAI", "^###########", ""},
    {"IR", "Iran", kPersian, kIrCities, kIrStates, kIrStreets,
     "0^#-########", "09##-###-####", "", "", ""},
    {"MX", "Mexico", kSpanish, kMxCities, kMxStates, kMxStreets,
     "(6##) ### ####", "(6##) ### ####", "NSS", "## ## ## #### #", ""},
    {"NL", "Netherlands", kDutch, kNlCities, kNlStates, kNlStreets,
     "(0^#) #######", "(06) ########", "BSN", "########", "^### @@"},
    {"NO", "Norway", kNorwegian, kNoCities, kNoStates, kNoStreets,
     "^#######", "4#######", "FN", "dmy#####", "####"},
    {"NZ", "New Zealand", kEnglish, kNzCities, kNzStates, kNzStreets,
     "(^##)-###-####", "(^##)-###-####", "", "", ""},
    {"RS", "Serbia", kSerbian, kRsCities, kRsStates, kRsStreets,
     "0##-####-###", "06#-####-###", "SID", "#########", ""},
    {"TR", "Turkey", kTurkish, kTrCities, kTrStates, kTrStreets,
     "(^##)-###-####", "(5##)-###-####", "", "", ""},
    {"UA", "Ukraine", kUkrainian, kUaCities, kUaStates, kUaStreets,
     "(09^) @##-####", "(06^) @##-####", "", "", ""},
    {"US", "United States", kEnglish, kUsCities, kUsStates, kUsStreets,
     "(^##) ###-####", "(^##) ###-####", "SSN", "###-##-####", ""},
};
// clang-format on

}  // namespace

std::span<const Nation> nations() {
  return kNations;
}

}  // namespace millrace::source
