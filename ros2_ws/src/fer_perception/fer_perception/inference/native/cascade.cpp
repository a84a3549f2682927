// SPDX-License-Identifier: Apache-2.0
// MTCNN's cascade (Zhang et al. 2016) in plain C++, called from native_cascade.py through ctypes.
//
// It needs nothing but a C++17 compiler. Everything but the arithmetic mirrors mtcnn.py and image_pyramid.py step for step; tests compare the two.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <vector>

#include "winograd.h"

namespace {

using fer::Kernels;
using fer::Layer;
using fer::Maps;
using fer::WinogradConvolution;

constexpr int kCell = 12, kStride = 2, kRnetSide = 24, kOnetSide = 48;
constexpr float kNmsWithinScale = 0.5f, kNmsBetweenScales = 0.7f, kNmsRnet = 0.7f,
                kNmsOnet = 0.7f;
// What makes a candidate another view of a face that O-Net is sure of; see onnx_cascade.py.
constexpr float kSameFace = kNmsOnet / (2.0f - kNmsOnet), kSure = 0.998f;
// Vectors may be read and written this far beyond a map's end.
constexpr size_t kSlack = 64;
// Crops that go through a network together.
constexpr size_t kCrops = 8;

struct Box {
  float left, top, right, bottom;
  float area() const { return (right - left) * (bottom - top); }
  Box squared() const {
    const float width = right - left, height = bottom - top;
    const float x = left + width / 2, y = top + height / 2, half = std::max(width, height) / 2;
    return {x - half, y - half, x + half, y + half};
  }
  Box regressed(const float* edges) const {
    const float width = right - left, height = bottom - top;
    return {left + edges[0] * width, top + edges[1] * height, right + edges[2] * width,
            bottom + edges[3] * height};
  }
};

struct Candidate {
  Box box;
  float score;
  float edges[4];
  float landmarks[10];
};

struct Image {
  const uint8_t* pixels;
  int height, width;
  long stride;
};

// An image and its halvings; see image_pyramid.py.
class Pyramid {
 public:
  Pyramid(const Kernels& kernels, Image image) : kernels_(kernels), levels_{image} {}

  // The smallest halving that is at least scale times as large; its own scale goes to found.
  const Image& level_for(double scale, double* found) {
    size_t index = 0;
    double level_scale = 1.0;
    while (level_scale / 2 >= scale) {
      if (index + 1 == levels_.size()) {
        const Image last = levels_.back();
        if (std::min(last.height, last.width) < 2) break;
        const int height = last.height / 2, width = last.width / 2;
        pixels_.emplace_back(static_cast<size_t>(height) * width * 3);
        kernels_.halve(last.pixels, last.stride, height, width, pixels_.back().data());
        levels_.push_back({pixels_.back().data(), height, width, 3L * width});
      }
      ++index;
      level_scale /= 2;
    }
    *found = level_scale;
    return levels_[index];
  }

 private:
  const Kernels& kernels_;
  std::vector<Image> levels_;
  std::vector<std::vector<uint8_t>> pixels_;
};

bool overlap(const Box& a, const Box& b, float threshold, bool over_smaller) {
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float intersection = std::max(width, 0.0f) * std::max(height, 0.0f);
  const float reference =
      over_smaller ? std::min(a.area(), b.area()) : a.area() + b.area() - intersection;
  return intersection > threshold * reference;
}

// Keeps the best of boxes that overlap; see non_maximum_suppression.py.
std::vector<Candidate> suppressed(const std::vector<Candidate>& found, float threshold,
                                  bool over_smaller) {
  std::vector<int> order(found.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return found[a].score > found[b].score; });
  std::vector<Candidate> kept;
  for (int index : order) {
    const Box& box = found[index].box;
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](const Candidate& better) {
      return overlap(better.box, box, threshold, over_smaller);
    });
    if (!covered) kept.push_back(found[index]);
  }
  return kept;
}

float probability(const float* logits) { return 1.0f / (1.0f + std::exp(logits[0] - logits[1])); }

