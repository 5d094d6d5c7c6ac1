// The end of memory, and of what may leave: at the same step everywhere.

export const arrayGrows = () => {
  const a = []
  for (;;) a.push({})
}

export const textGrows = () => {
  let s = 'x'
  for (;;) s += s
}

export const buffersGrow = () => {
  const kept = []
  for (;;) kept.push(new Uint8Array(100_000).fill(kept.length))
}

export const mapGrows = () => {
  const m = new Map()
  for (let i = 0; ; i++) m.set(i, `${i}`)
}

export const propertiesGrow = () => {
  const o = {}
  for (let i = 0; ; i++) o[`p${i}`] = i
}

export const closuresGrow = () => {
  const kept = []
  for (let i = 0; ; i++) kept.push(() => i)
}

export const bigIntGrows = () => {
  let x = 3n
  for (;;) x *= x
}

export const promisesGrow = () => {
  const kept = []
  for (;;) kept.push(new Promise(() => {}))
}

export const errorsGrow = () => {
  const kept = []
  for (;;) kept.push(new Error('e'))
}

export const symbolsGrow = () => {
  const o = {}
  for (;;) o[Symbol()] = 1
}

export const codeGrows = () => {
  const kept = []
  for (let i = 0; ; i++) kept.push((0, eval)(`(function f${i}() { return ${i} })`))
}

export const splitGrows = () => {
  const kept = []
  for (;;) kept.push('a,b,c,d'.repeat(500).split(','))
}

export const oneHuge = () => [
  caught(() => new Uint8Array(2 ** 30)),
  caught(() => new Array(2 ** 31).fill(0).length),
  caught(() => 'x'.repeat(2 ** 29).length),
  caught(() => new ArrayBuffer(2 ** 40)),
]

export const memoryCaught = () => {
  let kept = []
  let count = 0
  try {
    for (;;) {
      kept.push(new Uint8Array(50_000))
      count++
    }
  } catch (error) {
    kept = null
    return [show(error), count]
  }
}

export const memoryCaughtOften = () => {
  const counts = []
  for (let round = 0; round < 4; round++) {
    let kept = []
    let size = 200_000
    try {
      for (;;) kept.push(new Uint8Array(size))
    } catch {
      counts.push(kept.length)
    }
    kept = null
  }
  return counts
}

export const memoryInFinally = () => {
  let kept = []
  try {
    for (;;) kept.push(new Array(1000).fill(1))
  } finally {
    kept = []
    kept.push('freed')
  }
}

export const memoryInPromise = async () => {
  const kept = []
  await null
  for (;;) kept.push('y'.repeat(10_000) + kept.length)
}

export const grownThenFreed = () => {
  let a = Array.from({ length: 300_000 }, (_, i) => i)
  const n = a.length
  a = null
  return n
}

export const churn = () => {
  let last
  for (let i = 0; i < 4000; i++) last = { i, text: `t${i}`, list: [i, i + 1], bytes: new Uint8Array(100) }
  return last.text
}

export const fragmented = () => {
  const kept = []
  for (let i = 0; i < 1500; i++) {
    kept.push(new Uint8Array((i * 37) % 900))
    if (i % 3 === 0) kept[i >> 1] = null
  }
  return kept.filter(Boolean).reduce((n, b) => n + b.length, 0)
}

export const outputTooLarge = () => 'x'.repeat(1_100_000)

export const outputTooLargeBytes = () => [new Uint8Array(600_000), new Uint8Array(600_000)]

export const printsTooMuch = () => {
  for (let i = 0; i < 1500; i++) console.log(`line ${i}`)
}

export const printsTooLong = () => {
  for (let i = 0; i < 10; i++) console.log('z'.repeat(9000 + i))
}
