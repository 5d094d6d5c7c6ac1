// Floating point: functions of Math, printing, parsing, rounding, and the edges of the format.

const SAMPLES = [0, -0, 1, -1, 0.1, 0.5, 1.5, -2.5, 1e-7, 1e21, 123456789.123, 2 ** 53, 5e-324, 1.7976931348623157e308]

const applied = (names, samples = SAMPLES) => names.map((name) => `${name} ${samples.map((x) => bits(Math[name](x)))}`)

export const trigonometry = () =>
  applied(['sin', 'cos', 'tan', 'asin', 'acos', 'atan'], [...SAMPLES, 3.141592653589793, 1e15, 1e300, Infinity])

export const hyperbolic = () => applied(['sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh'], [...SAMPLES, 709, 711])

export const exponentials = () =>
  applied(['exp', 'expm1', 'log', 'log1p', 'log2', 'log10', 'cbrt', 'sqrt'], [...SAMPLES, 745.2, -745.2, 1e-300])

export const roundings = () =>
  applied(
    ['round', 'floor', 'ceil', 'trunc', 'fround', 'sign', 'abs'],
    [...SAMPLES, 0.49999999999999994, 4503599627370495.5, -0.5, 2147483647.5, 1.401298464324817e-45],
  )

export const powers = () => {
  const out = []
  for (const x of [0, -0, 1, -1, 2, 0.5, -8, 10, 1.0000000000000002, Infinity, -Infinity, NaN])
    for (const y of [0, 0.5, 1 / 3, -1, 2, 3, 53, 1023, -1074, 1e10, Infinity, NaN]) out.push(bits(x ** y))
  return out
}

export const angles = () => {
  const out = []
  for (const y of [0, -0, 1, -1, 1e-300, Infinity, -Infinity])
    for (const x of [0, -0, 1, -1, 1e300, Infinity, -Infinity]) out.push(bits(Math.atan2(y, x)))
  return out
}

export const hypotenuses = () => [
  Math.hypot(),
  Math.hypot(3, 4),
  Math.hypot(1e200, 1e200),
  Math.hypot(1e-200, 1e-200),
  Math.hypot(1, 2, 3, 4, 5, 6),
  Math.hypot(NaN, Infinity) === Infinity ? 1 : 0,
]

export const manyAngles = () => {
  let sum = 0
  for (let i = 0; i < 3000; i++) sum += Math.sin(i * 0.37) * Math.cos(i / 7) + Math.tan(i / 1000)
  return bits(sum)
}

export const manyLogarithms = () => {
  let sum = 0
  for (let i = 1; i < 3000; i++) sum += Math.log(i) * Math.exp(-i / 500) + i ** 0.3 - Math.cbrt(i)
  return bits(sum)
}

export const printed = () =>
  [
    ...SAMPLES,
    1 / 3,
    2 / 3,
    1e-6,
    1e-7,
    1e20,
    1e21,
    4.35,
    0.000001234,
    9007199254740993,
    5e-324,
    2.2250738585072014e-308,
  ].flatMap((x) => [String(x), `${-x}`])

export const printedAtRandom = () => {
  const next = numbersFrom(7)
  const view = new DataView(new ArrayBuffer(8))
  const out = []
  while (out.length < 300) {
    view.setUint32(0, next())
    view.setUint32(4, next())
    const x = view.getFloat64(0)
    if (Number.isFinite(x)) out.push(String(x))
  }
  return out
}

export const readBack = () => {
  const next = numbersFrom(8)
  const view = new DataView(new ArrayBuffer(8))
  let wrong = 0
  for (let i = 0; i < 500; i++) {
    view.setUint32(0, next() & 0xffdfffff)
    view.setUint32(4, next())
    const x = view.getFloat64(0)
    if (!Number.isNaN(x) && !Object.is(Number(String(x)), x)) wrong++
  }
  return wrong
}

export const inRadix = () => {
  const out = []
  for (const x of [0.1, 255, -255.5, 1e21, 2 ** 60, 1 / 3, 123.456])
    for (const radix of [2, 3, 7, 16, 36]) out.push(x.toString(radix))
  return out
}

export const toFixed = () => {
  const out = []
  for (const x of [0, -0, 1.005, 1.45, 8.345, 10.235, 1e20, 1e21, 0.000001, 123.456, -1.5, 2.5, 1.255])
    for (const digits of [0, 1, 2, 10, 20]) out.push(x.toFixed(digits))
  return out
}

