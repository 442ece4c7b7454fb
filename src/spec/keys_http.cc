#include "base/limits.h"
#include "spec/http_body.h"
#include "spec/keys.h"

namespace millrace::spec {
namespace {

using namespace std::chrono_literals;

const NameRule kHeaderName = {"a header's name", "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
                              "letters, digits and -, no spaces"};

using Header = std::pair<std::string, Text>;
void set_header_name(Header& header, const std::string& name, const Place&) {
  header.first = name;
}

bool is_header(const Header& header, std::string_view lower_case_name) {
  return std::ranges::equal(header.first, lower_case_name, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
}

// A value whose parts are checked against each other once they are read.
template <class T>
Value<T> checked(Value<T> value, void (*check)(Reader&, const Item&, const T&)) {
  value.read = [read = std::move(value.read), check](Reader& reader, const Item& item, T& to) {
    read(reader, item, to);
    if (item.node.IsMap()) check(reader, item, to);
  };
  return value;
}

Value<HttpMethod> method() {
  return {{"`GET` or `POST`", {{"enum", {"GET", "POST"}}}, {}},
          [](Reader& reader, const Item& item, HttpMethod& to) {
            auto text = reader.plain(item, "GET or POST");
            if (!text) return;
            if (*text != "GET" && *text != "POST")
              return reader.unexpected(item, "GET or POST", in_quotes(*text));
            to = *text == "POST" ? HttpMethod::kPost : HttpMethod::kGet;
          },
          [](const HttpMethod& method) { return method == HttpMethod::kPost ? "POST" : "GET"; }};
}

// Text that is not empty, with no line breaks in it: what a header can carry.
Value<Text> credential() {
  return {{"text", {{"type", "string"}, {"minLength", 1}}, {}},
          [](Reader& reader, const Item& item, Text& to) {
            auto text = reader.text(item, "text");
            if (!text) return;
            to = *std::move(text);
            if (to.value.empty()) return reader.unexpected(item, "text", "nothing");
            if (to.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
              reader.error(to.place, "expected one line of text, got several");
          }};
}

// The name of a PEM file; it may be replaced while the pipeline runs, so only its path is kept.
Value<std::string> pem_file() {
  return {{"file name", {{"type", "string"}}, {}},
          [](Reader& reader, const Item& item, std::string& to) {
            auto name = reader.plain(item, "the name of a PEM file");
            if (!name) return;
            if (name->empty()) return reader.unexpected(item, "the name of a PEM file", "nothing");
            auto content = reader.file(*name);
            if (!content)
              return reader.error(reader.place(item.node), "{}", content.error().message());
            if (!content->contains("-----BEGIN "))
              return reader.error(reader.place(item.node),
                                  "{} is no PEM file: nothing in it begins with -----BEGIN; "
                                  "openssl converts other forms",
                                  in_quotes(*name));
            to = reader.path(*name);
          }};
}

Object<BasicAuth> basic_auth() {
  return {"basic",
          "User and password, as `curl -u` sends them.",
          {
              key("user", &BasicAuth::user, credential(), "The user's name.").required(),
              key("password", &BasicAuth::password, text(),
                  "The password: `${secret:NAME}` keeps it out of the file and of all that is "
                  "printed.")
                  .required(),
          }};
}

Object<AuthSpec> auth() {
  return {"auth",
          "How the API knows who asks: one of the two. Sent to the configured server only, "
          "wherever it redirects to.",
          {
              key("bearer", &AuthSpec::bearer, credential(),
                  "A token, sent as `Authorization: Bearer …`: write `${secret:NAME}`."),
              key("basic", &AuthSpec::basic, optional(object(basic_auth())), "User and password."),
          }};
}

void check_auth(Reader& reader, const Item& item, const AuthSpec& auth) {
  bool has_bearer = auth.bearer.place.line > 0;
  if (has_bearer == auth.basic.has_value())
    reader.error(item.named, "`auth` has one of bearer and basic");
}

Object<TlsSpec> tls() {
  return {"tls",
          "For servers whose certificate is not from a public authority, or that ask for one. A "
          "server's certificate is always checked.",
          {
              key("ca", &TlsSpec::ca, pem_file(),
                  "Certificates of the authorities to trust, instead of the system's; the name is "
                  "relative to the pipeline file, as are those below."),
              key("certificate", &TlsSpec::certificate, pem_file(),
                  "The certificate to show to the server."),
              key("key", &TlsSpec::key, pem_file(),
                  "Its private key. Left out: it is in the certificate's file."),
              key("key_password", &TlsSpec::key_password, text(),
                  "What the key is encrypted with, if it is."),
          }};
}

void check_tls(Reader& reader, const Item& item, const TlsSpec& tls) {
  if (!tls.key.empty() && tls.certificate.empty())
    reader.error(item.named, "`tls` has a key without the certificate that it belongs to");
}

Object<HttpSpec> keys() {
  return {
      "http",
      "An HTTP API that answers with JSON, JSON lines or CSV.",
      {
          key("url", &HttpSpec::url, url({"http", "https", "sample"}),
              "The address to ask. `sample://` addresses are answered by millrace itself, "
              "without a network.")
              .required(),
          key("method", &HttpSpec::method, method(), "How to ask."),
          key("body", http_body(),
              "What a POST sends: a map or a list, which becomes JSON, or the text itself."),
          key("headers", &HttpSpec::headers,
              map_of(kHeaderName, member(&Header::second, text()), set_header_name),
              "Headers to send with every request."),
          key("auth", &HttpSpec::auth, optional(checked(object(auth()), check_auth)),
              "A token, or user and password."),
          key("tls", &HttpSpec::tls, checked(object(tls()), check_tls),
              "Certificates, where the usual do not do."),
          key("every", &HttpSpec::every, duration(0ms), "Time between the starts of two requests."),
          key("connect_timeout", &HttpSpec::connect_timeout, duration(1ms),
              "The longest that looking up the server's name, connecting and TLS may take."),
          key("timeout", &HttpSpec::timeout, duration(1ms),
              "The longest a request may take, from connecting to the last byte."),
          key("response_max", &HttpSpec::response_max,
              size(1, static_cast<int64_t>(limits::kResponseBytesLimit)),
              "The largest answer, decompressed, at most `2GiB`; a larger one is refused as it "
              "comes."),
          key("page", &HttpSpec::page, optional(page()),
              "How the API is asked for one page after another. Left out: every answer is the "
              "whole.")
              .placed(&HttpSpec::page_place),
          key("since", &HttpSpec::since, optional(since()),
              "Asks only for what is new. Left out: every pass asks for everything there is.")
              .placed(&HttpSpec::since_place),
      }};
}

// Keys that do not go together.
void check_http(Reader& reader, const Item&, const HttpSpec& http) {
  constexpr std::string_view kBeforeAuthority = "://";
  auto address = std::string_view(http.url.value);
  size_t scheme = std::min(address.find(kBeforeAuthority), address.size());
  auto authority = address.substr(std::min(scheme + kBeforeAuthority.size(), address.size()));
  if (authority.substr(0, authority.find_first_of("/?#")).contains('@'))
    reader.error(http.url.place,
                 "an address has no user and password in it, as it is printed: put them into "
                 "`auth: {{basic: {{user: …, password: ${{secret:…}}}}}}`");
  if (http.body.place.line > 0 && http.method != HttpMethod::kPost)
    reader.error(http.body.place, "a body is sent with `method: POST` only");
  if (!http.auth) return;
  for (const auto& header : http.headers)
    if (is_header(header, "authorization"))
      reader.error(header.second.place, "Authorization is sent by `auth`: leave out one of them");
}

}  // namespace

Value<HttpSpec> http() {
  return checked(object(keys()), check_http);
}

}  // namespace millrace::spec
