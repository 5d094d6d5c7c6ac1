/**
 * Guest code (part of the prelude): calls the function's export, hands out `ctx`, keeps the resolvers of pending
 * requests, and reports how the call ended.
 */
export const RUN_SOURCE = `
// Handlers of a Workers module. The third, fetch, is called.
const UNSERVED = setPrototypeOf(['scheduled', 'queue'], null)
const isServer = (found) => typeof found === 'object' && found !== null && typeof found.fetch === 'function'

let namespace = null
let requests = 0
const settlers = { __proto__: null }

// Every property read here may run code of the guest, or throw.
const describe = (error) => {
  let message = ''
  let stack = ''
  try {
    if (isError(error)) {
      const { name } = error
      message = '' + error.message
      if (typeof name === 'string' && name !== '') message = message === '' ? name : name + ': ' + message
      if (typeof error.stack === 'string') stack = error.stack
    } else message = 'it threw ' + use('console').inspect(error)
  } catch {
    message = 'it threw something that cannot be described'
  }
  return { __proto__: null, message: slice(message, 0, 4096), stack: slice(stack, 0, 16384) }
}

// Texts that cross are quoted, since a zero character would end them. Only a text by itself is quoted without code of
// the function being met, which a setter on Array.prototype is.
const refuse = (code, message, stack = '') => {
  hostFail(code, stringify(message), stringify(stack))
}
const threw = (error) => {
  const { message, stack } = describe(error)
  refuse('E_FUNCTION_THREW', message, stack)
}

// The text of the result; undefined if it could not be had, which has then been reported.
const finish = (result) => {
  try {
    const text = textOf(result, 'result')
    sendBuffers()
    return text
  } catch (error) {
    if (error instanceof Refusal) refuse('E_VALUE', slice(error.text, 0, 4096))
    else threw(error)
    return undefined
  }
}

// What was given to waitUntil. It is waited for before the run ends; what it rejects with is printed and changes nothing.
const kept = setPrototypeOf([], null)
const keep = async (promise) => {
  try {
    await promise
  } catch (error) {
    report(error)
  }
}

const waitUntil = (promise) => {
  kept[kept.length] = keep(promise)
}

const finishLater = async (promise) => {
  let result
  let failed = false
  try {
    result = await promise
  } catch (error) {
    result = error
    failed = true
  }
  for (let i = 0; i < kept.length; i++) await kept[i]
  if (failed) return threw(result)
  const text = finish(result)
  if (text !== undefined) hostDone(text)
}

const refuseExport = (name) => {
  const found = namespace[name]
  if (name === 'default' && typeof found === 'object' && found !== null) {
    for (let i = 0; i < UNSERVED.length; i++) {
      if (typeof found[UNSERVED[i]] === 'function')
        return refuse('E_HANDLER_UNSUPPORTED', 'the default export is an object with the handler ' + UNSERVED[i] + '(), which is not served; give it a handler fetch(), or export a function that is called (input, env, ctx)')
    }
  }
  let callable = ''
  const names = keys(namespace)
  for (let i = 0; i < names.length; i++) if (typeof namespace[names[i]] === 'function') callable += (callable && ', ') + names[i]
  const what = name in namespace ? 'the export ' + name + ' is not a function' : 'there is no export ' + name
  refuse('E_EXPORT_UNKNOWN', slice(what + '; callable exports: ' + (callable || 'none'), 0, 4096))
}

const misuse = (code, message) => {
  const error = new TypeError(message)
  error.code = code
  return error
}

// The number of a request of what 'textOf' wrote last. The host says what is wrong with its arguments; then it is none.
const request = (kind, text) => {
  sendBuffers()
  const fault = hostRequest(kind, text)
  if (fault !== undefined) throw misuse('E_USAGE', fault)
  return requests++
}

const wait = (kind, text, resolve, reject) => {
  settlers[request(kind, text)] = { __proto__: null, resolve, reject }
}

// For what the function cannot catch, and must not break.
const guarded = (run) => () => {
  try {
    run()
  } catch (error) {
    report(error)
  }
}

// What runs when all jobs are done: the first that waits, and the last.
let firstTurn = null
let lastTurn = null

const turn = (run) => {
  const next = { __proto__: null, run: guarded(run), next: null }
  if (firstTurn === null) firstTurn = next
  else lastTurn.next = next
  lastTurn = next
  hostTurn()
}

let env = freeze({})

// Made once, before the image is taken.
let invocationId = ''
let signal
const ctx = freeze({
  get invocationId() {
    return invocationId
  },
  // Never aborted yet: cancellation reaches a function as an effect, which it cannot request.
  get signal() {
    return (signal ??= use('events').newSignal())
  },
  call: (ref, input, options) => use('effects').call(ref, input, options),
  now: () => use('effects').now(),
  random: (bytes) => use('effects').random(bytes),
  waitUntil,
})
`

/** What the prelude hands to the host. */
export const ENTRIES_SOURCE = `
return {
  use,
  turn() {
    const { run } = firstTurn
    firstTurn = firstTurn.next
    run()
  },
  // bindings: JSON of them, where the function has any.
  load(loaded, bindings) {
    namespace = loaded
    if (bindings !== undefined) env = use('effects').envOf(parse(bindings))
    // What each request needs is then in the image.
    try {
      if (isServer(loaded.default)) use('serve'), use('url')
    } catch {}
  },
  fail: threw,
  // text: JSON of [export name, whether the input holds bytes or bigints, input].
  run(text, id, ...received) {
    const job = parse(text)
    const name = job[0]
    let target
    try {
      target = namespace[name]
      if (typeof target !== 'function' && !(name === 'default' && isServer(target))) return refuseExport(name)
    } catch (error) {
      return threw(error)
    }
    const input = job[1] ? revive(job[2], received) : job[2]
    invocationId = id
    try {
      const result = typeof target === 'function' ? target(input, env, ctx) : use('serve').serve(target, input, env, ctx)
      const later = (typeof result === 'object' || typeof result === 'function') && result !== null && typeof result.then === 'function'
      if (!later && kept.length === 0) return finish(result)
      finishLater(result)
    } catch (error) {
      threw(error)
    }
  },
  // text: JSON of [n, true, whether it holds bytes or bigints, value] or [n, false, code, message].
  settle(text, ...received) {
    const answer = parse(text)
    const { resolve, reject } = settlers[answer[0]]
    delete settlers[answer[0]]
    if (answer[1]) return void resolve(answer[2] ? revive(answer[3], received) : answer[3])
    const error = new Error(answer[3])
    error.code = answer[2]
    reject(error)
  },
}
`
