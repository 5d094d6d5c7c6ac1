/* Six kernels that compute, without a C library. */
#define EXPORT(name) __attribute__((export_name(#name)))
typedef unsigned u32;
typedef unsigned char u8;
typedef unsigned long long u64;

void *memcpy(void *to, const void *from, __SIZE_TYPE__ n) {
  u8 *t = to;
  const u8 *f = from;
  while (n--) *t++ = *f++;
  return to;
}

static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
EXPORT(fib) double fib(int n) { return fibonacci(n); }

static const double PLANETS[5][7] = {
  {0, 0, 0, 0, 0, 0, 39.47841760435743},
  {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626016, -0.02521836165988763, 0.03769367487038949},
  {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879236, 1.82566237123041186, 0.00841576137658415, 0.01128632613196877},
  {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.08279100644153536, 0.86871301816960822, -0.0108326374013636, 0.00172372405705971},
  {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.97909073224389798, 0.594698998647676, -0.0347559555504078, 0.00203368686992463},
};
static double bodies[5][7];

EXPORT(nbody) double nbody(int n) {
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 7; j++) bodies[i][j] = PLANETS[i][j];
  for (int step = 0; step < n; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double *a = bodies[i], *b = bodies[j];
        double dx = a[0] - b[0], dy = a[1] - b[1], dz = a[2] - b[2];
        double square = dx * dx + dy * dy + dz * dz, pull = 0.01 / (square * __builtin_sqrt(square));
        a[3] -= dx * b[6] * pull;
        a[4] -= dy * b[6] * pull;
        a[5] -= dz * b[6] * pull;
        b[3] += dx * a[6] * pull;
        b[4] += dy * a[6] * pull;
        b[5] += dz * a[6] * pull;
      }
    for (int i = 0; i < 5; i++)
      for (int axis = 0; axis < 3; axis++) bodies[i][axis] += 0.01 * bodies[i][axis + 3];
  }
  return bodies[0][0];
}

static double u[400], v[400], t[400];
static double cell(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }
static void multiply(int n, double *from, double *to, int transposed) {
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += (transposed ? cell(j, i) : cell(i, j)) * from[j];
    to[i] = sum;
  }
}
EXPORT(spectral) double spectral(int n) {
  for (int i = 0; i < n; i++) u[i] = 1;
  for (int i = 0; i < 10; i++) {
    multiply(n, u, t, 0);
    multiply(n, t, v, 1);
    multiply(n, v, t, 0);
    multiply(n, t, u, 1);
  }
  double uv = 0, vv = 0;
  for (int i = 0; i < n; i++) uv += u[i] * v[i], vv += v[i] * v[i];
  return __builtin_sqrt(uv / vv);
}

EXPORT(mandel) double mandel(int n) {
  int count = 0;
  for (int y = 0; y < n; y++)
    for (int x = 0; x < n; x++) {
      double cr = 2.0 * x / n - 1.5, ci = 2.0 * y / n - 1, zr = 0, zi = 0;
      int i = 0;
      for (; i < 50 && zr * zr + zi * zi < 4; i++) {
        double next = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = next;
      }
      count += i;
    }
  return count;
}

EXPORT(collatz) double collatz(int n) {
  int best = 0;
  for (int i = 1; i < n; i++) {
    u64 x = i;
    int steps = 0;
    while (x != 1) {
      x = x & 1 ? 3 * x + 1 : x >> 1;
      steps++;
    }
    if (steps > best) best = steps;
  }
  return best;
}

static const u32 K[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static u32 rotated(u32 x, int n) { return x >> n | x << (32 - n); }
static void block(u32 *h, const u8 *p) {
  u32 w[64];
  for (int i = 0; i < 16; i++) w[i] = (u32)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 a = w[i - 15], b = w[i - 2];
    u32 s0 = rotated(a, 7) ^ rotated(a, 18) ^ a >> 3, s1 = rotated(b, 17) ^ rotated(b, 19) ^ b >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], x = h[7];
  for (int i = 0; i < 64; i++) {
    u32 t1 = x + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
    u32 t2 = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    x = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += x;
}
static u8 bytes[1024];
EXPORT(sha) double sha(int n) {
  u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (int i = 0; i < 1024; i++) bytes[i] = i * 7;
  for (int k = 0; k < n; k++)
    for (int at = 0; at < 1024; at += 64) block(h, bytes + at);
  return h[0];
}
