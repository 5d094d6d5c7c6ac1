// Destructuring, labels, closures, operators, evaluated code, module state, and some whole programs.

export const destructuring = () => {
  const { a, b: { c = 5, ...rest } = {}, ...others } = { a: 1, b: { d: 2, e: 3 }, f: 4, [Symbol.for('s')]: 5 }
  const [x, , y = x, ...[z, ...last]] = [1, 2, undefined, 4, 5, 6]
  const f = ({ p = 1, q } = {}, [r] = [9], ...s) => [p, q, r, s]
  let [m, n] = [1, 2]
  ;[m, n] = [n, m]
  const o = {}
  ;({ k: o.k, l: o['l'] = 3, ...o.rest } = { k: 1, extra: 2 })
  return [a, c, show(rest), show(others), x, y, z, last, f(), f({ q: 2 }, 'ab', 1, 2), m, n, o]
}

export const labels = () => {
  const out = []
  outer: for (let i = 0; i < 5; i++) {
    inner: for (let j = 0; j < 5; j++) {
      if (j === 3) continue outer
      if (i === 3) break outer
      if (i === j) continue inner
      out.push(`${i}${j}`)
    }
  }
  block: {
    out.push('in')
    if (out.length) break block
    out.push('never')
  }
  return out
}

export const switches = () => {
  const run = (x) => {
    const out = []
    switch (x) {
      case 1:
        out.push('one')
      case 2:
        out.push('two')
        break
      default:
        out.push('default')
      case 3: {
        let y = 'three'
        out.push(y)
      }
      case NaN:
        out.push('never alone')
    }
    return out
  }
  return [1, 2, 3, 4, '1', NaN].map(run)
}

export const closures = () => {
  const out = []
  for (let i = 0; i < 3; i++) {
    out.push(() => i)
    i += 0
  }
  var fs = []
  for (var v = 0; v < 3; v++) fs.push(() => v)
  const counter = (() => {
    let n = 0
    return { up: () => ++n, down: () => --n }
  })()
  counter.up()
  counter.up()
  counter.down()
  const capture = []
  for (const x of [1, 2]) for (let y = x; y < 3; y++) capture.push(() => x * 10 + y)
  return [out.map((f) => f()), fs.map((f) => f()), counter.up(), capture.map((f) => f())]
}

export const hoisting = () => {
  const before = typeof later
  function later() {}
  {
    function inBlock() {
      return 1
    }
  }
  const dead = caught(() => {
    zone
    const zone = 1
  })
  return [
    before,
    typeof inBlock,
    dead,
    (function () {
      return typeof arguments
    })(),
    (function (a) {
      arguments[0] = 2
      return a
    })(1),
    (() => {
      try {
        return typeof undeclared
      } catch (e) {
        return e.name
      }
    })(),
  ]
}

export const operators = () => {
  let a = null
  a ??= 5
  let b = 0
  b ||= 6
  let c = 1
  c &&= 7
  const o = { x: null }
  return [
    a,
    b,
    c,
    o?.x?.y === undefined,
    o.none?.[0]?.(),
    o?.['x'],
    2 ** (3 ** 2),
    (-2) ** 2,
    -(2 ** 2),
    typeof typeof 1,
    void 0 === undefined,
    (1, 2),
    !!'' + !!'0',
    [] + [],
    [] + {},
    [] == false,
    null >= 0,
    null == 0,
    '2' > '12',
    2 > '12',
    '5' - 2,
    '5' + 2,
    +[],
    +{} !== +{},
    1 < 2 < 3,
    3 > 2 > 1,
  ].map(show)
}

export const completion = () =>
  [
    '1;if(0)2',
    'do{3;continue}while(0)',
    'switch(1){case 1:4}',
    '5;{}',
    'try{6}finally{7}',
    'l:{8;break l}',
    'for(let i=0;i<2;i++)i',
    '9;var x=1',
    '"use strict";10;function f(){}',
  ].map((code) => caught(() => (0, eval)(code)))

export const globals = () => {
  globalThis.mine = 1
  ;(0, eval)('var theirs = 2')
  return [
    typeof mine,
    theirs,
    delete globalThis.mine,
    typeof mine,
    Object.getOwnPropertyDescriptor(globalThis, 'theirs').configurable,
    this === undefined,
    (function () {
      return this
    })() === undefined,
    Object.keys(globalThis),
  ]
}

let calls = 0
const cache = new Map()

export const moduleState = () => {
  calls++
  cache.set(calls, 'kept')
  return [calls, [...cache]]
}

export const moduleStateAgain = () => [++calls, cache.size]

export const interpreter = () => {
  const env = new Map(Object.entries({ '+': (a, b) => a + b, '-': (a, b) => a - b, '<': (a, b) => a < b }))
  const read = (tokens) => {
    const token = tokens.shift()
    if (token !== '(') return /^\d/.test(token) ? Number(token) : token
    const list = []
    while (tokens[0] !== ')') list.push(read(tokens))
    tokens.shift()
    return list
  }
  const run = (x, scope) => {
    if (typeof x === 'number') return x
    if (typeof x === 'string') return scope.get(x)
    if (x[0] === 'if') return run(run(x[1], scope) ? x[2] : x[3], scope)
    if (x[0] === 'fn') return (...args) => run(x[2], new Map([...scope, ...x[1].map((name, i) => [name, args[i]])]))
    if (x[0] === 'def') return scope.set(x[1], run(x[2], scope)) && x[1]
    const [f, ...args] = x.map((one) => run(one, scope))
    return f(...args)
  }
  const evaluate = (text) => run(read(text.match(/[()]|[^\s()]+/g)), env)
  const global = (name) => (
    env.set('fib', (n) => evaluate(`(if (< ${n} 2) ${n} (+ (fib (- ${n} 1)) (fib (- ${n} 2))))`)), evaluate(name)
  )
  return [evaluate('((fn (a b) (+ a (- b 1))) 5 6)'), global('(fib 8)')]
}

export const life = () => {
  let cells = new Set(['1,0', '2,1', '0,2', '1,2', '2,2', '10,10', '11,10', '12,10'])
  for (let step = 0; step < 15; step++) {
    const counts = new Map()
    for (const cell of cells) {
      const [x, y] = cell.split(',').map(Number)
      for (const dx of [-1, 0, 1])
        for (const dy of [-1, 0, 1])
          if (dx || dy) {
            const k = `${x + dx},${y + dy}`
            counts.set(k, (counts.get(k) ?? 0) + 1)
          }
    }
    cells = new Set([...counts].filter(([k, n]) => n === 3 || (n === 2 && cells.has(k))).map(([k]) => k))
  }
  return [...cells]
}

export const queens = () => {
  let found = 0
  const place = (row, columns, left, right) => {
    if (row === 6) return void found++
    for (let c = 0; c < 6; c++) {
      const [a, b, d] = [1 << c, 1 << (row + c), 1 << (row - c + 6)]
      if (!(columns & a || left & b || right & d)) place(row + 1, columns | a, left | b, right | d)
    }
  }
  place(0, 0, 0, 0)
  return found
}
