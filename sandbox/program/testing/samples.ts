/** Functions with WebAssembly in them that must come out the same on every host: of C, of AssemblyScript, and carried by JavaScript. */
import { bundle } from '../../../sdk/bundle/bundle.ts'
import { temporaryProject } from '../../../sdk/bundle/temporary-project.ts'
import { compileAssemblyScript, compileWasi } from '../../../sdk/bundle/wasm/testing/compile.ts'
import type { CarriedProgram } from '../../testing/carried.ts'
import { metered } from './programs.ts'

/** What a command does is chosen by the first byte of its input. */
const COMMAND = `
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
typedef int (*Two)(int, int);
static int add(int a, int b) { return a + b; }
static int one(int a) { return a + 1; }
static void *volatile table[] = { (void *)add, (void *)one, 0 };
static volatile int zero;
static int deep(int n) { volatile char frame[64]; frame[n & 63] = (char)n; return n == 0 ? 0 : 1 + deep(n - 1) + frame[0] * zero; }
static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static uint32_t K[64];
static uint32_t rotr(uint32_t x, int n) { return x >> n | x << (32 - n); }
/* SHA-256 (FIPS 180-4); the constants are computed, as it says, from the roots of the first primes. */
static uint32_t part(double root) { return (uint32_t)((root - floor(root)) * 4294967296.0); }
static void sha256(const uint8_t *text, size_t length) {
  uint32_t h[8], w[64];
  int count = 0;
  for (int p = 2; count < 64; p++) {
    int prime = 1;
    for (int d = 2; d * d <= p; d++) if (p % d == 0) prime = 0;
    if (!prime) continue;
    if (count < 8) h[count] = part(sqrt(p));
    K[count++] = part(cbrt(p));
  }
  size_t padded = (length + 8) / 64 * 64 + 64;
  uint8_t *bytes = calloc(padded, 1);
  memcpy(bytes, text, length);
  bytes[length] = 0x80;
  for (int i = 0; i < 8; i++) bytes[padded - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
  for (size_t at = 0; at < padded; at += 64) {
    for (int i = 0; i < 16; i++) w[i] = bytes[at + 4 * i] << 24 | bytes[at + 4 * i + 1] << 16 | bytes[at + 4 * i + 2] << 8 | bytes[at + 4 * i + 3];
    for (int i = 16; i < 64; i++) w[i] = w[i - 16] + (rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] + (rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10);
    uint32_t v[8];
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
      uint32_t t1 = v[7] + (rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[i] + w[i];
      uint32_t t2 = (rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
      memmove(v + 1, v, 28);
      v[4] += t1;
      v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
  }
  for (int i = 0; i < 8; i++) printf("%08x", h[i]);
}
static void words(char *text) {
  char *found[256];
  size_t count = 0;
  for (char *word = strtok(text, " "); word && count < 256; word = strtok(NULL, " ")) found[count++] = word;
  qsort(found, count, sizeof *found, compare);
  for (size_t i = 0; i < count; i++) printf("%s %.6g\\n", found[i], atof(found[i]));
}
int main(void) {
  static char text[4096];
  size_t length = fread(text, 1, sizeof text - 1, stdin);
  struct timespec now;
  uint8_t chance[40];
  switch (text[0]) {
    case 's': sha256((uint8_t *)text + 1, length - 1); return 0;
    case 'w': words(text + 1); return 0;
    case 'm': for (double x = 0.1; x < 5; x *= 1.7) printf("%.17g %.17g %.17g %a\\n", sin(x), exp(x), pow(x, x), log(x)); return 0;
    case 'n': { volatile double nan = zero / 0.0, other = -nan; uint64_t bits; double d = other * 2 + nan; memcpy(&bits, &d, 8); printf("%llx", (unsigned long long)bits); return 0; }
    case 'r': getentropy(chance, sizeof chance); for (int i = 0; i < 40; i++) printf("%02x", chance[i]); return 0;
    case 'c': clock_gettime(CLOCK_REALTIME, &now); printf("%lld %s", (long long)now.tv_sec, getenv("HOME") ? "home" : "nowhere"); return 0;
    case 'g': { size_t got = 0; while (malloc(1 << 16)) got++; printf("%zu", got); return 0; }
    case 'e': fprintf(stderr, "no\\nmore"); return 7;
    case 'a': abort();
    case 'd': return deep(atoi(text + 1));
    case 'z': return 1 / zero;
    case 'o': return *(volatile int *)(0x7fffff00 + zero);
    case 'i': return ((Two)table[1])(1, 2);
    case 'u': return ((Two)table[2])(1, 2);
    case 'x': return (int)(1e300 * (1 + zero));
    case 'f': fopen("/etc/passwd", "r") ? puts("opened") : puts("not opened"); return 0;
    case 'l': for (;;) zero = 0;
    case 'p': for (;;) fwrite(text, 1, sizeof text, stdout);
  }
  return 1;
}
`
const COMMAND_INPUTS = 'sabc|s|wpear 3.25 apple 1e3|m|n|r|c|g|e|a|d100|d1000000|z|o|i|u|x|f|l|p|?'.split('|')