class Cascade {
 public:
  Cascade(const float* weights, const int* shapes, int layers, const Kernels* kernels)
      : kernels_(*kernels) {
    for (int i = 0; i < layers; ++i, shapes += 4) {
      Layer layer{shapes[0], shapes[1], shapes[2], shapes[3], (shapes[3] + 15) / 16 * 16,
                  nullptr,   nullptr,   nullptr};
      const size_t count = static_cast<size_t>(layer.kernel_height) * layer.kernel_width *
                           layer.inputs * layer.padded_outputs;
      layer.weights = weights;
      layer.bias = weights + count;
      layer.slopes = layer.bias + layer.padded_outputs;
      weights = layer.slopes + layer.padded_outputs;
      layers_.push_back(layer);
    }
    rnet_conv2_.emplace(kernels_, layers_[5], 9, 9);
    onet_conv2_.emplace(kernels_, layers_[10], 21, 21);
    onet_conv3_.emplace(kernels_, layers_[11], 8, 8);
  }

  std::vector<Candidate> detect(const Image& image, float min_face, float factor,
                                const float* thresholds) {
    Pyramid pyramid(kernels_, image);
    std::vector<Candidate> found;
    double scale = static_cast<double>(kCell) / min_face;
    while (scale <= 1.0 && std::min(image.height, image.width) * scale >= kCell) {
      propose(pyramid, image, scale, thresholds[0], &found);
      scale *= factor;
    }
    found = suppressed(found, kNmsBetweenScales, false);
    for (Candidate& candidate : found) candidate.box = candidate.box.squared();
    run_rnet(pyramid, &found);
    found = suppressed(above(found, thresholds[1]), kNmsRnet, false);
    for (Candidate& candidate : found)
      candidate.box = candidate.box.regressed(candidate.edges).squared();
    std::vector<Candidate> faces = suppressed(found, kSameFace, false);
    run_onet(pyramid, &faces);
    std::vector<Candidate> others = not_yet_seen(found, faces);
    run_onet(pyramid, &others);
    faces.insert(faces.end(), others.begin(), others.end());
    faces = above(faces, thresholds[2]);
    for (Candidate& candidate : faces) finish(&candidate);
    return suppressed(faces, kNmsOnet, true);
  }

  // O-Net alone on squares that are known to hold a face each; the order is kept.
  std::vector<Candidate> refine(const Image& image, const float* squares, int count) {
    std::vector<Candidate> found(count);
    for (int i = 0; i < count; ++i) {
      const float* s = squares + 4 * i;
      found[i].box = {s[0], s[1], s[2], s[3]};
      // Only what is near the face is halved. Origins that every halving divides keep the pixels
      // where they are in halvings of the whole image.
      constexpr int kGrid = 64;
      const int left = std::clamp(static_cast<int>(s[0]) - kGrid, 0, image.width) / kGrid * kGrid;
      const int top = std::clamp(static_cast<int>(s[1]) - kGrid, 0, image.height) / kGrid * kGrid;
      const int right = std::clamp(static_cast<int>(s[2]) + kGrid, left, image.width);
      const int bottom = std::clamp(static_cast<int>(s[3]) + kGrid, top, image.height);
      const Image part{image.pixels + top * image.stride + 3L * left, bottom - top, right - left,
                       image.stride};
      crops_.resize(static_cast<size_t>(count) * kOnetSide * kOnetSide * 3 + kSlack);
      Pyramid pyramid(kernels_, part);
      Box local = found[i].box;
      local.left -= left, local.right -= left, local.top -= top, local.bottom -= top;
      crop(pyramid, local, kOnetSide,
           crops_.data() + static_cast<size_t>(i) * kOnetSide * kOnetSide * 3);
    }
    run_onet_on_crops(&found);
    for (Candidate& candidate : found) finish(&candidate);
    return found;
  }

 private:
  static std::vector<Candidate> above(const std::vector<Candidate>& found, float threshold) {
    std::vector<Candidate> chosen;
    std::copy_if(found.begin(), found.end(), std::back_inserter(chosen),
                 [=](const Candidate& candidate) { return candidate.score >= threshold; });
    return chosen;
  }

