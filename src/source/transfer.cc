#include "source/transfer.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/error.h"

namespace millrace::source {
namespace {

using std::chrono::milliseconds;

constexpr long kReceiveBytes = 128 << 10;              // read from a socket at once
constexpr size_t kBodyBytesKept = size_t{1} << 20;     // of a buffer, whatever the bodies need
constexpr size_t kHeaderBytesMax = size_t{256} << 10;  // of one answer

using Headers = std::unique_ptr<curl_slist, CurlDelete<curl_slist_free_all>>;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  MR_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

long as_long(milliseconds time) {
  return static_cast<long>(std::max<int64_t>(time.count(), 1));
}

Headers header_list(const std::vector<std::string>& lines) {
  Headers headers;
  for (const auto& line : lines) {
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    MR_CHECK(longer != nullptr);
    std::ignore = headers.release();
    headers.reset(longer);
  }
  return headers;
}

// "Name:value" of the first certificate, which is the server's own; "" where there is none.
std::string_view field_of(const curl_certinfo& chain, std::string_view name) {
  for (auto* field = chain.certinfo[0]; field != nullptr; field = field->next) {
    std::string_view text = field->data;
    if (text.starts_with(name) && text.substr(name.size()).starts_with(':')) {
      return text.substr(name.size() + 1);
    }
  }
  return "";
}

}  // namespace

std::string system_ca_file() {
  const char* named = std::getenv("SSL_CERT_FILE");
  if (named != nullptr && *named != '\0') return named;
  const char* built_in = curl_version_info(CURLVERSION_NOW)->cainfo;
  for (const char* path :
       {built_in, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem"}) {
    if (path != nullptr && ::access(path, R_OK) == 0) return path;
  }
  return "";
}

Transfer::Transfer(const spec::TlsSpec& tls, milliseconds connect_timeout, size_t body_bytes_max)
    : body_bytes_max_(body_bytes_max) {
  MR_CHECK(multi_ && easy_);
  set_options(tls, connect_timeout);
}

void Transfer::set_options(const spec::TlsSpec& tls, milliseconds connect_timeout) {
  auto* easy = easy_.get();
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_USERAGENT, "millrace/" MILLRACE_VERSION);
  set(easy, CURLOPT_ACCEPT_ENCODING, "");
  set(easy, CURLOPT_BUFFERSIZE, kReceiveBytes);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, as_long(connect_timeout));
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_ERRORBUFFER, curl_error_.data());
  // Without it, giving up waits for a name server that hangs.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  auto ca_file = tls.ca.empty() ? system_ca_file() : tls.ca;
  if (!ca_file.empty()) set(easy, CURLOPT_CAINFO, ca_file.c_str());
  if (!tls.ca.empty()) set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (tls.certificate.empty()) return;
  set(easy, CURLOPT_SSLCERT, tls.certificate.c_str());
  set(easy, CURLOPT_SSLKEY, tls.key.empty() ? tls.certificate.c_str() : tls.key.c_str());
  // Without one, OpenSSL would ask for it on the terminal.
  set(easy, CURLOPT_KEYPASSWD, tls.key_password.value.c_str());
}

Answer Transfer::run(const Exchange& exchange, const std::stop_token& stop) {
  auto* easy = easy_.get();
  auto headers = header_list(exchange.headers);
  set(easy, CURLOPT_URL, exchange.url.c_str());
  set(easy, CURLOPT_HTTPHEADER, headers.get());
  set(easy, CURLOPT_HTTPGET, 1L);
  if (exchange.method == spec::HttpMethod::kPost) {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.body.size()));
    set(easy, CURLOPT_POSTFIELDS, exchange.body.data() == nullptr ? "" : exchange.body.data());
  }
  set(easy, CURLOPT_TIMEOUT_MS, as_long(exchange.timeout));
  body_.clear();
  header_bytes_ = 0;
  too_large_ = false;
  headers_too_large_ = false;
  curl_error_[0] = '\0';

  Answer answer;
  answer.code = perform(easy, answer.stopped, stop);
  set(easy, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  answer.too_large = too_large_;
  answer.headers_too_large = headers_too_large_;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t connected = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
  answer.connected = connected > 0;
  const char* redirect = nullptr;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) answer.redirect = redirect;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  if (retry_after > 0) answer.retry_after = std::chrono::seconds(retry_after);
  if (answer.code != CURLE_OK) {
    answer.reason = curl_error_.c_str();
    if (answer.reason.empty()) answer.reason = curl_easy_strerror(answer.code);
    long error_number = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error_number);
    if (answer.code == CURLE_COULDNT_CONNECT && error_number != 0) {
      answer.reason += fmt::format(" ({})", errno_text(static_cast<int>(error_number)));
    }
  }
  return answer;
}

