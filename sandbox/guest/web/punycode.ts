/** Punycode (RFC 3492), and what of UTS #46 can be had from the engine's own Unicode tables. */

const BASE = 36
const T_MIN = 1
const T_MAX = 26

const adapt = (delta: number, points: number, first: boolean): number => {
  let scaled = Math.floor(delta / (first ? 700 : 2))
  scaled += Math.floor(scaled / points)
  let k = 0
  for (; scaled > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) scaled = Math.floor(scaled / (BASE - T_MIN))
  return k + Math.floor(((BASE - T_MIN + 1) * scaled) / (scaled + 38))
}

const DIGITS = 'abcdefghijklmnopqrstuvwxyz0123456789'
const threshold = (k: number, bias: number): number => Math.min(Math.max(k - bias, T_MIN), T_MAX)

const encodeDelta = (delta: number, bias: number): string => {
  let out = ''
  for (let k = BASE; ; k += BASE) {
    const t = threshold(k, bias)
    if (delta < t) return out + DIGITS[delta]
    out += DIGITS[t + ((delta - t) % (BASE - t))]
    delta = Math.floor((delta - t) / (BASE - t))
  }
}

export const punycodeEncode = (label: string): string => {
  const points = Array.from(label, (char) => char.codePointAt(0) as number)
  const basic = points.filter((c) => c < 0x80)
  let out = basic.length > 0 ? `${String.fromCharCode(...basic)}-` : ''
  let [n, delta, bias, done] = [0x80, 0, 72, basic.length]
  while (done < points.length) {
    const next = Math.min(...points.filter((c) => c >= n))
    delta += (next - n) * (done + 1)
    n = next
    for (const c of points) {
      if (c < n) delta++
      if (c !== n) continue
      out += encodeDelta(delta, bias)
      bias = adapt(delta, done + 1, done === basic.length)
      delta = 0
      done++
    }
    delta++
    n++
  }
  return out
}

/** What `text`, without its `xn--`, stands for; undefined if it is no Punycode. */
export const punycodeDecode = (text: string): string | undefined => {
  const end = text.lastIndexOf('-')
  const points = Array.from(end > 0 ? text.slice(0, end) : '', (char) => char.charCodeAt(0))
  let [n, i, bias, at] = [0x80, 0, 72, end > 0 ? end + 1 : 0]
  while (at < text.length) {
    const before = i
    for (let [k, weight] = [BASE, 1]; ; k += BASE) {
      const digit = DIGITS.indexOf(text.charAt(at++) || ' ')
      const t = threshold(k, bias)
      i += digit * weight
      if (digit < 0 || i > 0x7fffffff) return undefined
      if (digit < t) break
      weight *= BASE - t
    }
    const count = points.length + 1
    bias = adapt(i - before, count, before === 0)
    n += Math.floor(i / count)
    if (n > 0x10ffff) return undefined
    i %= count
    points.splice(i++, 0, n)
  }
  return String.fromCodePoint(...points)
}

// Expressions with Unicode properties are made where they are used: the engine compiles a literal with its function, and
// they are large.

/** Case folded and compatibility forms replaced, as UTS #46 maps; ß, ς and joiners are kept (non-transitional). */
export const mapDomain = (domain: string): string =>
  domain
    .replace(/(?![\u200c\u200d])\p{DI}/gu, '')
    .replace(/[\u3002\uff0e\uff61]/g, '.')
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFKC')

const DISALLOWED =
  '^\\p{M}|[\\p{Cc}\\p{Cn}\\p{Co}\\p{Cs}\\p{Zs}\\p{Zl}\\p{Zp}\\u200e\\u200f\\u202a-\\u202e\\u2061-\\u2063\\u2066-\\u206f\\ufff9-\\ufffd]'

export const isValidLabel = (label: string): boolean =>
  !new RegExp(DISALLOWED, 'u').test(label) && mapDomain(label) === label
