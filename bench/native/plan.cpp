#include "plan.h"

#include <charconv>
#include <map>
#include <sstream>

namespace faultline::bench {
namespace {

bool parseInteger(std::string_view text, int64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

Status refuse(const std::string& line, const std::string& expected, const std::string& received) {
  return Status::invalid("bench", "job \"" + line + "\"", expected, received);
}

}  // namespace

Status parseJob(const std::string& line, Job* job) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  *job = Job();
  if (!opFromName(word, &job->op)) return refuse(line, "an operation", "\"" + word + "\"");
  Geometry& g = job->shape;
  int64_t weightMax = 0;
  std::map<std::string_view, int64_t*> fields{{"block", &job->blockSize}, {"wmax", &weightMax}};
  if (isConv(job->op)) {
    fields.insert({{"n", &g.n}, {"h", &g.h}, {"w", &g.w}, {"c", &g.c}, {"oc", &g.oc}, {"kh", &g.kh}, {"kw", &g.kw}});
    fields.insert({{"sh", &g.strideH}, {"sw", &g.strideW}, {"dh", &g.dilationH}, {"dw", &g.dilationW}});
    fields.insert({{"pt", &g.padTop}, {"pl", &g.padLeft}, {"pb", &g.padBottom}, {"pr", &g.padRight}});
    fields.insert({"g", &g.groups});
  } else {
    fields.insert({{"m", &g.n}, {"n", &g.oc}, {"k", &g.c}});
  }
  while (words >> word) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) return refuse(line, "key=value", "\"" + word + "\"");
    const std::string key = word.substr(0, equals), text = word.substr(equals + 1);
    if (key == "threads") {
      job->threads.clear();
      std::istringstream counts(text);
      for (std::string one; std::getline(counts, one, ',');) {
        int64_t count = 0;
        if (!parseInteger(one, &count) || count < 1 || count > 1024) {
          return refuse(line, "1 to 1024 threads", "\"" + one + "\"");
        }
        job->threads.push_back(static_cast<int>(count));
      }
      continue;
    }
    const auto field = fields.find(key);
    if (field == fields.end()) return refuse(line, "a known key", "\"" + key + "\"");
    if (!parseInteger(text, field->second) || *field->second < 0) {
      return refuse(line, "a natural number for " + key, "\"" + text + "\"");
    }
  }
  job->weightMax = static_cast<int>(weightMax);
  for (const int64_t size :
       {g.n, g.h, g.w, g.c, g.oc, g.kh, g.kw, g.strideH, g.strideW, g.dilationH, g.dilationW, g.groups}) {
    if (size < 1) return refuse(line, "sizes of at least 1", std::to_string(size));
  }
  if (g.c % g.groups != 0 || g.oc % g.groups != 0) {
    return refuse(
        line, "channels divisible by the groups",
        std::to_string(g.c) + " and " + std::to_string(g.oc) + " channels, " + std::to_string(g.groups) + " groups");
  }
  if (g.oh() < 1 || g.ow() < 1) return refuse(line, "a kernel that fits the padded input", "a larger one");
  return Status::ok();
}

}  // namespace faultline::bench