// curl_easy_perform notices a stop request after up to a second; this is woken by it.
CURLcode Transfer::perform(CURL* easy, bool& stopped, const std::stop_token& stop) {
  auto* multi = multi_.get();
  std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  auto failure = curl_multi_add_handle(multi, easy);
  MR_CHECK(failure == CURLM_OK);
  for (int running = 1; failure == CURLM_OK;) {
    failure = curl_multi_perform(multi, &running);
    if (running == 0 || failure != CURLM_OK) break;
    stopped = stop.stop_requested();
    if (stopped) break;
    failure = curl_multi_poll(multi, nullptr, 0, 1'000, nullptr);
  }
  auto code = failure == CURLM_OK ? CURLE_OK : CURLE_OUT_OF_MEMORY;
  int left = 0;
  while (auto* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl_multi_remove_handle(multi, easy);
  return code;
}

std::string Transfer::header(const char* name) const {
  auto all = headers(name);
  return all.empty() ? "" : all.front();
}

std::vector<std::string> Transfer::headers(const char* name) const {
  std::vector<std::string> values;
  curl_header* found = nullptr;
  while (curl_easy_header(easy_.get(), name, values.size(), CURLH_HEADER, -1, &found) ==
         CURLHE_OK) {
    values.emplace_back(found->value);
  }
  return values;
}

// Keeps the buffer for the next body, unless bodies have become much smaller.
void Transfer::begin_body() {
  body_.clear();
  if (body_.capacity() > kBodyBytesKept + 4 * body_bytes_wanted_) {
    body_.shrink_to_fit();
    body_.reserve(body_bytes_wanted_);
  }
}

std::string_view Transfer::padded_body(size_t padding) {
  body_bytes_wanted_ = std::max(body_.size(), body_bytes_wanted_ - body_bytes_wanted_ / 8);
  body_.append(padding, '\0');
  return std::string_view(body_).substr(0, body_.size() - padding);
}

size_t Transfer::on_body(char* bytes, size_t size, size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_body({bytes, size * count});
}

// libcurl keeps the headers of an answer in memory, however many they are.
size_t Transfer::on_header(char*, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  transfer->header_bytes_ += size * count;
  if (transfer->header_bytes_ <= kHeaderBytesMax) return size * count;
  transfer->headers_too_large_ = true;
  return CURL_WRITEFUNC_ERROR;
}

// What libcurl has received and decompressed; CURL_WRITEFUNC_ERROR ends the transfer.
size_t Transfer::take_body(std::string_view bytes) {
  if (body_.empty()) {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    // A length beyond the limit needs no special case: the bytes will pass it.
    if (length > 0 && static_cast<size_t>(length) <= body_bytes_max_) {
      body_.reserve(static_cast<size_t>(length) + kReceiveBytes);
    }
  }
  if (bytes.size() > body_bytes_max_ - body_.size()) {
    too_large_ = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body_.append(bytes);
  return bytes.size();
}

std::string Transfer::describe_certificate(const std::string& url, milliseconds timeout,
                                           const std::stop_token& stop) {
  Easy easy(curl_easy_init());
  MR_CHECK(easy);
  set(easy.get(), CURLOPT_NOSIGNAL, 1L);
  set(easy.get(), CURLOPT_QUICK_EXIT, 1L);
  set(easy.get(), CURLOPT_PROTOCOLS_STR, "https");
  set(easy.get(), CURLOPT_URL, url.c_str());
  set(easy.get(), CURLOPT_TIMEOUT_MS, as_long(timeout));
  // Only the handshake: nothing is sent to a server that is not who it should be.
  set(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  set(easy.get(), CURLOPT_CERTINFO, 1L);
  set(easy.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  set(easy.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  bool stopped = false;
  perform(easy.get(), stopped, stop);
  curl_certinfo* chain = nullptr;
  curl_easy_getinfo(easy.get(), CURLINFO_CERTINFO, &chain);
  if (chain == nullptr || chain->num_of_certs == 0) return "";
  auto names = field_of(*chain, "X509v3 Subject Alternative Name");
  if (names.empty()) names = field_of(*chain, "Subject");
  return fmt::format("It is for {}, was issued by {} and is valid from {} to {}", names,
                     field_of(*chain, "Issuer"), field_of(*chain, "Start date"),
                     field_of(*chain, "Expire date"));
}

}  // namespace millrace::source
