// Promises and the order of microtasks, without effects.

const order = async (run) => {
  const seen = []
  await run((name) => void seen.push(name))
  for (let i = 0; i < 20; i++) await null
  return seen
}

export const interleaved = () =>
  order((log) => {
    const run = async (name) => {
      for (let i = 0; i < 3; i++) {
        log(`${name}${i}`)
        await null
      }
    }
    Promise.resolve()
      .then(() => log('then 1'))
      .then(() => log('then 2'))
    queueMicrotask(() => log('microtask'))
    return Promise.all([run('a'), run('b')])
  })

export const thenables = () =>
  order(async (log) => {
    const thenable = { then: (resolve) => (log('then called'), resolve('value')) }
    Promise.resolve(thenable).then(log)
    Promise.resolve()
      .then(() => thenable)
      .then(() => log('returned'))
    new Promise((resolve) => resolve(Promise.resolve('nested'))).then(log)
    Promise.resolve()
      .then(() => log('1'))
      .then(() => log('2'))
      .then(() => log('3'))
      .then(() => log('4'))
  })

export const awaitOfMany = () =>
  order(async (log) => {
    const kinds = {
      plain: () => 1,
      resolved: () => Promise.resolve(1),
      async: async () => 1,
      nested: async () => Promise.resolve(1),
      thenable: () => ({ then: (f) => f(1) }),
    }
    await Promise.all(
      Object.entries(kinds).map(async ([name, make]) => {
        await make()
        log(name)
      }),
    )
  })

export const combinators = async () => {
  const later = async (value, turns) => {
    for (let i = 0; i < turns; i++) await null
    return value
  }
  const fails = (value, turns) => later(value, turns).then(() => Promise.reject(value))
  return [
    await Promise.race([later('slow', 5), later('fast', 1)]),
    await Promise.any([fails('x', 1), later('ok', 3)]),
    await Promise.all([later(1, 3), 2, later(3, 1)]),
    (await Promise.allSettled([later(1, 2), fails('no', 1)])).map(show),
    await Promise.all([]),
    await Promise.race([fails('first', 0), later('second', 1)]).catch((e) => `caught ${e}`),
  ]
}

export const asyncGenerators = async () => {
  const seen = []
  async function* numbers() {
    try {
      for (let i = 0; ; i++) yield await Promise.resolve(i)
    } finally {
      await null
      seen.push('closed')
    }
  }
  for await (const x of numbers()) {
    seen.push(x)
    if (x === 2) break
  }
  const it = numbers()
  const all = await Promise.all([it.next(), it.next(), it.return('r'), it.next()])
  return [seen, all.map(show)]
}

export const forAwait = async () => {
  const seen = []
  for await (const x of [1, Promise.resolve(2), (async () => 3)()]) seen.push(x)
  try {
    for await (const x of [Promise.resolve(1), Promise.reject(new Error('no')), 3]) seen.push(x)
  } catch (error) {
    seen.push(error.message)
  }
  return seen
}

export const asyncDelegation = async () => {
  async function* inner() {
    const got = yield 1
    yield `got ${got}`
    return 'inner result'
  }
  async function* outer() {
    const result = yield* inner()
    yield result
    yield* [Promise.resolve('sync')]
  }
  const it = outer()
  const out = []
  for (let r = await it.next(); !r.done; r = await it.next('sent')) out.push(r.value)
  return out
}

export const queues = async () => {
  const waiting = []
  const items = []
  const put = (x) => (waiting.length ? waiting.shift()(x) : items.push(x))
  const take = () => (items.length ? Promise.resolve(items.shift()) : new Promise((resolve) => waiting.push(resolve)))
  const taken = []
  const worker = async (name) => {
    for (;;) {
      const item = await take()
      if (item === 'stop') return
      taken.push(`${name}${item}`)
      await null
    }
  }
  const workers = ['a', 'b', 'c'].map(worker)
  for (let i = 0; i < 9; i++) {
    put(i)
    if (i % 2) await null
  }
  for (const _ of workers) put('stop')
  await Promise.all(workers)
  return taken
}

export const mutex = async () => {
  let last = Promise.resolve()
  let inside = 0
  let most = 0
  const locked = (run) => (last = last.then(run, run))
  const work = async () => {
    most = Math.max(most, ++inside)
    await null
    await null
    inside--
  }
  await Promise.all(Array.from({ length: 8 }, () => locked(work)))
  return most
}

export const unhandled = async () => {
  Promise.reject(new Error('nobody looks'))
  const late = Promise.reject(1)
  await null
  return [await late.catch((x) => x + 1), 'went on']
}

export const subclassed = async () => {
  const seen = []
  class Mine extends Promise {
    then(...args) {
      seen.push('then')
      return super.then(...args)
    }
  }
  const value = await Mine.resolve(5)
  const mapped = Mine.resolve(1).finally(() => {})
  return [value, mapped instanceof Mine, seen, Mine.all([]).constructor.name]
}

export const withResolvers = async () => {
  const { promise, resolve, reject } = Promise.withResolvers()
  resolve(Promise.resolve(4))
  reject(new Error('too late'))
  return [await promise, caught(() => Promise.try), await Promise.try?.(() => 6)]
}

export const selfResolution = async () => {
  let resolve
  const p = new Promise((r) => {
    resolve = r
  })
  resolve(p)
  return p.catch((e) => show(e))
}

export const longChain = async () => {
  let p = Promise.resolve(0)
  for (let i = 0; i < 800; i++) p = p.then((x) => x + i)
  return p
}

export const manyAtOnce = async () => {
  const all = await Promise.all(
    Array.from({ length: 400 }, async (_, i) => {
      for (let k = 0; k < i % 5; k++) await null
      return i
    }),
  )
  return all.reduce((a, b) => a + b)
}

export const neverSettled = () => new Promise(() => {})

export const waitsForItself = async () => {
  let release
  const gate = new Promise((resolve) => {
    release = resolve
  })
  await gate
  release()
}

export const returnedThenable = () => ({ then: (resolve) => resolve([1, 'from a thenable']) })

export const thenableThatThrows = () => ({
  then() {
    throw new TypeError('in then')
  },
})

export const disposal = () =>
  caught(() => new Function('const seen = []; { using a = { [Symbol.dispose]() { seen.push(1) } } } return seen')())

export const abort = () => {
  if (typeof AbortController === 'undefined') return 'none'
  const controller = new AbortController()
  const seen = []
  controller.signal.addEventListener('abort', () => seen.push(String(controller.signal.reason)))
  controller.abort('stop')
  return [seen, controller.signal.aborted, caught(() => controller.signal.throwIfAborted())]
}
