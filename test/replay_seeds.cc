// Runs a fuzzer's saved seeds: replay_seeds FILE, where each line is one input in hexadecimal. It
// is linked with the fuzzer (x_fuzz.cc) in place of libFuzzer.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::optional<std::vector<uint8_t>> from_hex(std::string_view line) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < line.size(); i += 2) {
    size_t high = kDigits.find(line[i]);
    size_t low = kDigits.find(line[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return line.size() % 2 == 0 ? std::optional(bytes) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: X_fuzz SEEDS\n", stderr);
    return 2;
  }
  std::ifstream file(argv[1]);
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    auto input = from_hex(line);
    if (!input) {
      std::fprintf(stderr, "%s:%d: not hexadecimal\n", argv[1], count + 1);
      return 2;
    }
    // Last words, should this one end the process.
    std::printf("%s:%d\n", argv[1], ++count);
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(input->data(), input->size());
  }
  if (count == 0) std::fprintf(stderr, "%s: no seeds\n", argv[1]);
  return count == 0 ? 1 : 0;
}
