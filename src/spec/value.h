// What a pipeline file is made of: values of some kind, and objects made of keys. Each knows how
// to read itself and how to explain itself to people (reference) and editors (JSON Schema).
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/reader.h"
#include "spec/spec.h"

namespace millrace::spec {

struct ObjectDoc;

// A kind of value, explained.
struct Shape {
  std::string label;               // in the reference's tables, in Markdown: "a duration: `10s`"
  nlohmann::ordered_json schema;   // JSON Schema of it
  std::vector<ObjectDoc> objects;  // at most one: what it is, or is a map or list of
};

struct KeyDoc {
  std::string name;
  Shape shape;
  std::string doc;           // one sentence or two
  std::string default_text;  // as one would write it; empty: there is none
  bool required = false;
};

struct ObjectDoc {
  std::string title;  // "source"
  std::string doc;
  std::vector<KeyDoc> keys;
};

// How a T is read, and explained. `read` reports problems to the Reader and then leaves what it
// was given. `show` writes a T as the file would have it, for defaults; empty: nothing to say.
template <class T>
struct Value {
  Shape shape;
  std::function<void(Reader&, const Item&, T&)> read;
  std::function<std::string(const T&)> show = [](const T&) { return std::string(); };
};

// A key of an object that is stored in an Owner.
template <class Owner>
struct Key {
  KeyDoc doc;
  std::function<void(Reader&, const Item&, Owner&)> read;

  Key required() && {
    doc.required = true;
    return std::move(*this);
  }
  // Keeps where the value stands, too.
  Key placed(Place Owner::* place) && {
    read = [inner = std::move(read), place](Reader& reader, const Item& item, Owner& owner) {
      owner.*place = reader.place(item.node);
      inner(reader, item, owner);
    };
    return std::move(*this);
  }
};

// An object with these keys and no others.
template <class T>
struct Object {
  std::string title;
  std::string doc;
  std::vector<Key<T>> keys;
};

// The rule for the names of a kind of thing.
struct NameRule {
  std::string noun;     // "a source's name"
  std::string pattern;  // ECMAScript, of the whole name
  std::string words;    // the same for people
};
// "'text'", cut short, for messages.
std::string in_quotes(std::string_view text);
// Reports a name against the rule.
void check_name(Reader& reader, const Place& place, std::string_view name, const NameRule& rule);

// A key whose value is one member of the owner.
template <class Owner, class Member>
Key<Owner> key(std::string name, Member Owner::* member, Value<Member> value, std::string doc) {
  return {{std::move(name), std::move(value.shape), std::move(doc), value.show(Owner{}.*member)},
          [member, read = std::move(value.read)](Reader& reader, const Item& item, Owner& owner) {
            read(reader, item, owner.*member);
          }};
}

// A key whose value goes to several members.
template <class Owner>
Key<Owner> key(std::string name, Value<Owner> value, std::string doc) {
  return {{std::move(name), std::move(value.shape), std::move(doc), ""}, std::move(value.read)};
}

// A value that is one member of a T.
template <class T, class Member>
Value<T> member(Member T::* of, Value<Member> value) {
  return {std::move(value.shape),
          [of, read = std::move(value.read)](Reader& reader, const Item& item, T& to) {
            read(reader, item, to.*of);
          }};
}

template <class T>
Value<std::optional<T>> optional(Value<T> value) {
  return {std::move(value.shape),
          [read = std::move(value.read)](Reader& reader, const Item& item, std::optional<T>& to) {
            read(reader, item, to.emplace());
          }};
}

Shape object_shape(ObjectDoc doc);
Shape map_shape(Shape of, const NameRule& names);
// Reports an unknown key, with what was probably meant.
void unknown_key(Reader& reader, const Entry& entry, const ObjectDoc& object);
void missing_key(Reader& reader, const Item& item, const KeyDoc& key, const ObjectDoc& object);
// "a map with the keys url, every, …"
std::string expectation(const ObjectDoc& object);

template <class T>
Value<T> object(Object<T> object) {
  ObjectDoc doc{object.title, object.doc, {}};
  for (const auto& key : object.keys) doc.keys.push_back(key.doc);
  auto read = [keys = std::move(object.keys), doc](Reader& reader, const Item& item, T& to) {
    auto entries = reader.entries(item, expectation(doc));
    for (const auto& entry : entries) {
      auto known =
          std::ranges::find_if(keys, [&](const Key<T>& key) { return key.doc.name == entry.key; });
      if (known == keys.end())
        unknown_key(reader, entry, doc);
      else if (!entry.item.node.IsNull())
        known->read(reader, entry.item, to);
    }
    if (!item.node.IsMap()) return;
    for (const auto& key : keys)
      if (key.doc.required &&
          std::ranges::find(entries, key.doc.name, &Entry::key) == entries.end())
        missing_key(reader, item, key.doc, doc);
  };
  return {object_shape(std::move(doc)), std::move(read)};
}

// A map from names to T. `set_name` puts the name, and where it stands, into a T.
template <class T>
Value<std::vector<T>> map_of(NameRule names, Value<T> value,
                             void (*set_name)(T&, const std::string&, const Place&)) {
  return {map_shape(value.shape, names),
          [names, set_name, read = std::move(value.read),
           expected = "a map from " + names.noun + " to " + value.shape.label](
              Reader& reader, const Item& item, std::vector<T>& to) {
            for (const auto& entry : reader.entries(item, expected)) {
              check_name(reader, entry.item.named, entry.key, names);
              set_name(to.emplace_back(), entry.key, entry.item.named);
              if (!entry.item.node.IsNull()) read(reader, entry.item, to.back());
            }
          }};
}

// Text in which secrets may stand.
Value<Text> text();
// An address with one of these schemes ("https"), and secrets.
Value<Text> url(const std::vector<std::string>& schemes);
// Text that names something; not empty. `label` says what.
Value<std::string> word(std::string label);
Value<std::string> name(const NameRule& rule);
Value<int64_t> whole_number(int64_t min, int64_t max);
Value<int32_t> small_number(int32_t min, int32_t max);
// A share from 0 to 1: `1%` or `0.01`.
Value<double> share();
Value<std::chrono::milliseconds> duration(std::chrono::milliseconds min);
// Bytes: `256MiB`.
Value<int64_t> size(int64_t min, int64_t max);
Value<Sql> sql(std::string label);

Shape schema_shape();
void read_schema(Reader& reader, const Item& item, std::string& file, schema::Columns& columns);
// The columns of a JSON Schema file, and its name, in an Owner's `columns` and `schema_file`.
template <class Owner>
Value<Owner> schema_file() {
  return {schema_shape(), [](Reader& reader, const Item& item, Owner& to) {
            read_schema(reader, item, to.schema_file, to.columns);
          }};
}

}  // namespace millrace::spec