export const toPrecision = () => {
  const out = []
  for (const x of [0, 1.25, 1.35, 123456, 1e21, 1e-7, 0.00001, 99.99, 5e-324])
    for (const digits of [1, 2, 3, 15, 21, 100]) out.push(x.toPrecision(digits))
  return out
}

export const toExponential = () => {
  const out = []
  for (const x of [0, 1.25, 123456, 1e21, -1e-7, 99.99, 5e-324, 2 ** 53 - 1])
    for (const digits of [undefined, 0, 1, 5, 20, 50]) out.push(x.toExponential(digits))
  return out
}

export const parsed = () =>
  [
    ...[
      '',
      ' ',
      '\u2003 12 \u00a0',
      '0x1F',
      '0b101',
      '0o17',
      '-0x1',
      '1e1000',
      '-1e-1000',
      '.5',
      '5.',
      '.',
      '1_000',
      'Infinity',
    ],
    ...['+1', '--1', '1e', '1e+', '0.1e-1', '00012', '١', '1n', '\n', '9007199254740993', '0.30000000000000004441'],
    ...['179769313486231580793e289', '2.4703282292062327e-324', '2.4703282292062328e-324', '1\u180e', 'NaN', 'null'],
  ].map((text) => `${show(text)} ${bits(Number(text))} ${show(parseFloat(text))} ${show(parseInt(text))}`)

export const parsedInRadix = () =>
  ['zz', '101', '7', '9', '-ff', '0xff', ' 12px', '99999999999999999999', ''].flatMap((text) =>
    [2, 8, 10, 16, 36, 0, 1, 37, NaN].map((radix) => show(parseInt(text, radix))),
  )

export const remainders = () => {
  const out = []
  for (const x of [5.5, -5.5, 0, -0, 1e308, Infinity, 2 ** 53, -7])
    for (const y of [2, -2, 0.1, 0, Infinity, 5e-324, 3]) out.push(bits(x % y))
  return out
}

export const sums = () => {
  let [plain, error] = [0, 0]
  for (let i = 1; i <= 4000; i++) {
    const y = 1 / i - error
    const t = plain + y
    error = t - plain - y
    plain = t
  }
  return [bits(plain), bits(error), bits(0.1 + 0.2), bits(1e16 + 1), bits(-0 + -0), bits(0 + -0)]
}

export const subnormals = () => {
  const out = []
  for (let x = 2.2250738585072014e-308; x > 0 && out.length < 80; x /= 1.9) out.push(bits(x))
  return out
}

export const constants = () =>
  ['E', 'LN10', 'LN2', 'LOG10E', 'LOG2E', 'PI', 'SQRT1_2', 'SQRT2']
    .map((name) => bits(Math[name]))
    .concat(['EPSILON', 'MAX_SAFE_INTEGER', 'MAX_VALUE', 'MIN_VALUE', 'NaN'].map((name) => bits(Number[name])))

export const notANumber = () => {
  const zero = 0
  const made = [zero / zero, Infinity - Infinity, Infinity * zero, Math.sqrt(-1), Math.log(-1), Infinity % 1, 0 % zero]
  const more = [Number('x'), parseFloat(''), Math.acos(2), (-8) ** (1 / 3), NaN + 1, -NaN, Math.max(NaN, 1), +undefined]
  return [...made, ...more].map(bits)
}

export const comparisons = () => {
  const values = [NaN, 0, -0, 1, '1', null, undefined, true, Infinity, '', 'a', 1n]
  return values.map((a) => values.map((b) => `${+(a < b)}${+(a == b)}${+(a === b)}${+Object.is(a, b)}`).join(' '))
}

export const extremes = () => [
  show(Math.max()),
  show(Math.min()),
  show(Math.max(-0, 0)),
  show(Math.min(0, -0)),
  show(Math.max(1, '3', [2])),
  caught(() => Math.max(1n)),
]

export const nbody = () => {
  const bodies = [
    [0, 0, 0, 0, 0, 0, 39.47],
    [4.84, -1.16, -0.1, 0.6, 2.8, -0.02, 0.037],
    [8.34, 4.12, -0.4, -1.01, 1.82, 0.008, 0.011],
  ]
  for (let step = 0; step < 150; step++) {
    for (const a of bodies)
      for (const b of bodies) {
        if (a === b) continue
        const [dx, dy, dz] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
        const size = 0.01 / (dx * dx + dy * dy + dz * dz) ** 1.5
        a[3] -= dx * b[6] * size
        a[4] -= dy * b[6] * size
        a[5] -= dz * b[6] * size
      }
    for (const body of bodies) for (let i = 0; i < 3; i++) body[i] += 0.01 * body[i + 3]
  }
  return bodies.flat().map(bits)
}