  // The candidates that were not run and are not another view of a face that O-Net is sure of.
  static std::vector<Candidate> not_yet_seen(const std::vector<Candidate>& found,
                                             const std::vector<Candidate>& run) {
    std::vector<Candidate> left;
    std::copy_if(found.begin(), found.end(), std::back_inserter(left), [&](const Candidate& c) {
      return std::none_of(run.begin(), run.end(), [&](const Candidate& other) {
        const bool itself = !std::memcmp(&c.box, &other.box, sizeof c.box);
        return itself ||
               (other.score >= kSure && overlap(other.box, c.box, kSameFace, false));
      });
    });
    return left;
  }

  static void finish(Candidate* candidate) {
    const Box square = candidate->box;
    float points[10];
    for (int i = 0; i < 5; ++i) {
      points[2 * i] = square.left + candidate->landmarks[i] * (square.right - square.left);
      points[2 * i + 1] = square.top + candidate->landmarks[5 + i] * (square.bottom - square.top);
    }
    std::copy(points, points + 10, candidate->landmarks);
    candidate->box = square.regressed(candidate->edges);
  }

  // P-Net on the image at one scale; appends the windows that may hold a face.
  void propose(Pyramid& pyramid, const Image& image, double scale, float threshold,
               std::vector<Candidate>* found) {
    const int height = std::max(1, static_cast<int>(std::nearbyint(image.height * scale)));
    const int width = std::max(1, static_cast<int>(std::nearbyint(image.width * scale)));
    if (std::min(height, width) < kCell) return;
    double level_scale;
    const Image& level = pyramid.level_for(scale, &level_scale);
    const float* input = scaled(level, height, width);
    const Layer &conv1 = layers_[0], &conv2 = layers_[1], &conv3 = layers_[2], &head = layers_[3];

    const int conv1_height = height - 2, conv1_width = width - 2;
    const int h1 = (conv1_height + 1) / 2, w1 = (conv1_width + 1) / 2;
    float* pooled = buffer(&map_a_, static_cast<size_t>(h1) * w1 * conv1.outputs);
    float* rows = buffer(&rows_, 2 * static_cast<size_t>(width) * 32);
    for (int y = 0; y < h1; ++y) {
      const int count = std::min(2, conv1_height - 2 * y);
      kernels_.convolve(input + static_cast<size_t>(2 * y) * width * 3, count, width, conv1, rows);
      kernels_.max_pool(rows, count, conv1_width, width, conv1.outputs, 2,
                        pooled + static_cast<size_t>(y) * w1 * conv1.outputs, 1, w1);
    }
    const int h2 = h1 - 2, h3 = h1 - 4, w3 = w1 - 4;
    float* map = buffer(&map_b_, static_cast<size_t>(h2) * w1 * conv2.outputs);
    kernels_.convolve(pooled, h2, w1, conv2, map);

    float* logits = buffer(&logits_, static_cast<size_t>(w1) * 16);
    const float least = std::log(threshold / (1.0f - threshold));
    std::vector<Candidate> here;
    for (int y = 0; y < h3; ++y) {
      kernels_.convolve(map + static_cast<size_t>(y) * w1 * conv2.outputs, 1, w1, conv3, rows);
      kernels_.product(rows, conv3.outputs, 1, 0, conv3.outputs, head, logits, w3);
      for (int x = 0; x < w3; ++x) {
        const float* cell = logits + static_cast<size_t>(x) * head.outputs;
        if (!(cell[1] - cell[0] >= least)) continue;
        const float inverse = 1.0f / static_cast<float>(scale);
        const float left = static_cast<float>(kStride * x), top = static_cast<float>(kStride * y);
        Candidate candidate{};
        candidate.box = {left * inverse, top * inverse, (left + kCell) * inverse,
                         (top + kCell) * inverse};
        candidate.score = probability(cell);
        std::copy(cell + 2, cell + 6, candidate.edges);
        here.push_back(candidate);
      }
    }
    for (Candidate& candidate : suppressed(here, kNmsWithinScale, false)) {
      candidate.box = candidate.box.regressed(candidate.edges);
      found->push_back(candidate);
    }
  }