const FUNCTIONS = `
export function alloc(length: i32): usize { return heap.alloc(length) }
function bytesOf(text: string): u64 {
  const out = String.UTF8.encode(text)
  return ((<u64>changetype<usize>(out)) << 32) | <u64>out.byteLength
}
export function upper(at: usize, length: i32): u64 { return bytesOf(String.UTF8.decodeUnsafe(at, length).toUpperCase()) }
export function numbers(at: usize, length: i32): u64 {
  let text = ''
  for (let x: f64 = 0.3; x < 50; x *= 2.3) text += Math.sin(x).toString() + ' ' + Math.pow(x, 0.3).toString() + '\\n'
  return bytesOf(text)
}
export function objects(at: usize, length: i32): u64 {
  const seen = new Map<string, i32>()
  for (let i = 0; i < 2000; i++) seen.set('k' + (i % 97).toString(), i)
  const keys = seen.keys().sort()
  return bytesOf(keys.join(',') + seen.get('k3').toString())
}
export function fails(at: usize, length: i32): u64 { throw new Error('no luck') }
function sink(n: i32): i32 { return n == 0 ? 0 : 1 + (sink(n - 1) ^ n) }
export function deep(at: usize, length: i32): u64 { return sink(1000000 + length) }
export function outside(at: usize, length: i32): u64 { return 0xffffff00ffffff00 }
`

const JAVASCRIPT = `
import kernel from './functions.as.ts'
const call = (name, text) => {
  const bytes = new TextEncoder().encode(text)
  const at = kernel.alloc(bytes.length)
  kernel.memory.write(at, bytes)
  const packed = BigInt.asUintN(64, kernel[name](at, bytes.length))
  return new TextDecoder().decode(kernel.memory.read(Number(packed >> 32n), Number(packed & 0xffffffffn)))
}
const count = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum }
export default (text) => [call('upper', text), count(20000), call('objects', ''), count(20000), call('numbers', '').length]
export const caught = () => { try { call('fails', '') } catch (error) { return error.message } }
`

const base64 = (...parts: Uint8Array[]): string => Buffer.concat(parts).toString('base64')

export const carriedPrograms = async (): Promise<CarriedProgram[]> => {
  const project = temporaryProject({ 'main.ts': JAVASCRIPT, 'functions.as.ts': FUNCTIONS })
  const { code, modules = [] } = await bundle('main.ts', { cwd: project })
  const input = (text: string) => JSON.stringify({ '/': { bytes: Buffer.from(text).toString('base64') } })
  const exported = ['upper', 'numbers', 'objects', 'fails', 'deep', 'outside', 'nothing']
  return [
    {
      ...{ name: 'command', tier: 'webassembly', modules: [] },
      code: base64(await metered(compileWasi(COMMAND, '-lm', '-fno-builtin'))),
      // One that takes all of its memory has many ticks, and computes little.
      runs: COMMAND_INPUTS.map((text) => ({ exportName: 'default', input: input(text), traced: text === 'g' })),
    },
    {
      ...{ name: 'functions', tier: 'webassembly', modules: [] },
      code: base64(await metered(await compileAssemblyScript(FUNCTIONS))),
      runs: exported.map((exportName) => ({ exportName, input: '"Straße"' })),
    },
    {
      ...{ name: 'carried', tier: 'javascript', modules: modules.map(({ length }) => length) },
      code: base64(code, ...modules),
      runs: ['default', 'caught'].map((exportName) => ({ exportName, input: '"Straße"', traced: true })),
    },
  ]
}
