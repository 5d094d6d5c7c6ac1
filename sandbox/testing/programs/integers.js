// 32-bit integers, safe integers and bigints.

export const shifts = () => {
  const out = []
  for (const x of [1, -1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53, 1.9, -1.9, NaN, 1e100])
    for (const by of [0, 1, 31, 32, 33, -1]) out.push(`${x << by} ${x >> by} ${x >>> by}`)
  return out
}

export const overflow = () => {
  let x = 2147483646
  const out = []
  for (let i = 0; i < 4; i++) out.push(x++)
  let y = -2147483647
  for (let i = 0; i < 4; i++) out.push(y--)
  return [...out, 65536 * 65536, 46341 * 46341, -2147483648 / -1, 2147483647 + 1, show(0 * -1), show(-5 % 5)]
}

export const bitwise = () => {
  const next = numbersFrom(3)
  let all = 0
  for (let i = 0; i < 2000; i++) all = (Math.imul(all ^ next(), 0x9e3779b1) + Math.clz32(next())) | 0
  return all
}

export const indices = () => {
  const list = []
  list[4294967294] = 'last'
  list[4294967295] = 'no index'
  list['01'] = 'nor this'
  list['3'] = 'three'
  return [list.length, Object.keys(list), caught(() => (list.length = -1)), caught(() => new Array(4294967296))]
}

export const safe = () =>
  [2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1.5, '3'].map((x) => [Number.isSafeInteger(x), Number.isInteger(x)])

export const bigArithmetic = () => {
  const values = [0n, 1n, -1n, 7n, -7n, 2n ** 64n, -(2n ** 64n) + 1n, 10n ** 40n, 2n ** 127n - 1n]
  const out = []
  for (const a of values)
    for (const b of values) out.push(`${a + b} ${a - b} ${a * b} ${caught(() => a / b)} ${caught(() => a % b)}`)
  return out
}

export const bigBits = () => {
  const values = [0n, 1n, -1n, 0xffn, -0x100n, 2n ** 70n + 5n, -(2n ** 70n) - 5n]
  const out = []
  for (const a of values) for (const b of values) out.push(`${a & b} ${a | b} ${a ^ b} ${~a}`)
  for (const a of values) for (const by of [0n, 1n, 31n, 64n, -3n, -70n]) out.push(`${a << by} ${a >> by}`)
  return out
}

export const bigWraps = () => {
  const out = []
  for (const x of [0n, 1n, -1n, 255n, 256n, 2n ** 63n, 2n ** 64n, -(2n ** 63n) - 1n])
    for (const width of [0, 1, 8, 63, 64, 65, 200]) out.push(`${BigInt.asIntN(width, x)} ${BigInt.asUintN(width, x)}`)
  return out
}

export const bigTexts = () => [
  (2n ** 200n).toString(),
  (-(3n ** 100n)).toString(36),
  (10n ** 50n).toString(2).length,
  BigInt('0x' + 'f'.repeat(64)).toString(),
  BigInt('  -12  ').toString(),
  caught(() => BigInt('1e3')),
  caught(() => BigInt(1.5)),
  caught(() => BigInt('12n')),
  show(BigInt('')),
]

export const bigAndNumber = () => [
  1n < 1.5,
  2n > 1,
  2n ** 53n == 2 ** 53,
  2n ** 53n + 1n > 2 ** 53,
  1n == '1',
  Number(2n ** 1024n) === Infinity,
  bits(Number(2n ** 64n + 2049n)),
  bits(Number(9007199254740993n)),
  caught(() => 1n + 1),
  caught(() => +1n),
  typeof Object(1n),
]

export const factorial = () => {
  let product = 1n
  for (let i = 2n; i <= 300n; i++) product *= i
  return product.toString()
}

export const fibonacci = () => {
  let [a, b] = [0n, 1n]
  for (let i = 0; i < 1500; i++) [a, b] = [b, a + b]
  return a.toString(16)
}

export const pi = () => {
  const unity = 10n ** 210n
  const arctan = (x) => {
    let [sum, term, n, sign] = [0n, unity / x, 1n, 1n]
    while (term > 0n) {
      sum += sign * (term / n)
      term /= x * x
      n += 2n
      sign = -sign
    }
    return sum
  }
  return (4n * (4n * arctan(5n) - arctan(239n))).toString().slice(0, 201)
}

export const modularPower = () => {
  const modulus = 2n ** 127n - 1n
  let [base, exponent, result] = [3n, modulus - 2n, 1n]
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return [result.toString(), ((result * 3n) % modulus).toString()]
}

export const sieve = () => {
  const composite = new Uint8Array(20000)
  const primes = []
  for (let i = 2; i < composite.length; i++) {
    if (composite[i]) continue
    primes.push(i)
    for (let j = i * i; j < composite.length; j += i) composite[j] = 1
  }
  return [primes.length, primes.at(-1), primes.reduce((sum, p) => (sum * 31 + p) >>> 0, 0)]
}

export const collatz = () => {
  let [best, at] = [0, 0]
  for (let n = 1; n < 1500; n++) {
    let steps = 0
    for (let x = n; x !== 1; steps++) x = x % 2 ? 3 * x + 1 : x / 2
    if (steps > best) [best, at] = [steps, n]
  }
  return [best, at]
}
