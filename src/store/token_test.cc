#include "store/token.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::store {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// Tokens as cassandra.murmur3 of the Python driver 3.30.1 gives them, of random bytes.
TEST(Token, IsCassandras) {
  struct Vector {
    const char* key;
    int64_t token;
  };
  constexpr Vector kVectors[] = {
      {"", 0},
      {"a5", 9102176746827431674},
      {"4d", -7912594386904524724},
      {"ca18", 569985251948787553},
      {"2530bb", -9027188615448689611},
      {"1d6d132cde", -523612430736592158},
      {"d6237b2ed91e3f", 2862563197409520308},
      {"721fcb1971174494", -8243289293784283537},
      {"d6493c9d5c3460be31", -3579918016214857411},
      {"201e69fedaa0eee8b9997f", 5642539116922438749},
      {"5c7c2999fdafe593253cd654af", -3959212596260708677},
      {"4dfad71427a0aeb3fee9232f8af221", -7168199146258296551},
      {"1f9ee491c5b10becb5563bfc1e6f93", -609137573858408423},
      {"427ecbc8fe2955e5cd8e46dc8ed4b7c2", -4303306484286063106},
      {"764d2a5a4d767706f85d8690024ad6bda3", -820192297839129582},
      {"401be9c8cbccc935f6cd1f61226ae15338ae1a34004d33", -292524424988066141},
      {"ba0d246ac04c81b1baf23e3bf9eef5f79f2b4934af87f552", 7539107426905165274},
      {"0b69b94b0d982e85bb55b672a872637acd7466fcb60e0e8ff18463b0e4b2ba", 3816628615275220500},
      {"29703474f064ac68f700f5b02b3dc666f45bdeaa2ccaedcd2b5157410e4dee4a", -4704054436964678038},
      {"f2b34f430a073447de636c0e806c957ba684d6431fb5ead7424d09e15d024c5848", -4282003643808083522},
      {"f23d1fa6f7361d7f618d1532e70e20e2a6668de7f47e8467e546d53ec8e2a1257bdb256c9b3e4fbb498146ef703"
       "0cb",
       -8761099881663767818},
      {"f9537252dcceadd764b6a32fbb09adeae109c4a997203975352b878b145c8a42d884cf4cfda72d8e1d5dd925890"
       "82d852a7122873ee805add58942167a3852",
       6839359501545302435},
      {"86195c679f9c6994e45b8ab1098012070961f37de436ddfdc99d6e75af6547cfb11b42072482dc531c2bc3907c9"
       "617eb5e5089e40186baa8a57d119e6fb65d00",
       8610627629593382552},
  };
  for (const auto& vector : kVectors)
    EXPECT_EQ(murmur3_token(from_hex(vector.key)), vector.token) << vector.key;
}

}  // namespace
}  // namespace millrace::store
