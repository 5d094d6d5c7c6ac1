/** Encoded items at the edges of the rules, for the fuzzer to put where something else stood. */

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/** Canonical and not: the reader has to tell. */
export const ODD_ITEMS = [
  // integers: each width at its least and just below, 2^53 - 1 and past it, both signs
  '00 01 17 1800 1817 1818 18ff 1900ff 190100 1a0000ffff 1a00010000 1b00000000ffffffff 1b0000000100000000',
  '1b001fffffffffffff 1b0020000000000000 1bffffffffffffffff 20 37 3817 3818 3b001ffffffffffffe 3b001fffffffffffff',
  '3b7fffffffffffffff',
  // floats: 1.5, 1.0, -0, NaN, infinities, 2^53, 1e300; of 16 and 32 bits
  'fb3ff8000000000000 fb3ff0000000000000 fb8000000000000000 fb7ff8000000000000 fb7ff0000000000000 fbfff0000000000000',
  'fb4340000000000000 fb7e37e43c8800759c f93e00 f97e00 f98000 fa3fc00000 fa7f800000',
  // simple values
  'f4 f5 f6 f7 f820 f8ff e0 ff',
  // empty things, and things without a length
  '40 60 80 a0 5f4100ff 5fff 7f6161ff 9fff 9f00ff bfff 1c 3d 5e 7c 9d be',
  // text: "/", "__proto__", "constructor", "toString", U+FEFF, lone surrogate, broken, overlong, U+1F600
  '612f 695f5f70726f746f5f5f 6b636f6e7374727563746f72 68746f537472696e67 63efbbbf 63eda080 62c328 62c0af 64f09f9880',
  // a map {"/": {"bigint": "1"}}, the same with other text, with bytes, and {"/": null}
  'a1612fa166626967696e746131 a1612fa166626967696e74623031 a1612fa1656279746573644141413d a1612ff6',
  // tags: a date, a bigint, nothing under 42, a CID that is too short, of another codec, version 0
  'c000 c24101 d82a40 d82a4100 d82a450001551220',
  `d82a58250001701220${'ab'.repeat(32)} d82a5823001220${'ab'.repeat(32)} d82a58250001551220${'ab'.repeat(32)}`,
  // maps: a key twice, keys out of order, keys that are not text
  'a2616100616100 a2616200616100 a262616100616200 a10000 a1410000',
]
  .join(' ')
  .split(' ')
  .map(hex)

/** Names that are something on every object, and names of other fields. */
export const ODD_KEYS = [
  '',
  '/',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  'then',
  'toJSON',
  'asCID',
  'bytes',
  'v',
  't',
  'id',
  'x',
  '\u{feff}v',
  'a name of a field that is a little longer than most',
].map((name) => new TextEncoder().encode(name))
