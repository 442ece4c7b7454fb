// Random numbers that are the same on every platform for the same seed. Not for secrets.
#pragma once

#include <bit>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace millrace::source {

// SplitMix64 (Steele, Lea, Flood 2014): a step of a sequence in which every 64-bit number occurs
// once; here to spread seeds over the state of Random.
constexpr uint64_t split_mix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// FNV-1a, 64 bits.
constexpr uint64_t hash_text(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// xoshiro256++ (Blackman, Vigna 2019).
class Random {
 public:
  constexpr explicit Random(uint64_t seed) {
    for (auto& word : state_) word = split_mix(seed);
  }

  constexpr uint64_t next() {
    uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // A number from 0 to limit - 1. The bias of multiplying 32 bits is below limit / 2^32.
  constexpr uint32_t below(uint32_t limit) {
    return static_cast<uint32_t>(((next() >> 32) * limit) >> 32);
  }
  constexpr int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }

  // One element of a non-empty array or span.
  template <class Elements>
  constexpr const auto& pick(const Elements& elements) {
    return elements[below(static_cast<uint32_t>(std::size(elements)))];
  }

 private:
  uint64_t state_[4];
};

}  // namespace millrace::source
