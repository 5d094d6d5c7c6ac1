// The end of fuel: at the same step everywhere, whatever the guest does about it.

export const forever = () => {
  for (;;);
}

export const foreverCaught = () => {
  for (;;) {
    try {
      for (;;);
    } catch {
    } finally {
      for (;;);
    }
  }
}

export const foreverRecursive = () => {
  const f = () => {
    try {
      f()
    } catch {}
    f()
  }
  f()
}

export const foreverAsync = async () => {
  for (;;) await null
}

export const foreverThen = () => {
  const f = () => Promise.resolve().then(f)
  return f()
}

export const foreverGenerator = () => {
  const g = (function* () {
    for (;;) yield
  })()
  for (const _ of g);
}

export const foreverSort = () => {
  for (;;) [3, 2, 1].sort()
}

export const foreverGetter = () => {
  const o = {
    get a() {
      for (;;);
    },
  }
  return o
}

export const foreverProxy = () =>
  new Proxy(
    {},
    {
      ownKeys() {
        for (;;);
      },
    },
  )

export const foreverToJson = () => {
  for (;;) JSON.stringify({ toJSON: () => ({}) })
}

export const foreverPattern = () => /^(?:a|a)*$/.test(`${'a'.repeat(40)}b`)

export const pendingWork = async () => {
  Promise.resolve().then(() => {
    for (;;);
  })
  return 1
}

export const closeToTheEnd = () => {
  let n = 0
  while (n < 140_000) n++
  return n
}