  // A level at height x width, bilinear, rounded to whole grey levels as images have them.
  const float* scaled(const Image& level, int height, int width) {
    float* out = buffer(&image_, static_cast<size_t>(height) * width * 3);
    float* blended = buffer(&blended_, static_cast<size_t>(level.width) * 3);
    std::vector<int> first(width), second(width);
    std::vector<float> weight(width);
    for (int x = 0; x < width; ++x) {
      const float at =
          std::max(0.0f, static_cast<float>((x + 0.5) * level.width / width - 0.5));
      const int index = std::min(static_cast<int>(at), level.width - 1);
      first[x] = 3 * index;
      second[x] = 3 * std::min(index + 1, level.width - 1);
      weight[x] = at - static_cast<float>(index);
    }
    float* pixel = out;
    for (int y = 0; y < height; ++y) {
      const float at =
          std::max(0.0f, static_cast<float>((y + 0.5) * level.height / height - 0.5));
      const int index = std::min(static_cast<int>(at), level.height - 1);
      const int next = std::min(index + 1, level.height - 1);
      kernels_.blend(level.pixels + index * level.stride, level.pixels + next * level.stride,
                     at - static_cast<float>(index), 3 * level.width, blended);
      for (int x = 0; x < width; ++x, pixel += 3) {
        const float *a = blended + first[x], *b = blended + second[x];
        for (int c = 0; c < 3; ++c)
          pixel[c] = static_cast<float>(static_cast<int>(a[c] + weight[x] * (b[c] - a[c]) + 0.5f));
      }
    }
    return out;
  }

  // A square of the image at side x side pixels; black outside. See ImagePyramid.squares.
  void crop(Pyramid& pyramid, const Box& square, int side, float* out) {
    const double step = std::max(square.right - square.left, 1.0f) / static_cast<double>(side);
    double scale;
    const Image& level = pyramid.level_for(std::min(1.0, 1.0 / step), &scale);
    const double level_step = step * scale;
    const double shift = (0.5 * step - 0.5) * scale + 0.5 * scale - 0.5;
    const double left = square.left * scale + shift, top = square.top * scale + shift;
    const double last = level_step * (side - 1);
    if (left >= 0.0 && top >= 0.0 && left + last < level.width - 1 && top + last < level.height - 1)
      sample_inside(level, left, top, level_step, side, out);
    else
      sample(level, left, top, level_step, side, out);
  }

  // Bilinear samples at left + step * u, top + step * v, all of whose neighbours the level has.
  void sample_inside(const Image& level, double left, double top, double step, int side,
                     float* out) {
    const int first = static_cast<int>(left);
    const int columns = static_cast<int>(left + step * (side - 1)) + 2 - first;
    float* blended = buffer(&blended_, static_cast<size_t>(columns) * 3);
    int offset[kOnetSide];
    float weight[kOnetSide];
    for (int u = 0; u < side; ++u) {
      const double x = left + step * u;
      offset[u] = 3 * (static_cast<int>(x) - first);
      weight[u] = static_cast<float>(x - static_cast<int>(x));
    }
    for (int v = 0; v < side; ++v) {
      const double y = top + step * v;
      const uint8_t* row = level.pixels + static_cast<int>(y) * level.stride + 3L * first;
      kernels_.blend(row, row + level.stride, static_cast<float>(y - static_cast<int>(y)),
                     3 * columns, blended);
      for (int u = 0; u < side; ++u, out += 3) {
        const float* pixel = blended + offset[u];
        for (int c = 0; c < 3; ++c)
          out[c] = static_cast<float>(
              static_cast<int>(pixel[c] + weight[u] * (pixel[c + 3] - pixel[c]) + 0.5f));
      }
    }
  }

