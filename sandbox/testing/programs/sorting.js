// Sorting: stable, also when a comparator misbehaves.

const cards = (count, seed) => {
  const next = numbersFrom(seed)
  return Array.from({ length: count }, (_, i) => ({ key: next() % 10, i }))
}
const said = (list) => list.map(({ key, i }) => `${key}:${i}`).join(' ')

export const stable = () => said(cards(200, 1).sort((a, b) => a.key - b.key))

export const stableLarge = () => {
  const sorted = cards(2000, 2).sort((a, b) => a.key - b.key)
  return sorted.every(
    ({ key, i }, at) => at === 0 || sorted[at - 1].key < key || (sorted[at - 1].key === key && sorted[at - 1].i < i),
  )
}

export const byText = () => [10, 9, 1, undefined, null, 'b', true, NaN, -1, , 3n].sort().map(show)

export const inconsistent = () => {
  const next = numbersFrom(5)
  return said(cards(60, 3).sort(() => (next() % 3) - 1))
}

export const cyclic = () => {
  const beats = { rock: 'scissors', scissors: 'paper', paper: 'rock' }
  const hands = Array.from({ length: 30 }, (_, i) => Object.keys(beats)[(i * 7) % 3])
  return hands.sort((a, b) => (a === b ? 0 : beats[a] === b ? -1 : 1))
}

export const alwaysLess = () => said(cards(50, 4).sort(() => -1))

export const booleans = () => said(cards(50, 5).sort((a, b) => a.key > b.key))

export const notNumbers = () =>
  [3, 1, 2]
    .sort(() => NaN)
    .concat(
      [3, 1, 2].sort((a, b) => `${a - b}`),
      [3, 1, 2].sort((a, b) => ({ valueOf: () => a - b })),
    )

export const throwing = () => {
  const list = cards(40, 6)
  let calls = 0
  const thrown = caught(() =>
    list.sort((a, b) => {
      if (++calls === 50) throw new RangeError('enough')
      return a.key - b.key
    }),
  )
  return [thrown, said(list), calls]
}

export const growing = () => {
  const list = cards(20, 7)
  list.sort((a, b) => {
    if (list.length < 25) list.push({ key: 99, i: list.length })
    return a.key - b.key
  })
  return said(list)
}

export const shrinking = () => {
  const list = cards(20, 8)
  const thrown = caught(() => {
    list.sort((a, b) => {
      list.length = 3
      return a.key - b.key
    }).length
  })
  return [thrown, list.length, list.filter(Boolean).length]
}

export const holes = () => {
  const list = [3, , 1, undefined, , 2]
  list.sort()
  return [list.length, Object.keys(list), show(list)]
}

export const comparisonsMade = () => {
  const seen = []
  ;[5, 2, 8, 1, 9, 3, 7].sort((a, b) => {
    seen.push(`${a}${b}`)
    return a - b
  })
  return seen
}

export const copies = () => {
  const list = [3, 1, 2]
  return [list.toSorted(), list.toReversed(), list.with(1, 9), list.toSpliced(1, 1, 'x', 'y'), list]
}

export const typed = () => [
  Array.from(new Float64Array([NaN, 1, -0, 0, -Infinity, 5e-324]).sort(), show),
  Array.from(new Uint8Array([3, 200, 1]).sort((a, b) => b - a)),
  Array.from(new BigInt64Array([3n, -5n, 0n]).sort(), show),
]

export const topological = () => {
  const needs = {
    shirt: ['tie', 'belt'],
    tie: ['jacket'],
    trousers: ['shoes', 'belt'],
    belt: ['jacket'],
    socks: ['shoes'],
    shoes: [],
    jacket: [],
  }
  const [done, out] = [new Set(), []]
  const visit = (name) => {
    if (done.has(name)) return
    done.add(name)
    needs[name].forEach(visit)
    out.unshift(name)
  }
  Object.keys(needs).forEach(visit)
  return out
}

export const heap = () => {
  const heap = []
  const swap = (i, j) => ([heap[i], heap[j]] = [heap[j], heap[i]])
  const next = numbersFrom(11)
  for (let n = 0; n < 300; n++) {
    heap.push(next() % 1000)
    for (let i = heap.length - 1; i > 0 && heap[(i - 1) >> 1] > heap[i]; i = (i - 1) >> 1) swap(i, (i - 1) >> 1)
  }
  const out = []
  while (heap.length) {
    out.push(heap[0])
    const last = heap.pop()
    if (!heap.length) break
    heap[0] = last
    for (let i = 0; ; ) {
      const child = 2 * i + 1 + (heap[2 * i + 2] < heap[2 * i + 1] ? 1 : 0)
      if (!(heap[child] < heap[i])) break
      swap(i, child)
      i = child
    }
  }
  return out
}
