/**
 * What worlds need of analysis, from additions, multiplications, divisions and square roots alone: IEEE 754 and ECMAScript
 * say what these give, bit for bit. Of Math.log, Math.exp and the like they only say "an approximation".
 */

const LN2 = Math.LN2
const HALF_PI = Math.PI / 2

/** 1/3, 1/5, … 1/25, the last first: what the series of atanh and (with signs) of atan have. */
const ODD_PARTS = Array.from({ length: 12 }, (_, i) => 1 / (2 * (12 - i) + 1))

/** x + x³/3 + x⁵/5 + …, with y = x². */
const oddSeries = (x: number, y: number): number => {
  let sum = 0
  for (const part of ODD_PARTS) sum = (sum + part) * y
  return x + x * sum
}

/** The natural logarithm of a finite x > 0; its relative error is below 1e-15. */
export const ln = (x: number): number => {
  let [mantissa, exponent] = [x, 0]
  for (; mantissa < 0.7; mantissa *= 2) exponent--
  for (; mantissa > 1.4; mantissa /= 2) exponent++
  const ratio = (mantissa - 1) / (mantissa + 1)
  return exponent * LN2 + 2 * oddSeries(ratio, ratio * ratio)
}

/** e to the power of x, |x| < 700; its relative error is below 1e-13. */
export const exp = (x: number): number => {
  const halvings = Math.round(x / LN2)
  const rest = x - halvings * LN2
  let [sum, term] = [1, 1]
  for (let n = 1; n <= 16; n++) {
    term *= rest / n
    sum += term
  }
  for (let n = 0; n < halvings; n++) sum *= 2
  for (let n = 0; n > halvings; n--) sum /= 2
  return sum
}

/** The angle whose cosine is x, in radians, -1 ≤ x ≤ 1; its error is below 1e-15. */
export const acos = (x: number): number => {
  if (x <= -1) return 2 * HALF_PI
  let tangent = Math.sqrt((1 - x) / (1 + x))
  const isSteep = tangent > 1
  if (isSteep) tangent = 1 / tangent
  // Half of the angle, and half of that: below 0.2 the series is short.
  for (let n = 0; n < 2; n++) tangent /= 1 + Math.sqrt(1 + tangent * tangent)
  const half = 4 * oddSeries(tangent, -tangent * tangent)
  return 2 * (isSteep ? HALF_PI - half : half)
}