  // The same where some neighbours are outside, and black.
  static void sample(const Image& level, double left, double top, double step, int side,
                     float* out) {
    std::fill(out, out + static_cast<size_t>(side) * side * 3, 0.0f);
    for (int v = 0; v < side; ++v) {
      const double y = top + step * v;
      const int row = static_cast<int>(std::floor(y));
      const float wy = static_cast<float>(y - row);
      for (int u = 0; u < side; ++u, out += 3) {
        const double x = left + step * u;
        const int column = static_cast<int>(std::floor(x));
        const float wx = static_cast<float>(x - column);
        for (int j = 0; j < 2; ++j)
          for (int i = 0; i < 2; ++i) {
            if (row + j < 0 || row + j >= level.height || column + i < 0 ||
                column + i >= level.width)
              continue;
            const float w = (j ? wy : 1.0f - wy) * (i ? wx : 1.0f - wx);
            const uint8_t* pixel = level.pixels + (row + j) * level.stride + 3L * (column + i);
            for (int c = 0; c < 3; ++c) out[c] += w * static_cast<float>(pixel[c]);
          }
        for (int c = 0; c < 3; ++c) out[c] = static_cast<float>(static_cast<int>(out[c] + 0.5f));
      }
    }
  }

  void cut(Pyramid& pyramid, const std::vector<Candidate>& found, int side) {
    const size_t size = static_cast<size_t>(side) * side * 3;
    buffer(&crops_, found.size() * size);
    for (size_t i = 0; i < found.size(); ++i)
      crop(pyramid, found[i].box, side, crops_.data() + i * size);
  }

  void run_rnet(Pyramid& pyramid, std::vector<Candidate>* found) {
    cut(pyramid, *found, kRnetSide);
    const Layer *l = layers_.data() + 4;
    float* flat = buffer(&flat_, found->size() * l[3].inputs);
    float* a = buffer(&map_a_, 22 * 24 * 32);
    float* b = buffer(&map_b_, kCrops * 11 * 11 * 28);
    float* c = buffer(&map_c_, kCrops * 9 * 9 * 48);
    for (size_t first = 0; first < found->size(); first += kCrops) {
      const int count = static_cast<int>(std::min(kCrops, found->size() - first));
      const Maps in{b, 11, 11, l[1].inputs}, out{c, 9, 9, l[1].outputs};
      for (int i = 0; i < count; ++i) {
        kernels_.convolve(crops_.data() + (first + i) * 24 * 24 * 3, 22, 24, l[0], a);
        kernels_.max_pool(a, 22, 22, 24, l[0].outputs, 3, in.at(i, 0, 0), 11, 11);
      }
      rnet_conv2_->run(in, count, false, out, scratch_);
      for (int i = 0; i < count; ++i) {
        kernels_.max_pool(out.at(i, 0, 0), 9, 9, 9, l[1].outputs, 3, b, 4, 4);
        kernels_.convolve(b, 3, 4, l[2], a);
        flatten(a, 3, 3, 4, l[2].outputs, flat + (first + i) * l[3].inputs);
      }
    }
    classify(flat, l[3], l[4], found, false);
  }

  void run_onet(Pyramid& pyramid, std::vector<Candidate>* found) {
    cut(pyramid, *found, kOnetSide);
    run_onet_on_crops(found);
  }

  void run_onet_on_crops(std::vector<Candidate>* found) {
    const Layer *l = layers_.data() + 9;
    float* flat = buffer(&flat_, found->size() * l[4].inputs);
    float* a = buffer(&map_a_, 46 * 48 * 32);
    float* b = buffer(&map_b_, kCrops * 23 * 23 * 32);
    float* c = buffer(&map_c_, kCrops * 21 * 21 * 64);
    for (size_t first = 0; first < found->size(); first += kCrops) {
      const int count = static_cast<int>(std::min(kCrops, found->size() - first));
      const Maps in2{b, 23, 23, l[1].inputs}, out2{c, 21, 21, l[1].outputs};
      const Maps in3{b, 10, 10, l[2].inputs}, out3{c, 8, 8, l[2].outputs};
      for (int i = 0; i < count; ++i) {
        kernels_.convolve(crops_.data() + (first + i) * 48 * 48 * 3, 46, 48, l[0], a);
        kernels_.max_pool(a, 46, 46, 48, l[0].outputs, 3, in2.at(i, 0, 0), 23, 23);
      }
      onet_conv2_->run(in2, count, false, out2, scratch_);
      for (int i = 0; i < count; ++i)
        kernels_.max_pool(out2.at(i, 0, 0), 21, 21, 21, l[1].outputs, 3, in3.at(i, 0, 0), 10, 10);
      onet_conv3_->run(in3, count, false, out3, scratch_);
      for (int i = 0; i < count; ++i) {
        kernels_.max_pool(out3.at(i, 0, 0), 8, 8, 8, l[2].outputs, 2, b, 4, 4);
        kernels_.convolve(b, 3, 4, l[3], a);
        flatten(a, 3, 3, 4, l[3].outputs, flat + (first + i) * l[4].inputs);
      }
    }
    classify(flat, l[4], l[5], found, true);
  }

