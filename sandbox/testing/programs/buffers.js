// Typed arrays, DataView, byte order, and the bits of what is not a number.

const KINDS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
]
const bytesIn = (x) => Array.from(new Uint8Array(x.buffer), (b) => b.toString(16).padStart(2, '0')).join('')

export const conversions = () =>
  KINDS.map((Kind) =>
    show(
      Array.from(
        Kind.from([
          0,
          -0,
          1.5,
          -1.5,
          2.5,
          127.5,
          128,
          255,
          256,
          -129,
          2 ** 31,
          2 ** 32 + 5,
          1e20,
          NaN,
          Infinity,
          '12',
          null,
          undefined,
        ]),
      ),
    ),
  )

export const byteOrder = () => [
  bytesIn(new Uint16Array([1, 0x203])),
  bytesIn(new Uint32Array([0x1020304])),
  bytesIn(new Float64Array([1])),
  bytesIn(new Float32Array([-2])),
  bytesIn(new BigInt64Array([-2n])),
]

export const views = () => {
  const view = new DataView(new ArrayBuffer(32), 4)
  view.setInt16(0, -2)
  view.setInt16(2, -2, true)
  view.setFloat32(4, 0.1)
  view.setFloat64(8, 0.1, true)
  view.setBigUint64(16, 2n ** 64n - 2n)
  return [
    bytesIn(view),
    view.getUint16(0),
    view.getUint16(0, true),
    view.getInt32(4),
    show(view.getFloat64(8)),
    view.getBigInt64(16).toString(),
    caught(() => view.getInt32(26)),
    caught(() => view.setInt8(-1, 0)),
    caught(() => new DataView(view.buffer, 33)),
  ]
}

export const float16 = () =>
  caught(() => {
    const v = new DataView(new ArrayBuffer(2))
    return [65504, 65520, 1e-8, 5.96e-8, NaN, 0.1, -0].map((x) => (v.setFloat16(0, x), v.getUint16(0).toString(16)))
  })

export const notNumbers = () => {
  const payloads = [
    0x7ff8000000000000n,
    0xfff8000000000000n,
    0x7ff0000000000001n,
    0xffffffffffffffffn,
    0x7ff8dead0000beefn,
  ]
  const big = new BigUint64Array(1)
  const double = new Float64Array(big.buffer)
  const out = []
  for (const payload of payloads) {
    big[0] = payload
    const x = double[0]
    double[0] = x
    out.push(big[0].toString(16))
    double[0] = -x
    out.push(big[0].toString(16))
    double[0] = x + 1
    out.push(big[0].toString(16))
    double[0] = Math.abs(x)
    out.push(big[0].toString(16))
  }
  return out
}

export const notNumbersMade = () => {
  const big = new BigUint64Array(1)
  const double = new Float64Array(big.buffer)
  const zero = double[0]
  const make = [
    () => zero / zero,
    () => Infinity - Infinity,
    () => Infinity * zero,
    () => Math.sqrt(-1 - zero),
    () => (zero - 1) ** 0.5,
    () => Math.log(-1),
    () => zero % zero,
    () => Math.sin(Infinity),
    () => Math.atan2(NaN, 1),
    () => Math.max(NaN, 1),
    () => Math.fround(NaN),
    () => Math.hypot(NaN),
    () => Math.cbrt(NaN),
    () => Number('no'),
    () => Math.trunc(NaN),
    () => Math.round(-NaN),
  ]
  return make.map((f) => {
    double[0] = f()
    return big[0].toString(16)
  })
}

export const notNumbersNarrowed = () => {
  const bytes = new Uint32Array(2)
  const float = new Float32Array(bytes.buffer)
  const out = []
  for (const bits of [0x7fc00000, 0xffc00001, 0x7f800001, 0xff812345, 0x7fffffff]) {
    bytes[0] = bits
    float[1] = float[0]
    out.push(bytes[1].toString(16))
    new Float64Array(1)[0] = float[0]
    const copied = new Float32Array(float)
    out.push(new Uint32Array(copied.buffer)[0].toString(16))
    out.push(new Uint32Array(float.slice().buffer)[0].toString(16))
    out.push(new BigUint64Array(Float64Array.from(float).buffer)[0].toString(16))
  }
  return out
}

export const filled = () => {
  const f = new Float32Array(8)
    .fill(NaN, 0, 2)
    .fill(0 / 0, 2, 4)
    .fill(-NaN, 4, 6)
  const d = new Float64Array(4).fill(Infinity - Infinity)
  return [bytesIn(f), bytesIn(d), show([...f.map((x) => x * 0)])]
}

export const sumsOfFloats = () => {
  const next = numbersFrom(31)
  const f = Float32Array.from({ length: 1000 }, () => next() / 1e5)
  let [narrow, wide] = [new Float32Array(1), 0]
  for (const x of f) {
    narrow[0] += x
    wide += x
  }
  return [bits(narrow[0]), bits(wide), bits(f.reduce((a, b) => Math.fround(a * 0.5 + b)))]
}

