// Several requests at once: each order of their answers has an outcome of its own, and it is the same everywhere.

const names = (count) => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i))

export const raceOfThree = (x, env, { call }) => Promise.race(names(3).map((name) => call('#echo', name)))

export const orderOfFour = async (x, env, { call }) => {
  const order = []
  await Promise.all(names(4).map((name) => call('#echo', name).then((got) => order.push(got))))
  return order.join('')
}

export const orderOfFive = async (x, env, { call }) => {
  let hash = 7
  await Promise.all(
    names(5).map(async (name, i) => {
      await call('#void')
      hash = (Math.imul(hash, 31) + i) | 0
    }),
  )
  return hash
}

export const anyOf = async (x, env, { call }) => {
  const first = await Promise.any([call('#fail', 1), call('#echo', 'a'), call('#echo', 'b')])
  return [
    first,
    await Promise.any([call('#fail', 1), call('#fail', 2)]).catch((e) => e.errors.map((one) => one.message)),
  ]
}

export const firstFailure = (x, env, { call }) =>
  Promise.all([call('#fail', 'one'), call('#echo', 2), call('#fail', 'three')]).catch((e) => [e.code, e.message])

export const settled = async (x, env, { call }) => {
  const order = []
  const note = (name) => (r) => (order.push(name), r)
  const all = await Promise.allSettled([
    call('#fail', 1).finally(note('f')),
    call('#echo', 2).then(note('e')),
    call('#void').then(note('v')),
  ])
  return [order, all.map(({ status }) => status)]
}

export const counter = async (x, env, { call }) => {
  let value = 1
  const steps = [(v) => v + 3, (v) => v * 5, (v) => v - 7, (v) => v * v]
  await Promise.all(
    steps.map(async (step) => {
      await call('#void')
      value = step(value)
    }),
  )
  return value
}

export const lostUpdate = async (x, env, { call }) => {
  let balance = 100
  const withdraw = async (amount) => {
    const seen = balance
    await call('#void', amount)
    balance = seen - amount
  }
  const refresh = async () => {
    await call('#void', 'refresh')
    return balance
  }
  const [, seen] = await Promise.all([withdraw(10), refresh(), withdraw(20)])
  return [balance, seen]
}

export const followUps = async (x, env, { call }) => {
  const order = []
  await Promise.all(
    ['a', 'b'].map(async (name) => {
      order.push(await call('#echo', name))
      order.push(await call('#echo', `${name}${order.length}`))
    }),
  )
  return order
}

export const followUpsOfThree = async (x, env, { call }) => {
  const order = []
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      order.push(await call('#echo', name))
      if (order.length === 1) order.push(await call('#echo', `${name}!`))
    }),
  )
  return order.join()
}

export const cancelled = async (x, env, { call }) => {
  let winner
  const attempt = async (name) => {
    const got = await call('#echo', name)
    if (winner) return `${name} late`
    winner = got
    await call('#void', `${name} confirms`)
    return `${name} won`
  }
  return [await Promise.all([attempt('a'), attempt('b'), attempt('c')]), winner]
}

export const retries = async (x, env, { call }) => {
  const seen = []
  const retry = async (name) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        return await call(attempt ? '#echo' : '#fail', name)
      } catch (error) {
        seen.push(`${name}: ${error.message}`)
      }
    }
  }
  return [await Promise.all([retry('a'), retry('b')]), seen]
}

export const generatorOfAnswers = async (x, env, { call }) => {
  async function* answers() {
    const open = new Map(names(3).map((name) => [name, call('#echo', name).then((got) => [name, got])]))
    while (open.size) {
      const [name, got] = await Promise.race(open.values())
      open.delete(name)
      yield got
    }
  }
  const out = []
  for await (const got of answers()) out.push(got)
  return out
}

export const errorsInOrder = async (x, env, { call }) => {
  const stacks = []
  await Promise.allSettled(
    names(3).map(async (name) => {
      await call('#void')
      stacks.push(new Error(name).stack)
      throw new Error(name)
    }),
  )
  return stacks
}

export const unhandledInOrder = async (x, env, { call }) => {
  const wait = names(3).map(async (name) => {
    await call('#void')
    if (name === 'b') throw new RangeError(`${name} failed`)
    return name
  })
  return (await Promise.all(wait)).join()
}

export const randomAfterEach = async (x, env, { call }) => {
  const drawn = {}
  await Promise.all(
    names(3).map(async (name) => {
      await call('#void')
      drawn[name] = Math.random()
    }),
  )
  return drawn
}

export const memoryAfterEach = async (x, env, { call }) => {
  const kept = []
  await Promise.all(
    names(3).map(async (name, i) => {
      await call('#void')
      kept.push(name.repeat(1000 * (i + 1)), new Uint8Array(5000 * (i + 1)).fill(i + kept.length))
      if (kept.length > 4) kept.splice(0, 2)
    }),
  )
  return kept.map((one) => one.length)
}

export const values = async (x, env, { call }) => {
  const sent = [{ a: [1, null, { b: true }] }, 'é😀', 2n ** 63n, new Uint8Array([1, 2, 255])]
  const got = []
  await Promise.all(sent.slice(0, 3).map((one) => call('#echo', one).then((back) => got.push(back))))
  return [got, await call('#echo', sent[3]), await call('#other', 1, { timeoutMs: 5 })]
}

export const unawaited = (x, env, { call }) => {
  call('#echo', 'a').then(() => console.log('never seen'))
  call('#fail', 'b')
  return 'at once'
}

export const printedInOrder = async (x, env, { call }) => {
  await Promise.all(names(4).map(async (name) => console.log(name, await call('#void'), Math.random())))
}

export const timeouts = async (x, env, { call }) => {
  const within = (work, limit) =>
    Promise.race([work, call('#void', limit).then(() => Promise.reject(new Error(`over ${limit}`)))])
  return Promise.all([
    within(call('#echo', 'a'), 10).catch((e) => e.message),
    within(call('#echo', 'b'), 20).catch((e) => e.message),
  ])
}

export const waitsForNone = async (x, env, { call }) => {
  const got = await Promise.race([call('#echo', 'a'), call('#echo', 'b')])
  return new Promise(() => got)
}

export const barrier = async (x, env, { call }) => {
  let arrived = 0
  let open
  const all = new Promise((resolve) => {
    open = resolve
  })
  const order = []
  await Promise.all(
    names(4).map(async (name) => {
      await call('#void')
      if (++arrived === 4) open(name)
      order.push(`${name}<${await all}`)
    }),
  )
  return order
}