  static void flatten(const float* map, int height, int width, int pitch, int channels,
                      float* out) {
    for (int y = 0; y < height; ++y, out += width * channels)
      std::copy_n(map + static_cast<size_t>(y) * pitch * channels, width * channels, out);
  }

  void classify(const float* flat, const Layer& dense, const Layer& heads,
                std::vector<Candidate>* found, bool with_landmarks) {
    const size_t count = found->size();
    float* hidden = buffer(&hidden_, count * dense.outputs);
    float* out = buffer(&logits_, count * heads.outputs);
    kernels_.product(flat, dense.inputs, 1, 0, dense.inputs, dense, hidden,
                     static_cast<long>(count));
    kernels_.product(hidden, heads.inputs, 1, 0, heads.inputs, heads, out,
                     static_cast<long>(count));
    for (size_t i = 0; i < count; ++i) {
      const float* row = out + i * heads.outputs;
      Candidate& candidate = (*found)[i];
      candidate.score = probability(row);
      std::copy(row + 2, row + 6, candidate.edges);
      if (with_landmarks) std::copy(row + 6, row + 16, candidate.landmarks);
    }
  }

  static float* buffer(std::vector<float>* storage, size_t size) {
    if (storage->size() < size + kSlack) storage->resize(size + kSlack);
    return storage->data();
  }

  const Kernels& kernels_;
  std::vector<Layer> layers_;
  std::optional<WinogradConvolution> rnet_conv2_, onet_conv2_, onet_conv3_;
  WinogradConvolution::Scratch scratch_;
  std::vector<float> image_, blended_, map_a_, map_b_, map_c_, rows_, logits_, crops_, flat_, hidden_;
};

constexpr int kRow = 15;  // left, top, right, bottom, probability, five (x, y)

int written(const std::vector<Candidate>& found, float* out, int capacity) {
  for (size_t i = 0; i < found.size() && i < static_cast<size_t>(capacity); ++i, out += kRow) {
    const Candidate& candidate = found[i];
    const float head[5] = {candidate.box.left, candidate.box.top, candidate.box.right,
                           candidate.box.bottom, candidate.score};
    std::copy(head, head + 5, out);
    std::copy(candidate.landmarks, candidate.landmarks + 10, out + 5);
  }
  return static_cast<int>(found.size());
}

}  // namespace

// The interface to Python. A Cascade serves one thread at a time; no call throws but for want of
// memory.
extern "C" {

// weights and shapes (kernel height, kernel width, inputs, outputs of each layer) must outlive the
// cascade.
EXPORTED void* fer_cascade_new(const float* weights, const int* shapes, int layers,
                      const char* instructions) {
  return new Cascade(weights, shapes, layers, fer::kernels_for(instructions));
}

EXPORTED void fer_cascade_delete(void* cascade) { delete static_cast<Cascade*>(cascade); }

// Returns the number of faces, which may exceed the capacity; out holds at most that many rows.
EXPORTED int fer_cascade_detect(void* cascade, const uint8_t* rgb, int height, int width, long stride,
                       float min_face, float factor, const float* thresholds, float* out,
                       int capacity) {
  const Image image{rgb, height, width, stride};
  return written(static_cast<Cascade*>(cascade)->detect(image, min_face, factor, thresholds), out,
                 capacity);
}

EXPORTED void fer_cascade_refine(void* cascade, const uint8_t* rgb, int height, int width, long stride,
                        const float* squares, int count, float* out) {
  const Image image{rgb, height, width, stride};
  written(static_cast<Cascade*>(cascade)->refine(image, squares, count), out, count);
}
}
