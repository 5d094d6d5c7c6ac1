// Generators, iterators and their helpers.

function* count(limit, seen = []) {
  try {
    for (let i = 0; i < limit; i++) {
      const sent = yield i
      if (sent !== undefined) seen.push(sent)
    }
    return 'done'
  } finally {
    seen.push('closed')
  }
}

export const protocol = () => {
  const seen = []
  const it = count(3, seen)
  const out = [it.next('lost'), it.next('a'), it.return('early'), it.next()]
  const other = count(3, seen)
  other.next()
  return [out.map(show), caught(() => other.throw(new Error('in'))), show(other.next()), seen]
}

export const delegation = () => {
  function* outer() {
    const result = yield* count(2)
    yield result
    yield* [7, 8]
    yield* 'ab'
  }
  return [...outer()]
}

export const closing = () => {
  const seen = []
  for (const x of count(5, seen)) if (x === 2) break
  const [a, b] = count(5, seen)
  caught(() => {
    for (const x of count(5, seen)) throw new Error(`${x}`)
  })
  const [...all] = count(2, seen)
  return [seen, a, b, all]
}

export const yieldInFinally = () => {
  function* stubborn() {
    try {
      yield 1
    } finally {
      yield 'not yet'
      yield 'still not'
    }
  }
  const it = stubborn()
  return [it.next(), it.return(5), it.next(), it.next(), it.next()].map(show)
}

export const recursive = () => {
  const tree = (depth) => (depth === 0 ? null : { left: tree(depth - 1), value: depth, right: tree(depth - 1) })
  function* walk(node) {
    if (!node) return
    yield* walk(node.left)
    yield node.value
    yield* walk(node.right)
  }
  return [...walk(tree(6))].join('')
}

export const permutations = () => {
  function* permute(items, n = items.length) {
    if (n <= 1) yield items.join('')
    else
      for (let i = 0; i < n; i++) {
        yield* permute(items, n - 1)
        const j = n % 2 ? 0 : i
        ;[items[n - 1], items[j]] = [items[j], items[n - 1]]
      }
  }
  return [...permute([...'abcd'])]
}

export const helpers = () => {
  const naturals = function* () {
    for (let i = 0; ; i++) yield i
  }
  return caught(() =>
    naturals()
      .filter((x) => x % 2)
      .map((x) => x * x)
      .drop(2)
      .take(4)
      .flatMap((x) => [x, -x])
      .toArray(),
  )
}

export const helpersMore = () => [
  caught(() => Iterator.from({ next: () => ({ done: true }) }).toArray()),
  caught(() => count(4).reduce((a, b) => a + b)),
  caught(() => count(4).some((x) => x > 2)),
  caught(() => count(4).every((x) => x > 2)),
  caught(() => count(4).find((x) => x > 2)),
  caught(() => count(0).reduce((a, b) => a + b)),
  caught(() => count(4).take(-1)),
  caught(() => new Iterator()),
  caught(() => count(3).toArray().length),
  caught(() => Iterator.concat([1], [2, 3]).toArray()),
]

export const lazyAccumulate = () => {
  const seen = []
  const it = count(5, seen).map((x) => {
    seen.push(`map ${x}`)
    return x
  })
  it.next()
  it.return()
  return [seen, show(it.next())]
}

export const customIterables = () => {
  const seen = []
  const iterable = {
    [Symbol.iterator]() {
      let i = 0
      return {
        next: () => (
          seen.push('next'),
          {
            get done() {
              seen.push('done')
              return i >= 3
            },
            get value() {
              seen.push('value')
              return i++
            },
          }
        ),
        return: () => (seen.push('return'), {}),
      }
    },
  }
  const [x] = iterable
  const list = Array.from(iterable)
  const map = caught(() => new Map(iterable))
  return [x, list, map, seen]
}

export const badIterables = () => [
  caught(() => [...{ [Symbol.iterator]: () => 1 }]),
  caught(() => [...{ [Symbol.iterator]: () => ({}) }]),
  caught(() => [...{ [Symbol.iterator]: () => ({ next: () => 1 }) }]),
  caught(() => {
    for (const x of { [Symbol.iterator]: () => ({ next: () => ({ done: false }), return: () => 1 }) }) break
  }),
  caught(() => {
    const g = (function* () {
      g.next()
    })()
    g.next()
  }),
]

export const arrayIterators = () => {
  const list = [1, 2, 3]
  const it = list[Symbol.iterator]()
  it.next()
  list.push(4)
  const rest = [...it]
  list.push(5)
  return [rest, show(it.next()), [...list.entries()].join(';'), [...[, 1].keys()], Object.prototype.toString.call(it)]
}

export const stateMachine = () => {
  function* lexer() {
    let tokens = []
    let word = ''
    for (;;) {
      const c = yield tokens
      tokens = []
      if (c === ' ' || c === undefined) {
        if (word) tokens.push(word)
        word = ''
        if (c === undefined) return tokens
      } else word += c
    }
  }
  const it = lexer()
  it.next()
  const out = []
  for (const c of 'let it be ') out.push(...it.next(c).value)
  return [out, show(it.next())]
}