export const copying = () => {
  const a = Uint8Array.from({ length: 10 }, (_, i) => i)
  a.copyWithin(2, 0, 6)
  const b = new Uint16Array(a.buffer, 2, 3)
  b.set([0xffff], 1)
  a.set(a.subarray(0, 4), 3)
  const c = a.slice(-3)
  c.fill(9)
  return [
    Array.from(a),
    Array.from(b),
    Array.from(c),
    a.subarray(2, 4).byteOffset,
    caught(() => a.set([1], 10)),
    caught(() => new Uint16Array(a.buffer, 1)),
  ]
}

export const searching = () => {
  const f = new Float64Array([NaN, -0, 0, 1])
  return [
    f.indexOf(NaN),
    f.includes(NaN),
    f.indexOf(0),
    f.lastIndexOf(-0),
    f.findLast((x) => x < 1) === 0,
    f.at(-1),
    f.join(),
    f.toString(),
    f.toSorted().join(),
    f.with(0, 5)[0],
  ]
}

export const resizing = () =>
  caught(() => {
    const buffer = new ArrayBuffer(4, { maxByteLength: 16 })
    const all = new Uint8Array(buffer)
    const tail = new Uint8Array(buffer, 2)
    const fixed = new Uint8Array(buffer, 0, 4)
    buffer.resize(8)
    const grown = [all.length, tail.length, fixed.length]
    buffer.resize(1)
    return [
      ...grown,
      all.length,
      tail.length,
      fixed.length,
      caught(() => buffer.resize(17)),
      caught(() => tail.fill(1)),
    ]
  })

export const transferring = () =>
  caught(() => {
    const buffer = new Uint8Array([1, 2, 3]).buffer
    const view = new Uint8Array(buffer)
    const moved = buffer.transfer(5)
    return [
      buffer.byteLength,
      buffer.detached,
      view.length,
      show(view[0]),
      moved.byteLength,
      new Uint8Array(moved).join(),
      caught(() => buffer.slice(0)),
    ]
  })

export const bigArrays = () => {
  const a = new BigInt64Array([2n ** 63n, -1n, 5n])
  const u = new BigUint64Array(a.buffer)
  return [
    show([...a]),
    show([...u]),
    caught(() => (a[0] = 1)),
    caught(() => a.fill(1.5)),
    show([...a.map((x) => x * 2n)]),
    caught(() => new Int8Array([1n])),
    caught(() => new BigInt64Array([1])),
  ]
}

export const odd = () => {
  const a = new Uint8Array(2)
  a[5] = 1
  a['-0'] = 1
  a['1.5'] = 2
  a.x = 3
  return [
    Object.keys(a),
    '5' in a,
    a['-0'] === undefined,
    Object.getOwnPropertyDescriptor(a, 0),
    caught(() => Object.defineProperty(a, 0, { value: 1, writable: false })),
    caught(() => Object.freeze(a)),
    new Uint8Array([, 1]).join(),
    new Uint8Array({ length: 2, 0: '7' }).join(),
  ]
}

export const checksum = () => {
  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
    return n
  })
  let crc = -1
  for (const byte of new TextEncoder().encode('The quick brown fox jumps over the lazy dog'))
    crc = table[(crc ^ byte) & 255] ^ (crc >>> 8)
  return ((crc ^ -1) >>> 0).toString(16)
}

export const sha256 = () => {
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) >>> 0
  const primes = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n)
  const k = primes.map((p) => fraction(Math.cbrt(p)))
  const h = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)))
  const text = new TextEncoder().encode('abc'.repeat(50))
  const message = new Uint8Array(((text.length + 8) >> 6) * 64 + 64)
  message.set(text)
  message[text.length] = 0x80
  new DataView(message.buffer).setUint32(message.length - 4, text.length * 8)
  const right = (x, n) => (x >>> n) | (x << (32 - n))
  for (let at = 0; at < message.length; at += 64) {
    const w = Array.from({ length: 16 }, (_, i) => new DataView(message.buffer).getInt32(at + 4 * i))
    for (let i = 16; i < 64; i++) {
      const [a, b] = [w[i - 15], w[i - 2]]
      w[i] =
        (w[i - 16] + (right(a, 7) ^ right(a, 18) ^ (a >>> 3)) + w[i - 7] + (right(b, 17) ^ right(b, 19) ^ (b >>> 10))) |
        0
    }
    let [a, b, c, d, e, f, g, z] = h
    for (let i = 0; i < 64; i++) {
      const t1 = (z + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0
      const t2 = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
      ;[z, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0]
    }
    ;[a, b, c, d, e, f, g, z].forEach((x, i) => (h[i] = (h[i] + x) | 0))
  }
  return h.map((x) => (x >>> 0).toString(16).padStart(8, '0')).join('')
}

export const atomics = () => caught(() => Atomics.add(new Int32Array(2), 0, 5))
