#include "source/ascii.h"

#include <array>
#include <utility>

namespace millrace::source {

namespace {

constexpr char32_t kLettersEnd = 0x800;  // where UTF-8 begins to take three bytes

// Letters, and how each of them is spelled.
constexpr std::pair<std::u32string_view, std::string_view> kSpellings[] = {
    // Latin
    {U"ÀÁÂÃÄÅĀĂĄàáâãäåāăą", "a"},
    {U"Ææ", "ae"},
    {U"ÇĆĈĊČçćĉċč", "c"},
    {U"ÐĎĐðďđ", "d"},
    {U"ÈÉÊËĒĔĖĘĚèéêëēĕėęě", "e"},
    {U"ĜĞĠĢĝğġģ", "g"},
    {U"ĤĦĥħ", "h"},
    {U"ÌÍÎÏĨĪĬĮİìíîïĩīĭįı", "i"},
    {U"ĹĻĽŁĺļľł", "l"},
    {U"ÑŃŅŇñńņň", "n"},
    {U"ÒÓÔÕÖØŌŎŐòóôõöøōŏő", "o"},
    {U"Œœ", "oe"},
    {U"ŔŖŘŕŗř", "r"},
    {U"ŚŜŞŠśŝşš", "s"},
    {U"ß", "ss"},
    {U"ŢŤţť", "t"},
    {U"Þþ", "th"},
    {U"ÙÚÛÜŨŪŬŮŰŲùúûüũūŭůűų", "u"},
    {U"ÝŸýÿ", "y"},
    {U"ŹŻŽźżž", "z"},
    // Cyrillic
    {U"Аа", "a"},
    {U"Бб", "b"},
    {U"Вв", "v"},
    {U"ГгҐґ", "g"},
    {U"Дд", "d"},
    {U"Ђђ", "dj"},
    {U"Ее", "e"},
    {U"Єє", "ye"},
    {U"Жж", "zh"},
    {U"Зз", "z"},
    {U"ИиІі", "i"},
    {U"Її", "yi"},
    {U"ЙйЈј", "j"},
    {U"Кк", "k"},
    {U"Лл", "l"},
    {U"Љљ", "lj"},
    {U"Мм", "m"},
    {U"Нн", "n"},
    {U"Њњ", "nj"},
    {U"Оо", "o"},
    {U"Пп", "p"},
    {U"Рр", "r"},
    {U"Сс", "s"},
    {U"Тт", "t"},
    {U"Ћћ", "c"},
    {U"Уу", "u"},
    {U"Фф", "f"},
    {U"Хх", "h"},
    {U"Цц", "ts"},
    {U"Чч", "ch"},
    {U"Џџ", "dz"},
    {U"Шш", "sh"},
    {U"Щщ", "shch"},
    {U"Юю", "yu"},
    {U"Яя", "ya"},
    // Persian
    {U"آا", "a"},
    {U"ب", "b"},
    {U"پ", "p"},
    {U"تط", "t"},
    {U"ثسص", "s"},
    {U"ج", "j"},
    {U"چ", "ch"},
    {U"حه", "h"},
    {U"خ", "kh"},
    {U"د", "d"},
    {U"ذزضظ", "z"},
    {U"ر", "r"},
    {U"ژ", "zh"},
    {U"ش", "sh"},
    {U"غق", "gh"},
    {U"ف", "f"},
    {U"کك", "k"},
    {U"گ", "g"},
    {U"ل", "l"},
    {U"م", "m"},
    {U"ن", "n"},
    {U"و", "v"},
    {U"یيئ", "y"},
};

constexpr auto kSpellingOf = [] {
  std::array<std::string_view, kLettersEnd> table{};
  for (auto [letters, ascii] : kSpellings) {
    for (char32_t letter : letters) table[letter] = ascii;
  }
  return table;
}();

}  // namespace

void append_ascii(std::string& to, std::string_view name) {
  for (size_t i = 0; i < name.size(); ++i) {
    auto byte = static_cast<unsigned char>(name[i]);
    if (byte < 0x80) {
      auto lower = static_cast<char>(byte | 0x20);
      if (lower >= 'a' && lower <= 'z') to += lower;
    } else if (byte >= 0xc0 && byte < 0xe0 && i + 1 < name.size()) {
      auto next = static_cast<unsigned char>(name[++i]);
      to += kSpellingOf[static_cast<size_t>((byte & 0x1f) << 6 | (next & 0x3f))];
    }
  }
}

}  // namespace millrace::source
