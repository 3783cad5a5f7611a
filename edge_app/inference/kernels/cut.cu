// Pictures into the inputs of networks, on the GPU: letterboxing frames, cutting out people and
// garments, straight from a frame in device memory into the next network's batch.
//
// Every output pixel has a thread. The arithmetic is that of OpenCV's bilinear and area resizing and
// of its conversion from NV12, so that both devices see the same pictures; the same source compiles
// on the host (-DON_HOST), where the tests compare it with OpenCV. Inputs of networks are uint8
// NHWC, BGR: normalisation and layout are inside the networks.

#ifdef ON_HOST
#include <math.h>
#define DEVICE static inline
#else
#define DEVICE __device__ __forceinline__
#endif

// What to cut out of the source, and where it goes. Eight ints, as the caller packs them.
struct Job {
    int x, y, width, height;         // box in the source, in pixels, inside it
    int inner_width, inner_height;   // what it is resized to, at the top left of the output
    int is_area;                     // 1: average over areas (much smaller), 0: bilinear
    int padding;                     // grey level of the rest
};

// BGR pictures have one plane; NV12 has luma, then chroma of half the size with U and V in turn.
struct Source {
    const unsigned char* plane;
    const unsigned char* chroma;
    int pitch;                       // bytes per row, of both planes
};

DEVICE int clamp_int(int value, int low, int high) {
    return value < low ? low : (value > high ? high : value);
}

DEVICE unsigned char to_level(float value) {
    return (unsigned char)clamp_int((int)floorf(value + 0.5f), 0, 255);
}

// ITU-R BT.601, limited range, in 20 bits of fixed point, as OpenCV has it.
DEVICE void read_nv12(Source source, int x, int y, float* bgr) {
    const int luma = source.plane[y * source.pitch + x];
    const unsigned char* pair = source.chroma + (y / 2) * source.pitch + (x / 2) * 2;
    const int u = pair[0] - 128, v = pair[1] - 128;
    const int base = (luma > 16 ? luma - 16 : 0) * 1220542 + (1 << 19);
    bgr[0] = (float)clamp_int((base + 2116026 * u) >> 20, 0, 255);
    bgr[1] = (float)clamp_int((base - 409993 * u - 852492 * v) >> 20, 0, 255);
    bgr[2] = (float)clamp_int((base + 1673527 * v) >> 20, 0, 255);
}

DEVICE void read_bgr(Source source, int x, int y, float* bgr) {
    const unsigned char* pixel = source.plane + y * source.pitch + 3 * x;
    for (int c = 0; c < 3; ++c) bgr[c] = (float)pixel[c];
}

template <bool IS_NV12>
DEVICE void read(Source source, const Job& job, int x, int y, float* bgr) {
    x = job.x + clamp_int(x, 0, job.width - 1);
    y = job.y + clamp_int(y, 0, job.height - 1);
    if (IS_NV12) read_nv12(source, x, y, bgr);
    else read_bgr(source, x, y, bgr);
}

// One scale per axis: the resized sizes are rounded, and a common scale would drift.
template <bool IS_NV12>
DEVICE void bilinear(Source source, const Job& job, int x, int y, float* bgr) {
    const float at_x = (x + 0.5f) * ((float)job.width / job.inner_width) - 0.5f;
    const float at_y = (y + 0.5f) * ((float)job.height / job.inner_height) - 0.5f;
    const int left = (int)floorf(at_x), top = (int)floorf(at_y);
    const float right_share = at_x - left, low_share = at_y - top;
    float a[3], b[3], c[3], d[3];
    read<IS_NV12>(source, job, left, top, a);
    read<IS_NV12>(source, job, left + 1, top, b);
    read<IS_NV12>(source, job, left, top + 1, c);
    read<IS_NV12>(source, job, left + 1, top + 1, d);
    for (int i = 0; i < 3; ++i) {
        const float upper = a[i] + (b[i] - a[i]) * right_share;
        const float lower = c[i] + (d[i] - c[i]) * right_share;
        bgr[i] = upper + (lower - upper) * low_share;
    }
}

template <bool IS_NV12>
DEVICE void area(Source source, const Job& job, int x, int y, float* bgr) {
    const float scale_x = (float)job.width / job.inner_width;
    const float scale_y = (float)job.height / job.inner_height;
    const float left = x * scale_x, right = fminf(left + scale_x, (float)job.width);
    const float top = y * scale_y, low = fminf(top + scale_y, (float)job.height);
    float sums[3] = {0.0f, 0.0f, 0.0f}, weights = 0.0f;
    for (int row = (int)top; row < (int)ceilf(low); ++row) {
        const float high_share = fminf(low, row + 1.0f) - fmaxf(top, (float)row);
        for (int column = (int)left; column < (int)ceilf(right); ++column) {
            const float share =
                high_share * (fminf(right, column + 1.0f) - fmaxf(left, (float)column));
            float pixel[3];
            read<IS_NV12>(source, job, column, row, pixel);
            for (int i = 0; i < 3; ++i) sums[i] += pixel[i] * share;
            weights += share;
        }
    }
    for (int i = 0; i < 3; ++i) bgr[i] = sums[i] / weights;
}

template <bool IS_NV12>
DEVICE void fill(Source source, const Job& job, int x, int y, unsigned char* out) {
    float bgr[3];
    if (x >= job.inner_width || y >= job.inner_height) {
        bgr[0] = bgr[1] = bgr[2] = (float)job.padding;
    } else if (job.is_area) {
        area<IS_NV12>(source, job, x, y, bgr);
    } else {
        bilinear<IS_NV12>(source, job, x, y, bgr);
    }
    for (int i = 0; i < 3; ++i) out[i] = to_level(bgr[i]);
}

#ifdef ON_HOST

extern "C" void cut(const unsigned char* plane, const unsigned char* chroma, int pitch,
                    const Job* jobs, int count, int width, int height, unsigned char* out) {
    const Source source = {plane, chroma, pitch};
    for (int n = 0; n < count; ++n)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x, out += 3) {
                if (chroma) fill<true>(source, jobs[n], x, y, out);
                else fill<false>(source, jobs[n], x, y, out);
            }
}

#else

// Blocks of the grid: x and y over the output, z over the jobs.
template <bool IS_NV12>
DEVICE void cut(Source source, const Job* jobs, int width, int height, unsigned char* out) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;
    const size_t pixel = ((size_t)blockIdx.z * height + y) * width + x;
    fill<IS_NV12>(source, jobs[blockIdx.z], x, y, out + 3 * pixel);
}

extern "C" __global__ void cut_bgr(const unsigned char* plane, int pitch, const Job* jobs,
                                   int width, int height, unsigned char* out) {
    const Source source = {plane, nullptr, pitch};
    cut<false>(source, jobs, width, height, out);
}

extern "C" __global__ void cut_nv12(const unsigned char* plane, const unsigned char* chroma,
                                    int pitch, const Job* jobs, int width, int height,
                                    unsigned char* out) {
    const Source source = {plane, chroma, pitch};
    cut<true>(source, jobs, width, height, out);
}

#endif
