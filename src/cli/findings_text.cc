#include "cli/findings_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using pipeline::Finding;
using pipeline::Verdict;

// A subject that is longer moves its own line's text only.
constexpr size_t kSubjectWidth = 32;

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kSkipped:
      return "skipped";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kError:
      return "error";
  }
  return "";
}

Look look_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return Look::kGood;
    case Verdict::kSkipped:
      return Look::kDim;
    case Verdict::kWarning:
      return Look::kBold;
    case Verdict::kError:
      return Look::kBad;
  }
  return Look::kPlain;
}

// Of our commands, as the reader has to type it here.
std::string as_typed(const Session& session, const std::string& command) {
  constexpr std::string_view kUs = "millrace ";
  if (!command.starts_with(kUs)) return command;
  return fmt::format("{} {}{}", session.program(), command.substr(kUs.size()),
                     session.data_dir_option());
}

std::string padded(std::string_view text, size_t width) {
  size_t used = display_width(text);
  return std::string(text) + std::string(width - std::min(width, used), ' ');
}

std::string lines_of(const Session& session, const Finding& finding, size_t subject_width,
                     bool colour) {
  constexpr size_t kVerdictWidth = 7;
  auto verdict =
      paint(padded(to_string(finding.verdict), kVerdictWidth), look_of(finding.verdict), colour);
  auto text =
      fmt::format("  {}  {}  {}\n", verdict, padded(printable(finding.subject), subject_width),
                  printable(finding.text));
  std::string_view lead = "mend:";
  for (const auto& mend : finding.mends) {
    std::string indent(kVerdictWidth + 4, ' ');
    if (mend.command.empty()) {
      text += fmt::format("{}{} {}\n", indent, lead, printable(mend.what));
    } else {
      auto command = paint(as_typed(session, mend.command), Look::kBold, colour);
      text += fmt::format("{}{} {}\n{}{:{}} {}\n", indent, lead, command, indent, "", lead.size(),
                          printable(mend.what));
    }
    lead = "or:  ";
  }
  return text;
}

// "all is well", or how much is not.
std::string summary(int64_t errors, int64_t warnings) {
  if (errors == 0 && warnings == 0) return "all is well";
  if (errors == 0) return count_of(warnings, "warning");
  return warnings == 0 ? count_of(errors, "error")
                       : count_of(errors, "error") + ", " + count_of(warnings, "warning");
}

Json to_json(const Session& session, const Finding& finding) {
  auto mends = Json::array();
  for (const auto& mend : finding.mends)
    mends.push_back({{"command", as_typed(session, mend.command)}, {"what", mend.what}});
  return {{"part", finding.part},
          {"subject", finding.subject},
          {"verdict", to_string(finding.verdict)},
          {"text", finding.text},
          {"mends", std::move(mends)}};
}

}  // namespace

Result<int> print_findings(Session& session, std::span<const Finding> findings) {
  auto count = [&](Verdict verdict) {
    return static_cast<int64_t>(std::ranges::count(findings, verdict, &Finding::verdict));
  };
  int64_t errors = count(Verdict::kError);
  int64_t warnings = count(Verdict::kWarning);
  int status = errors > 0 ? 1 : 0;
  auto& out = session.out();
  if (session.format() == Format::kJson) {
    auto all = Json::array();
    for (const auto& finding : findings) all.push_back(to_json(session, finding));
    Json answer = {{"errors", errors}, {"warnings", warnings}, {"findings", std::move(all)}};
    MR_TRY(out.write(answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
    return status;
  }
  size_t width = 0;
  for (const auto& finding : findings)
    width = std::max(width, std::min(kSubjectWidth, display_width(printable(finding.subject))));
  std::string part;
  for (const auto& finding : findings) {
    if (finding.part != part) MR_TRY(out.write(finding.part + "\n"));
    part = finding.part;
    MR_TRY(out.write(lines_of(session, finding, width, out.terminal().colour)));
  }
  auto look = errors > 0 ? Look::kBad : warnings > 0 ? Look::kBold : Look::kGood;
  MR_TRY(out.write(
      fmt::format("\n{}\n", paint(summary(errors, warnings), look, out.terminal().colour))));
  return status;
}

}  // namespace millrace::cli
