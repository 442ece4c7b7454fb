#include "spec/spec.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/text.h"
#include "io/folder.h"
#include "spec/check.h"
#include "spec/file_text.h"
#include "spec/keys.h"
#include "spec/reader.h"

namespace millrace::spec {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Ends the document, so that the parser notices a quote that is open at the end of the file.
constexpr std::string_view kDocumentEnd = "\n...\n";

// What the YAML parser's terser messages usually come from.
std::string_view hint(std::string_view message, std::string_view line_before) {
  if (line_before.substr(0, line_before.find_first_not_of(" \t")).contains('\t'))
    return "; indentation is spaces, and here is a tab";
  if (message == YAML::ErrorMsg::MAP_VALUE)
    return "; this key's indentation is not that of its neighbours, or a text with ': ' in it "
           "lacks quotes";
  if (message == YAML::ErrorMsg::DOC_IN_SCALAR) return "; a quote was opened and not closed";
  return "";
}

void report_not_utf8(const FileText& text, Reader& reader) {
  std::string_view rest = text.text();
  while (is_utf8(rest.substr(0, rest.find('\n')))) rest.remove_prefix(rest.find('\n') + 1);
  reader.error(text.place(text.text().size() - rest.size()), "this line is not UTF-8 text");
}

// Where the documents of a file begin.
class DocumentStarts final : public YAML::EventHandler {
 public:
  std::vector<size_t> positions;

  void OnDocumentStart(const YAML::Mark& mark) override {
    positions.push_back(static_cast<size_t>(mark.pos));
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Of the first two: yaml-cpp's LoadAll never ends on what it takes for an empty document that is
// followed by itself, as before a comma at the beginning of a file.
std::vector<size_t> first_documents(const std::string& bytes) {
  std::istringstream stream(bytes);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  while (starts.positions.size() < 2 && parser.HandleNextDocument(starts)) {
  }
  return starts.positions;
}

// The file's one YAML document, or an undefined node after reporting why there is none.
YAML::Node parse(const FileText& text, Reader& reader) {
  const auto& bytes = text.text();
  auto ended = bytes + std::string(kDocumentEnd);
  try {
    auto documents = first_documents(ended);
    if (documents.size() > 1 && documents[1] == documents[0]) {
      reader.error(text.place(documents[0]), "not YAML: '{}' where the name of a key was expected",
                   ended[documents[0]]);
    } else if (documents.size() > 1) {
      reader.error(text.place(documents[1]),
                   "a second YAML document begins here; a pipeline file has one");
    } else {
      auto document = documents.empty() ? YAML::Node() : YAML::Load(ended);
      if (!document.IsNull()) return document;
      reader.error(text.place(0), "the file is empty; docs/pipeline-file.md has an example");
    }
  } catch (const YAML::Exception& error) {
    auto at =
        error.mark.is_null() ? 0 : std::min(static_cast<size_t>(error.mark.pos), bytes.size());
    auto before = std::string_view(bytes).substr(0, at);
    before.remove_prefix(before.rfind('\n') + 1);
    reader.error(text.place(at), "not YAML: {}{}", error.msg, hint(error.msg, before));
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

}  // namespace

std::string to_string(const Place& place) {
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

Place Sql::at(size_t position) const {
  if (runs.empty()) return place;
  position = std::min(position, text.size() - 1);
  auto after = std::ranges::upper_bound(runs, position, {}, &Run::position);
  const Run& run = after == runs.begin() ? runs.front() : *std::prev(after);
  int column = run.column;
  for (size_t i = run.position; !run.replaced && i < position; ++i)
    if ((static_cast<unsigned char>(text[i + 1]) & 0xc0) != 0x80) ++column;
  return {place.file, run.line, column};
}

const TopicSpec* Pipeline::find_topic(std::string_view wanted) const {
  auto found = std::ranges::find(topics, wanted, &TopicSpec::name);
  return found == topics.end() ? nullptr : &*found;
}

bool Loaded::ok() const {
  return std::ranges::none_of(problems, [](const Problem& problem) {
    return problem.severity == Problem::Severity::kError;
  });
}

Result<Loaded> load(const std::string& path, const Variables& variables) {
  auto content = MR_TRY(io::read_file(path, kFileBytesMax));
  if (content.starts_with(kByteOrderMark)) content.erase(0, kByteOrderMark.size());
  FileText text(path, std::move(content));
  Reader reader(text, std::filesystem::path(path).parent_path().string(), variables);

  Loaded loaded;
  loaded.pipeline.file = path;
  if (!is_utf8(text.text())) {
    report_not_utf8(text, reader);
  } else if (auto document = parse(text, reader); document.IsDefined()) {
    pipeline_file().read(reader, {document, text.place(0)}, loaded.pipeline);
    if (document.IsMap()) check(loaded.pipeline, reader);
  }
  loaded.problems = reader.take_problems();
  return loaded;
}

}  // namespace millrace::spec
